//! What the compiled programs ask of a kernel: hooks by their sections, helpers by their calls.

use std::collections::BTreeSet;

/// What the object asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Section names of programs, such as `tp_btf/sys_exit`.
    pub hooks: BTreeSet<String>,
    /// Numbers of helpers that some instruction calls.
    pub helpers: BTreeSet<u32>,
}

const EXECUTABLE: u64 = 4;
const CALL: u8 = 0x85;

/// Reads an ELF object of BPF programs.
pub fn demands(elf: &[u8]) -> Option<Demands> {
    let table = number(elf, 0x28, 8)?;
    let (size, count, names) = (
        number(elf, 0x3a, 2)?,
        number(elf, 0x3c, 2)?,
        number(elf, 0x3e, 2)?,
    );
    let names = number(elf, table + names * size + 0x18, 8)?;
    let mut demands = Demands::default();
    for index in 0..count {
        let header = table + index * size;
        let flags = number(elf, header + 8, 8)? as u64;
        if flags & EXECUTABLE == 0 {
            continue;
        }
        let name = elf
            .get(names + number(elf, header, 4)?..)?
            .split(|byte| *byte == 0)
            .next()?;
        let name = String::from_utf8_lossy(name);
        if name.contains('/') {
            demands.hooks.insert(name.into_owned());
        }
        let (offset, length) = (number(elf, header + 0x18, 8)?, number(elf, header + 0x20, 8)?);
        demands.helpers.extend(called(elf.get(offset..offset + length)?));
    }
    Some(demands)
}

/// Helpers that these instructions call; a call of another function of the object has a source register.
fn called(code: &[u8]) -> impl Iterator<Item = u32> {
    let calls = code
        .chunks_exact(8)
        .filter(|instruction| instruction[0] == CALL && instruction[1] >> 4 == 0);
    calls.filter_map(|instruction| Some(u32::from_le_bytes(instruction.get(4..8)?.try_into().ok()?)))
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let mut word = [0; 8];
    word.get_mut(..width)?.copy_from_slice(bytes.get(at..at + width)?);
    usize::try_from(u64::from_le_bytes(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::called;

    #[test]
    fn calls_of_helpers_are_told_from_calls_of_functions() {
        let code = [
            [0x85, 0, 0, 0, 181, 0, 0, 0],
            [0x85, 0x10, 0, 0, 5, 0, 0, 0],
            [0xbf, 0x16, 0, 0, 0, 0, 0, 0],
        ];
        assert_eq!(called(&code.concat()).collect::<Vec<_>>(), [181]);
    }
}
