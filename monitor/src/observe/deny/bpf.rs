//! The bpf(2) calls that aya does not make.
#![expect(
    unsafe_code,
    reason = "bpf(2) is called by its number, with addresses in its attribute"
)]

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

use nix::libc;

use super::programs::As;

/// `enum bpf_cmd`.
const PROG_LOAD: u32 = 5;
const OBJ_PIN: u32 = 6;
const RAW_TRACEPOINT_OPEN: u32 = 17;
const BTF_LOAD: u32 = 18;
const MAP_FREEZE: u32 = 22;

/// `union bpf_attr`, as far as it is used; the kernel asks that the rest be zero.
#[repr(C, align(8))]
struct Attr([u8; 128]);

impl Attr {
    const fn new() -> Self {
        Self([0; 128])
    }

    fn bytes(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn u32(self, at: usize, value: u32) -> Self {
        self.bytes(at, &value.to_ne_bytes())
    }

    /// The address of `bytes`, which must live until the call is done.
    fn address(self, at: usize, bytes: &[u8]) -> Self {
        self.bytes(at, &(bytes.as_ptr() as u64).to_ne_bytes())
    }

    fn fd(self, at: usize, fd: &OwnedFd) -> Self {
        self.u32(at, fd.as_raw_fd().unsigned_abs())
    }
}

fn call(command: u32, attr: &Attr) -> io::Result<i32> {
    // SAFETY: the attribute and what it points to live longer than the call, and its size is its own.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attr.0.as_ptr(), size_of::<Attr>()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    i32::try_from(result).map_err(io::Error::other)
}

fn descriptor(command: u32, attr: &Attr) -> io::Result<OwnedFd> {
    let fd = call(command, attr)?;
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// From now on nobody writes to a map but the programs, for as long as there is one. One that is frozen already stays so.
pub(in crate::observe) fn freeze(map: BorrowedFd<'_>) -> io::Result<()> {
    match call(MAP_FREEZE, &Attr::new().u32(0, map.as_raw_fd().unsigned_abs())) {
        // A descriptor of one that is frozen has no right to write, which this call asks for.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EPERM)) => Ok(()),
        done => done.map(drop),
    }
}

/// A program's code, and where its functions begin.
pub(super) struct Code<'c> {
    /// Its name.
    pub(super) name: &'c str,
    /// Instructions, eight bytes each.
    pub(super) instructions: &'c [u8],
    /// `struct bpf_func_info` of each function, as bytes; empty where it calls none of its own.
    pub(super) functions: &'c [u8],
}

/// `struct bpf_func_info` is two words.
const FUNCTION: (u32, usize) = (8, 8);

/// Loads a program; `btf` is its own types. The error holds the verifier's last words.
pub(super) fn load(code: &Code<'_>, what: As, btf: Option<&OwnedFd>) -> Result<OwnedFd, (io::Error, String)> {
    /// `BPF_OBJ_NAME_LEN`, less its final zero.
    const NAME: usize = 15;
    let words = |error| (error, String::new());
    let count = |bytes: &[u8], each: usize| {
        u32::try_from(bytes.len() / each).map_err(|error| words(io::Error::other(error)))
    };
    let licence = c"Dual MIT/GPL";
    let name = &code.name.as_bytes()[..code.name.len().min(NAME)];
    let attr = || -> Result<Attr, (io::Error, String)> {
        let attr = Attr::new()
            .u32(0, what.kind)
            .u32(4, count(code.instructions, 8)?)
            .address(8, code.instructions)
            .address(16, licence.to_bytes_with_nul())
            .bytes(48, name)
            .u32(68, what.attach)
            .u32(108, what.function);
        Ok(match btf {
            Some(btf) if !code.functions.is_empty() => attr
                .fd(72, btf)
                .u32(76, FUNCTION.0)
                .address(80, code.functions)
                .u32(88, count(code.functions, FUNCTION.1)?),
            _ => attr,
        })
    };
    match descriptor(PROG_LOAD, &attr()?) {
        Ok(program) => Ok(program),
        Err(first) => {
            let log = vec![0_u8; 1 << 20];
            let asked = attr()?.u32(24, 1).u32(28, 1 << 20).address(32, &log);
            match descriptor(PROG_LOAD, &asked) {
                Ok(program) => Ok(program),
                Err(_) => Err((first, last_words(&log))),
            }
        }
    }
}

/// The end of a verifier's log: what it stumbled over.
fn last_words(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(6)..].join("; ")
}

/// Loads types.
pub(super) fn load_btf(bytes: &[u8]) -> io::Result<OwnedFd> {
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    descriptor(BTF_LOAD, &Attr::new().address(0, bytes).u32(16, len))
}

/// The attachment of an LSM or `fmod_ret` program; it comes off with the last descriptor and the last pin.
#[derive(Debug)]
pub struct RawLink(OwnedFd);

/// Attaches a program that [`super::load()`] loaded.
///
/// # Errors
/// What the kernel says.
pub fn attach(program: &OwnedFd) -> io::Result<RawLink> {
    descriptor(RAW_TRACEPOINT_OPEN, &Attr::new().fd(8, program)).map(RawLink)
}

impl RawLink {
    /// Pins it at a path of a bpffs.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn pin(&self, path: &Path) -> io::Result<()> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
        call(
            OBJ_PIN,
            &Attr::new().address(0, path.to_bytes_with_nul()).fd(8, &self.0),
        )
        .map(drop)
    }
}
