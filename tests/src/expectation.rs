//! What each technique may come to in each tier: nothing, unless this table says so and why.

use std::sync::OnceLock;

use serde_json::Value;

use crate::scratch::Scratch;

/// What answers acts on this kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// BPF LSM programs.
    Lsm,
    /// Programs in the place of the kernel's own checks.
    FmodRet,
    /// What is left everywhere: tracepoints, fanotify marks and cgroup programs.
    Tracepoint,
}

impl Tier {
    /// The word for it in events and in the table.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lsm => "lsm",
            Self::FmodRet => "fmod_ret",
            Self::Tracepoint => "tracepoint",
        }
    }

    /// Whether an act is refused before it happens.
    #[must_use]
    pub const fn denies(self) -> bool {
        matches!(self, Self::Lsm | Self::FmodRet)
    }
}

/// The tier of the running test program, found out once.
static TIER: OnceLock<Tier> = OnceLock::new();

/// The strongest tier among those that the list of `acts` names, each with its `tiers`.
fn strongest(acts: &Value) -> Tier {
    let acts = acts.as_array().map(Vec::as_slice).unwrap_or_default();
    let tiers = acts.iter().filter_map(|act| act["tiers"].as_array()).flatten();
    let names: Vec<&str> = tiers.filter_map(Value::as_str).collect();
    [Tier::Lsm, Tier::FmodRet]
        .into_iter()
        .find(|tier| names.contains(&tier.word()))
        .unwrap_or(Tier::Tracepoint)
}

/// Takes the tier from what a running daemon says of itself, instead of from `scopeward doctor`.
pub fn take_from(status: &Value) {
    TIER.get_or_init(|| strongest(&status["tiers"]));
}

/// The tier on this host: that of the daemon that was asked, or else what `scopeward doctor` finds.
///
/// # Panics
/// Where it does not say; tests ask for the program first.
#[must_use]
pub fn tier() -> Tier {
    *TIER.get_or_init(|| {
        let scratch = Scratch::new().expect("make a directory");
        let output = scratch
            .scopeward(&["doctor", "--json"])
            .output()
            .expect("run scopeward doctor");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("doctor writes JSON");
        strongest(&answer["acts"])
    })
}

/// Techniques that are not held where acts are answered after they happened, and why.
struct Open {
    techniques: &'static [&'static str],
    why: &'static str,
}

const OPEN: &[Open] = &[
    Open {
        techniques: &["truncate", "unlink"],
        why: "it opens nothing, so fanotify is not asked; answered after the act",
    },
    Open {
        techniques: &[
            "unix-datagram",
            "unix-datagram-abstract",
            "unix-sendmsg",
            "unix-sendmmsg",
            "unix-io-uring-datagram",
        ],
        why: "the datagram is there when its sender is killed; one attempt, one datagram",
    },
    Open {
        techniques: &[
            "kill",
            "tgkill",
            "sigqueue",
            "sigqueue-forged",
            "pidfd-send-signal",
            "pidfd-send-record",
        ],
        why: "the signal is there when its sender is killed",
    },
];

/// What no tracepoint shows on kernels before 6.3.
const UNSEEN: &[&str] = &[
    "unix-datagram",
    "unix-datagram-abstract",
    "unix-sendmsg",
    "unix-sendmmsg",
    "unix-io-uring-datagram",
    "unix-io-uring",
];

/// Whether the tracepoints of this kernel show nothing of `technique`, so that in their tier it is neither answered nor
/// recorded.
#[must_use]
pub fn unseen(technique: &str, tier: Tier) -> bool {
    !tier.denies() && UNSEEN.contains(&technique) && kernel().is_some_and(|version| version < (6, 3))
}

/// The running kernel's series.
fn kernel() -> Option<(u32, u32)> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let mut parts = release.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Why `technique` may succeed in `tier`; `None` where it must not.
#[must_use]
pub fn open(technique: &str, tier: Tier) -> Option<&'static str> {
    if unseen(technique, tier) {
        return Some("no tracepoint of this kernel shows it: neither answered nor recorded");
    }
    OPEN.iter()
        .find(|open| open.techniques.contains(&technique) && !tier.denies())
        .map(|open| open.why)
}

#[cfg(test)]
mod tests {
    use super::{OPEN, Tier, open};
    use crate::attack::catalogue::TECHNIQUES;
    use crate::attack::technique::{Sort, Technique};

    #[test]
    fn the_table_names_techniques_that_there_are_each_once() {
        let open = OPEN.iter().flat_map(|open| open.techniques);
        let mut names: Vec<&str> = open.copied().collect();
        assert!(names.iter().all(|name| Technique::named(name).is_some()));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_is_done_before_it_can_be_answered_is_open_without_a_tier_that_refuses() {
        for technique in TECHNIQUES {
            let first = match technique.sort {
                Sort::Service(service) => service.delivered_first,
                Sort::Outsider(outsider) => outsider.done_first,
                Sort::File(_) | Sort::Network(_) => continue,
            };
            let stands = open(technique.name, Tier::Tracepoint).is_some();
            assert_eq!(stands, first, "{}", technique.name);
        }
    }
}
