//! Offsets of struct fields from the running kernel's BTF.
//!
//! An own reader of one page instead of a crate: it keeps one number a type (600 kB for a kernel), where the crates
//! build every type as a value (tens of megabytes), and the daemon's memory is a promise. Format:
//! Documentation/bpf/btf.rst.

use std::path::Path;

/// Why the kernel's BTF cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BtfError {
    /// There is none, or it cannot be read.
    #[error("read {path}: {error}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not BTF, or it ends too early.
    #[error("parse the kernel's BTF: {0}")]
    Malformed(&'static str),
}

/// The kernel's types.
pub struct Btf {
    data: Vec<u8>,
    /// Where each type starts in `data`; index 0 is `void`.
    types: Vec<u32>,
    strings: usize,
}

const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_FORWARD: u32 = 7;
const KIND_TYPEDEF: u32 = 8;
const KIND_FUNC: u32 = 12;

impl Btf {
    /// Where kernels show their own BTF.
    pub const KERNEL: &'static str = "/sys/kernel/btf/vmlinux";

    /// Reads and indexes a BTF file.
    ///
    /// # Errors
    /// [`BtfError`] where the file cannot be read or is not BTF.
    pub fn read(path: &Path) -> Result<Self, BtfError> {
        let data = std::fs::read(path).map_err(|error| BtfError::Read {
            path: path.display().to_string(),
            error,
        })?;
        Self::parse(data)
    }

    fn parse(data: Vec<u8>) -> Result<Self, BtfError> {
        let word = |at: usize| u32_at(&data, at).ok_or(BtfError::Malformed("it ends within its header"));
        if word(0)? & 0xffff != 0xeb9f {
            return Err(BtfError::Malformed("it has no BTF magic"));
        }
        let header = word(4)? as usize;
        let (from, len) = (header + word(8)? as usize, word(12)? as usize);
        let strings = header + word(16)? as usize;
        let mut types = vec![0];
        let mut at = from;
        while at < from + len {
            types.push(u32::try_from(at).map_err(|_| BtfError::Malformed("it is too long"))?);
            let info = word(at + 4)?;
            at += 12 + extra((info >> 24) & 31, info & 0xffff)?;
        }
        Ok(Self { data, types, strings })
    }

    /// The byte offset of `field` in struct `of`, looked for through anonymous structs and unions. `None` where
    /// either does not exist, or where the field is a bit field.
    #[must_use]
    pub fn offset(&self, of: &str, field: &str) -> Option<u32> {
        self.types.iter().skip(1).find_map(|&at| {
            let info = u32_at(&self.data, at as usize + 4)?;
            let kind = (info >> 24) & 31;
            if kind != KIND_STRUCT || self.name(u32_at(&self.data, at as usize)?)? != of.as_bytes() {
                return None;
            }
            self.member(at as usize, field.as_bytes(), 0)
        })
    }

    /// The id of the function `name`, as `attach_btf_id` takes it. `None` where there is none.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<u32> {
        self.id(KIND_FUNC, name)
    }

    /// Whether the kernel has this tracepoint, by the type that stands for it.
    #[must_use]
    pub fn has_tracepoint(&self, name: &str) -> bool {
        self.id(KIND_TYPEDEF, &format!("btf_trace_{name}")).is_some()
    }

    /// The same numbering as BTF of its own, with nothing told but the types that programs attach by: a typedef for each
    /// tracepoint, a function for each iterator. For a loader that builds every type it is given as a value, which for
    /// the whole takes it tens of megabytes.
    #[must_use]
    pub fn numbering(&self) -> Vec<u8> {
        const HEADER: u32 = 24;
        let (mut types, mut strings) = (Vec::new(), vec![0]);
        for &at in self.types.iter().skip(1) {
            let word = |after: usize| u32_at(&self.data, at as usize + after).unwrap_or(0);
            let kind = (word(4) >> 24) & 31;
            let told = self.name(word(0)).filter(|name| match kind {
                KIND_TYPEDEF => name.starts_with(b"btf_trace_"),
                KIND_FUNC => name.starts_with(b"bpf_iter_"),
                _ => false,
            });
            let (offset, kind) = told.map_or((0, KIND_FORWARD), |_| (strings.len(), kind));
            for word in [u32::try_from(offset).unwrap_or(0), kind << 24, 0] {
                types.extend(word.to_le_bytes());
            }
            if let Some(name) = told {
                strings.extend(name);
                strings.push(0);
            }
        }
        let [types_len, strings_len] = [&types, &strings].map(|part| u32::try_from(part.len()).unwrap_or(0));
        let mut btf = Vec::with_capacity(HEADER as usize + types.len() + strings.len());
        btf.extend(self.data.get(..4).unwrap_or_default());
        for word in [HEADER, 0, types_len, types_len, strings_len] {
            btf.extend(word.to_le_bytes());
        }
        btf.extend(types);
        btf.extend(strings);
        btf
    }

    fn id(&self, kind: u32, name: &str) -> Option<u32> {
        let id = self.types.iter().skip(1).position(|&at| {
            let info = u32_at(&self.data, at as usize + 4).unwrap_or(0);
            let named = || u32_at(&self.data, at as usize).and_then(|offset| self.name(offset));
            (info >> 24) & 31 == kind && named() == Some(name.as_bytes())
        })?;
        u32::try_from(id + 1).ok()
    }

    fn member(&self, at: usize, field: &[u8], depth: u32) -> Option<u32> {
        let info = u32_at(&self.data, at + 4)?;
        (0..(info & 0xffff) as usize).find_map(|index| {
            let member = at + 12 + index * 12;
            let name = self.name(u32_at(&self.data, member)?)?;
            let raw = u32_at(&self.data, member + 8)?;
            let (bits, width) = if info >> 31 != 0 {
                (raw & 0x00ff_ffff, raw >> 24)
            } else {
                (raw, 0)
            };
            if name == field && width == 0 && bits % 8 == 0 {
                return Some(bits / 8);
            }
            if !name.is_empty() || depth > 8 {
                return None;
            }
            let inner = *self.types.get(u32_at(&self.data, member + 4)? as usize)? as usize;
            let kind = (u32_at(&self.data, inner + 4)? >> 24) & 31;
            if kind != KIND_STRUCT && kind != KIND_UNION {
                return None;
            }
            Some(bits / 8 + self.member(inner, field, depth + 1)?)
        })
    }

    fn name(&self, offset: u32) -> Option<&[u8]> {
        let rest = self.data.get(self.strings + offset as usize..)?;
        rest.split(|byte| *byte == 0).next()
    }
}

/// Bytes that follow the 12 of each type, by kind and number of members.
fn extra(kind: u32, members: u32) -> Result<usize, BtfError> {
    let members = members as usize;
    Ok(match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => members * 12,
        6 | 13 => members * 8,
        2 | 7..=12 | 16 | 18 => 0,
        _ => return Err(BtfError::Malformed("it has a kind of type that is not known")),
    })
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_those_of_the_running_kernel() {
        let Ok(btf) = Btf::read(Path::new(Btf::KERNEL)) else {
            println!("skipped: this kernel shows no BTF");
            return;
        };
        // `struct list_head { next, prev }` and `struct qstr` with its anonymous union are the same on every kernel.
        assert_eq!(btf.offset("list_head", "prev"), Some(8));
        assert_eq!(btf.offset("qstr", "len"), Some(4));
        assert_eq!(btf.offset("qstr", "no_such_field"), None);
        assert!(btf.function("security_file_open").is_some_and(|id| id > 0));
        assert_eq!(btf.function("no_such_function"), None);
        assert!(btf.has_tracepoint("sys_exit") && !btf.has_tracepoint("no_such_tracepoint"));
        let numbered = Btf::parse(btf.numbering()).unwrap();
        assert!(numbered.data.len() * 3 < btf.data.len());
        for (kind, name) in [(KIND_TYPEDEF, "btf_trace_sys_exit"), (KIND_FUNC, "bpf_iter_task")] {
            assert!(
                btf.id(kind, name)
                    .is_some_and(|id| numbered.id(kind, name) == Some(id))
            );
        }
    }

    #[test]
    fn what_is_not_btf_is_refused() {
        assert!(matches!(Btf::parse(vec![1, 2, 3]), Err(BtfError::Malformed(_))));
        assert!(matches!(Btf::parse(vec![0; 64]), Err(BtfError::Malformed(_))));
    }
}
