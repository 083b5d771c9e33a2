//! What root may do and the daemon does not: given up before it has threads, whoever starts it.
#![expect(unsafe_code, reason = "capget, capset and prctl, which nix does not have")]

use std::io;

use nix::libc;

/// What it takes to see every process and file, load programs, attach them to cgroups, mark files, stop and end agents:
/// the same as in `package/scopeward.service`. Programs are attached with the first session and come off after the last,
/// and scopes are read again, so that none of them is done with once the daemon has started.
const NEEDED: [(u32, &str); 9] = [
    (1, "CAP_DAC_OVERRIDE"),
    (2, "CAP_DAC_READ_SEARCH"),
    (5, "CAP_KILL"),
    (12, "CAP_NET_ADMIN"),
    (19, "CAP_SYS_PTRACE"),
    (21, "CAP_SYS_ADMIN"),
    (24, "CAP_SYS_RESOURCE"),
    (38, "CAP_PERFMON"),
    (39, "CAP_BPF"),
];

/// `struct __user_cap_header_struct` and two of `__user_cap_data_struct`: effective, permitted, inheritable, low words
/// first.
const VERSION_3: u32 = 0x2008_0522;

/// Gives up every other capability of this thread, for good: threads and programs that it starts have none of them
/// either.
///
/// # Errors
/// What the kernel says; nothing or only a part is given up then.
pub fn keep_needed() -> io::Result<()> {
    let needed = NEEDED.iter().fold(0_u64, |mask, (number, _)| mask | 1 << number);
    for capability in (0..64).filter(|number| needed >> number & 1 == 0) {
        // SAFETY: integers alone.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            _ if dropped == 0 => {}
            // The first number that this kernel does not know; without CAP_SETPCAP the service manager has seen to it.
            Some(libc::EINVAL | libc::EPERM) => break,
            _ => return Err(error),
        }
    }
    let header = [VERSION_3, 0];
    let mut data = [0_u32; 6];
    // SAFETY: a header and two sets, as this version has them.
    if unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    for (word, low) in [(0, true), (3, false)] {
        let kept = u32::try_from(if low { needed & 0xffff_ffff } else { needed >> 32 }).unwrap_or(0);
        data[word] &= kept;
        data[word + 1] &= kept;
        data[word + 2] = 0;
    }
    // SAFETY: as above.
    if unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_bounds_the_same() {
        let unit = include_str!("../../package/scopeward.service");
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix("CapabilityBoundingSet="));
        let mut of_unit: Vec<_> = line.unwrap().split(' ').collect();
        let mut needed: Vec<_> = NEEDED.iter().map(|(_, name)| *name).collect();
        of_unit.sort_unstable();
        needed.sort_unstable();
        assert_eq!(of_unit, needed);
    }

    #[test]
    fn a_thread_keeps_what_is_needed_and_nothing_else() {
        let seen = std::thread::spawn(|| {
            keep_needed().unwrap();
            std::fs::read_to_string("/proc/thread-self/status").unwrap()
        });
        let status = seen.join().unwrap();
        let mask = NEEDED.iter().fold(0_u64, |mask, (number, _)| mask | 1 << number);
        for set in ["CapInh:", "CapPrm:", "CapEff:"] {
            let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
            assert_eq!(
                u64::from_str_radix(line.trim(), 16).unwrap() & !mask,
                0,
                "{status}"
            );
        }
    }
}
