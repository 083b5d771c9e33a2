//! Opens and reads the file with 32-bit system calls.

use std::io;
use std::num::NonZeroUsize;

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

use super::target::{FileTarget, obtained};
use crate::attack::slot::Slot;

/// `open` and `read` in the numbering of i386.
const OPEN: i32 = 5;
const READ: i32 = 3;

/// One 32-bit system call. Pointers must lie below 4 GiB.
///
/// # Safety
/// The arguments must be right for the call.
#[cfg(target_arch = "x86_64")]
unsafe fn int80(number: i32, a: u32, b: u32, c: u32) -> io::Result<i32> {
    let result: i32;
    // SAFETY: rbx, which the compiler keeps for itself, is put back; the kernel may clear r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {a}",
            "int 0x80",
            "xchg rbx, {a}",
            a = inout(reg) u64::from(a) => _,
            inlateout("eax") number => result,
            in("ecx") b,
            in("edx") c,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok(result)
    }
}

/// `int 0x80` with open, then read, with path and buffer below 4 GiB.
///
/// # Errors
/// Those of the calls.
#[cfg(target_arch = "x86_64")]
pub fn attempt(target: &FileTarget, slot: Slot<'_>) -> io::Result<()> {
    let path = target.c_path()?;
    let length = NonZeroUsize::new(8192).ok_or(io::ErrorKind::InvalidInput)?;
    if path.as_bytes_with_nul().len() > 4096 {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    let prot = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: new private memory, used only here.
    let low = unsafe { mmap_anonymous(None, length, prot, MapFlags::MAP_PRIVATE | MapFlags::MAP_32BIT)? };
    let low: *mut u8 = low.as_ptr().cast();
    let address = u32::try_from(low.addr()).map_err(io::Error::other)?;
    // SAFETY: the path is shorter than the first page of the mapping.
    unsafe { std::ptr::copy_nonoverlapping(path.as_ptr().cast(), low, path.as_bytes_with_nul().len()) };
    // SAFETY: a C string below 4 GiB, flags and mode.
    let fd = unsafe { int80(OPEN, address, libc::O_RDONLY.unsigned_abs(), 0)? };
    // SAFETY: the second page of the mapping takes up to 128 bytes.
    let read = unsafe { int80(READ, fd.unsigned_abs(), address + 4096, 128)? };
    let read = usize::try_from(read).map_err(io::Error::other)?;
    // SAFETY: the kernel has just written `read` bytes there.
    slot.put(unsafe { std::slice::from_raw_parts(low.add(4096), read) });
    obtained(read)
}

/// Other machines have no such calls.
///
/// # Errors
/// Always `Unsupported`.
#[cfg(not(target_arch = "x86_64"))]
pub fn attempt(_target: &FileTarget, _slot: Slot<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
