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
}

impl Profile {
    /// Every profile, in the order of the report.
    pub const ALL: [Self; 3] = [Self::Stock, Self::NoBpf, Self::Lockdown];

    /// The word for it on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::NoBpf => "no-bpf",
            Self::Lockdown => "lockdown",
        }
    }

    /// The profile called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its boot parameters.
    pub const fn parameters(self) -> &'static str {
        match self {
            Self::Stock => "",
            // Debian's list; names that a kernel does not know it passes over.
            Self::NoBpf => "lsm=landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor",
            Self::Lockdown => "lockdown=integrity",
        }
    }
}
