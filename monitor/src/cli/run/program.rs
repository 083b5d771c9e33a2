//! The command as the kernel takes it: all of it is laid out before the fork, since nothing may be allocated after.

use std::{
    ffi::{CString, OsStr, OsString},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

use nix::libc::c_char;

/// Where programs are looked for when there is no `PATH` (`_CS_PATH` of glibc).
const USUAL_PATH: &str = "/bin:/usr/bin";

/// What runs files that are executable but no program, as `execvp` has it.
pub(super) const SHELL: &std::ffi::CStr = c"/bin/sh";

/// A word of the command or of the environment has a zero byte in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pass on a word with a zero byte in it")]
pub struct ZeroByte;

/// A command that can be executed.
#[derive(Debug)]
pub struct Program {
    /// The command's first word, for messages.
    pub name: OsString,
    /// Where it may be, the likeliest first.
    candidates: Vec<CString>,
    argv: Vec<CString>,
    env: Vec<CString>,
}

impl Program {
    /// Lays out `command` (its words) with the environment `env`, in whose `PATH` it is looked for.
    ///
    /// # Errors
    /// [`ZeroByte`].
    pub fn new(command: &[OsString], env: &[(OsString, OsString)]) -> Result<Self, ZeroByte> {
        let name = command.first().cloned().unwrap_or_default();
        let path = env
            .iter()
            .find(|(key, _)| key == "PATH")
            .map(|(_, path)| path.as_os_str());
        let candidates = places(&name, path.unwrap_or(OsStr::new(USUAL_PATH)));
        let pair = |(key, value): &(OsString, OsString)| {
            let mut pair = key.clone();
            pair.push("=");
            pair.push(value);
            text(pair)
        };
        Ok(Self {
            candidates: candidates.into_iter().map(text).collect::<Result<_, _>>()?,
            argv: command.iter().cloned().map(text).collect::<Result<_, _>>()?,
            env: env.iter().map(pair).collect::<Result<_, _>>()?,
            name,
        })
    }

    /// The same as pointers, valid as long as the program.
    #[must_use]
    pub fn pointers(&self) -> Pointers<'_> {
        let list = |texts: &[CString]| -> Vec<*const c_char> {
            texts
                .iter()
                .map(|text| text.as_ptr())
                .chain([std::ptr::null()])
                .collect()
        };
        let mut script = vec![SHELL.as_ptr(), std::ptr::null()];
        script.extend(list(self.argv.get(1..).unwrap_or_default()));
        Pointers {
            candidates: &self.candidates,
            argv: list(&self.argv),
            script,
            env: list(&self.env),
        }
    }
}

/// What `execve` takes.
#[derive(Debug)]
pub struct Pointers<'p> {
    /// Where the program may be.
    pub candidates: &'p [CString],
    /// Its arguments, ended by null.
    pub argv: Vec<*const c_char>,
    /// The same for the shell; the second is the script's path, and still to be set.
    pub script: Vec<*const c_char>,
    /// The environment, ended by null.
    pub env: Vec<*const c_char>,
}

fn places(name: &OsStr, path: &OsStr) -> Vec<OsString> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Vec::new();
    }
    if bytes.contains(&b'/') {
        return vec![name.to_owned()];
    }
    // An empty entry is the working directory.
    let place = |directory: &[u8]| {
        let mut place = directory.to_vec();
        if !place.is_empty() {
            place.push(b'/');
        }
        place.extend(bytes);
        OsString::from_vec(place)
    };
    path.as_bytes().split(|byte| *byte == b':').map(place).collect()
}

fn text(word: OsString) -> Result<CString, ZeroByte> {
    CString::new(word.into_vec()).map_err(|_| ZeroByte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_looked_for_as_a_shell_does() {
        let places = |name: &str, path: &str| places(name.as_ref(), path.as_ref());
        assert_eq!(places("ls", "/usr/bin:/bin"), ["/usr/bin/ls", "/bin/ls"]);
        assert_eq!(places("ls", ":/bin"), ["ls", "/bin/ls"]);
        assert_eq!(places("./ls", "/bin"), ["./ls"]);
        assert!(places("", "/bin").is_empty());
    }

    #[test]
    fn a_zero_byte_is_refused() {
        assert_eq!(Program::new(&["a\0b".into()], &[]).unwrap_err(), ZeroByte);
    }
}
