//! How the daemon's allocator behaves.

/// Keeps glibc to two pools of memory: it makes one for each thread otherwise, each with room of its own that it does
/// not give back, and the daemon's peak is a promise. To be called before there are threads. musl has one pool.
pub fn few_pools() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no threads yet, and a value that glibc documents (mallopt(3)); where it is refused nothing changes.
    unsafe {
        nix::libc::mallopt(nix::libc::M_ARENA_MAX, 2)
    };
}
