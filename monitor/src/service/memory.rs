//! How the daemon's allocator behaves: the daemon's peak is a promise. musl has one pool and gives back what is free.

#[cfg(target_env = "gnu")]
use nix::libc;

/// Keeps glibc to two pools of memory, where it makes one for each thread otherwise, each with room of its own that it
/// does not give back; and to giving back what is free at a pool's end, where it raises what it keeps to twice the
/// largest block that it ever gave back, which the kernel's BTF makes 12 MiB. To be called before there are threads.
pub fn frugal() {
    #[cfg(target_env = "gnu")]
    for (option, value) in [
        (libc::M_ARENA_MAX, 2),
        (libc::M_TRIM_THRESHOLD, KEPT),
        (libc::M_MMAP_THRESHOLD, KEPT),
    ] {
        // SAFETY: no threads yet, and values that glibc documents (mallopt(3)); where one is refused nothing changes.
        unsafe { libc::mallopt(option, value) };
    }
}

/// Bytes that a pool may keep at its end, and from which a block is one of its own.
#[cfg(target_env = "gnu")]
const KEPT: libc::c_int = 256 * 1024;

/// Gives back what is free in the middle of the pools too: after start-up, which needs more than all that follows.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes the pools' locks itself (malloc_trim(3)).
    unsafe {
        libc::malloc_trim(0)
    };
}
