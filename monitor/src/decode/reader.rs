//! Length-checked reads.

/// What is left of a record.
#[derive(Clone, Copy)]
pub(super) struct Reader<'b>(&'b [u8]);

/// The record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short;

macro_rules! number {
    ($($name:ident: $of:ty),*) => {
        $(pub(super) fn $name(&mut self) -> Result<$of, Short> {
            let bytes = self.take(size_of::<$of>())?;
            bytes.try_into().map(<$of>::from_ne_bytes).map_err(|_| Short)
        })*
    };
}

impl<'b> Reader<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'b [u8], Short> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Short)?;
        self.0 = rest;
        Ok(taken)
    }

    number!(u8: u8, u16: u16, u32: u32, u64: u64);
}

/// The components of a path, and those of another one behind a component of no bytes.
pub(super) fn ends(components: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while let Some(&len) = components.get(at) {
        if len == 0 {
            return (&components[..at], Some(&components[at + 1..]));
        }
        at += 1 + usize::from(len);
    }
    (components, None)
}

/// A path from its components, leaf first, each one length byte and its bytes. `cut` marks a path whose start is missing.
pub(super) fn path(mut components: &[u8], cut: bool) -> String {
    let mut parts = Vec::new();
    while let Some((len, rest)) = components.split_first() {
        let Some((name, rest)) = rest.split_at_checked(usize::from(*len)) else {
            break;
        };
        parts.push(String::from_utf8_lossy(name));
        components = rest;
    }
    let mut path = String::from(if cut { "…" } else { "" });
    for part in parts.iter().rev() {
        path.push('/');
        path.push_str(part);
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Arguments, each ended by a zero; the last may be cut.
pub(super) fn arguments(bytes: &[u8]) -> Vec<String> {
    let mut list: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    if list.last().is_some_and(|last| last.is_empty()) {
        list.pop();
    }
    list.into_iter()
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_turned_round() {
        assert_eq!(path(b"\x03cat\x03bin\x03usr", false), "/usr/bin/cat");
        assert_eq!(path(b"", false), "/");
        assert_eq!(path(b"\x03cat\x09bi", true), "…/cat");
    }

    #[test]
    fn arguments_end_with_a_zero_or_with_the_record() {
        assert_eq!(arguments(b"cat\0\0-n\0"), ["cat", "", "-n"]);
        assert_eq!(arguments(b"cat\0lon"), ["cat", "lon"]);
        assert!(arguments(b"").is_empty());
    }
}
