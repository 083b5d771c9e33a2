//! What this process may do.

use super::fact::Fact;

/// Capabilities that loading and answering take, by bit (`include/uapi/linux/capability.h`).
const NEEDED: [(u32, &str); 5] = [
    (5, "CAP_KILL"),
    (12, "CAP_NET_ADMIN"),
    (21, "CAP_SYS_ADMIN"),
    (38, "CAP_PERFMON"),
    (39, "CAP_BPF"),
];

/// The rights of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The effective user is root.
    pub root: bool,
    /// What is lacking to load programs and to answer acts.
    pub lacking: Vec<&'static str>,
}

impl Rights {
    /// Of this process, now.
    #[must_use]
    pub fn of_this_process() -> Self {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        Self::parse(&status, nix::unistd::geteuid().is_root())
    }

    fn parse(status: &str, root: bool) -> Self {
        let held = status
            .lines()
            .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
        let held = held.unwrap_or(0);
        let lacking = NEEDED.iter().filter(|(bit, _)| held >> bit & 1 == 0);
        Self {
            root,
            lacking: lacking.map(|(_, name)| *name).collect(),
        }
    }

    /// Whether it may load programs at all: without these, a refusal says nothing about the kernel.
    #[must_use]
    pub fn suffice(&self) -> bool {
        self.lacking.is_empty()
    }

    pub(super) fn fact(&self) -> Fact {
        let what = "rights";
        match (self.lacking.as_slice(), self.root) {
            ([], true) => Fact::ok(what, "root, with every capability that is needed"),
            ([], false) => Fact::ok(what, "not root, but with every capability that is needed"),
            (lacking, true) => {
                Fact::missing(what, format!("root without {}", lacking.join(", "))).with(format!(
                    "run it with {} (a container's bounding set may lack them)",
                    lacking.join(", ")
                ))
            }
            (lacking, false) => Fact::missing(what, format!("not root; {} are lacking", lacking.join(", ")))
                .with("sudo scopeward doctor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_kernel_s_mask() {
        let all = Rights::parse("Name:\tx\nCapEff:\t000001fffeffffff\n", true);
        assert!(all.suffice());
        let container = Rights::parse("CapEff:\t00000000a80425fb\n", true);
        assert_eq!(
            container.lacking,
            ["CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF"]
        );
        assert!(!Rights::parse("", false).suffice());
    }
}
