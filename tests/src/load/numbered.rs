//! Paths that differ in a number only, made without allocating.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many digits each number has.
pub const DIGITS: usize = 8;

/// `PREFIX` + eight digits + `SUFFIX`.
pub struct Numbered {
    bytes: Vec<u8>,
    at: usize,
}

impl Numbered {
    /// Paths in `directory` that begin and end so.
    #[must_use]
    pub fn new(directory: &Path, prefix: &str, suffix: &str) -> Self {
        let mut bytes = directory.join(prefix).as_os_str().as_bytes().to_vec();
        let at = bytes.len();
        bytes.extend([b'0'; DIGITS]);
        bytes.extend(suffix.as_bytes());
        bytes.push(0);
        Self { bytes, at }
    }

    /// The path with `number`, of which the last eight digits count.
    pub fn path(&mut self, number: u64) -> &CStr {
        let mut rest = number;
        for digit in self.bytes[self.at..self.at + DIGITS].iter_mut().rev() {
            *digit = b"0123456789"[usize::try_from(rest % 10).unwrap_or(0)];
            rest /= 10;
        }
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

/// `path` as the kernel takes it.
///
/// # Errors
/// `InvalidInput` where a zero byte is in it.
pub fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::Numbered;

    #[test]
    fn numbers_have_eight_digits() {
        let mut paths = Numbered::new("/a".as_ref(), "x-", ".y");
        assert_eq!(paths.path(0), c"/a/x-00000000.y");
        assert_eq!(paths.path(1_234), c"/a/x-00001234.y");
        assert_eq!(paths.path(7), c"/a/x-00000007.y");
    }
}
