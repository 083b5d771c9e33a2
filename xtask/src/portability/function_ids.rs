//! The helpers that a kernel has: the enumerators of its `enum bpf_func_id`.

use std::collections::BTreeMap;

const KIND_ENUM: u32 = 6;

/// Names by number, as in `loop` for 181; empty where the BTF has no such enumeration.
pub fn of_kernel(btf: &[u8]) -> BTreeMap<u32, String> {
    find(btf).unwrap_or_default()
}

fn find(btf: &[u8]) -> Option<BTreeMap<u32, String>> {
    let word = |at: usize| {
        let bytes = btf.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let place = |at: usize| usize::try_from(word(at)?).ok();
    let header = place(4)?;
    let (mut at, end) = (header + place(8)?, header + place(8)? + place(12)?);
    let strings = header + place(16)?;
    let name = |at: usize| {
        let bytes = btf.get(strings + place(at)?..)?.split(|byte| *byte == 0).next()?;
        std::str::from_utf8(bytes).ok()
    };
    while at < end {
        let info = word(at + 4)?;
        let (kind, members) = ((info >> 24) & 31, usize::try_from(info & 0xffff).ok()?);
        // Before 6.0 the enumeration has no name in C, and none here.
        if kind == KIND_ENUM && members > 0 && name(at + 12) == Some("BPF_FUNC_unspec") {
            let entries = (0..members).map(|index| at + 12 + index * 8);
            return entries
                .map(|entry| {
                    Some((
                        word(entry + 4)?,
                        name(entry)?.trim_start_matches("BPF_FUNC_").to_owned(),
                    ))
                })
                .filter(|entry| entry.as_ref().is_none_or(|(_, name)| name != "__BPF_FUNC_MAX_ID"))
                .collect();
        }
        at += 12 + extra(kind, members)?;
    }
    None
}

/// Bytes that follow the 12 of each type (Documentation/bpf/btf.rst).
const fn extra(kind: u32, members: usize) -> Option<usize> {
    Some(match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => members * 12,
        6 | 13 => members * 8,
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}
