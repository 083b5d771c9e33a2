//! How a kernel is started: which LSMs, locked down or not.

/// A set of boot parameters under which all tests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As the distribution starts it.
    Stock,
    /// Without `bpf` in the LSM list, as many distributions ship.
    NoBpf,
    /// As with Secure Boot.
    Lockdown,
    /// With the kernel's function tracing switched off: LSM and `fmod_ret` programs attach there and never run, so that only the
    /// tiers below them are left.
    NoFtrace,
}

impl Profile {
    /// The profiles of the tests, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Stock, Self::NoBpf, Self::Lockdown];

    /// Every profile.
    pub const NAMED: [Self; 4] = [Self::Stock, Self::NoBpf, Self::Lockdown, Self::NoFtrace];

    /// Those of the table, one for each tier.
    pub const TIERS: [Self; 3] = [Self::Stock, Self::NoBpf, Self::NoFtrace];

    /// The word for it on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::NoBpf => "no-bpf",
            Self::Lockdown => "lockdown",
            Self::NoFtrace => "no-ftrace",
        }
    }

    /// A command line for a shell in the machine, before anything else runs there.
    pub const fn preparation(self) -> Option<&'static str> {
        match self {
            Self::Stock | Self::NoBpf | Self::Lockdown => None,
            Self::NoFtrace => Some("echo 0 >/proc/sys/kernel/ftrace_enabled"),
        }
    }

    /// The tier that answers there, as the daemon calls it.
    pub const fn tier(self) -> &'static str {
        match self {
            Self::Stock | Self::Lockdown => "lsm",
            Self::NoBpf => "fmod_ret",
            Self::NoFtrace => "tracepoint",
        }
    }

    /// The profile called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|profile| profile.name() == name)
    }

    /// Its boot parameters.
    pub const fn parameters(self) -> &'static str {
        match self {
            Self::Stock | Self::NoFtrace => "",
            // Debian's list; names that a kernel does not know it passes over.
            Self::NoBpf => "lsm=landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor",
            Self::Lockdown => "lockdown=integrity",
        }
    }
}
