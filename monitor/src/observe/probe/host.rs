//! What the host says about itself: files of /proc and securityfs.

use std::path::Path;

use super::{fact::Fact, place::Place};
use crate::observe::mounts;

/// `PROC_PID_INIT_INO` (`include/linux/proc_ns.h`): the pid namespace that the kernel itself counts in.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// The kernel's release.
pub(super) fn release() -> String {
    read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned())
}

pub(super) fn pid_namespace() -> Fact {
    let what = "pid namespace";
    match std::fs::read_link("/proc/self/ns/pid") {
        Ok(own) if own == Path::new(FIRST_PID_NAMESPACE) => Fact::ok(what, "the host's own"),
        Ok(_) => Fact::missing(
            what,
            "a container's: the kernel's process ids are not the ones that are seen here",
        )
        .with("run it in the host's pid namespace (docker: --pid=host)"),
        Err(error) => Fact::limited(what, format!("cannot be read: {error}")),
    }
}

pub(super) fn pid_max() -> Fact {
    let what = "processes at most";
    match read("/proc/sys/kernel/pid_max") {
        Some(most) => Fact::ok(what, format!("kernel.pid_max = {most}")),
        None => Fact::limited(what, "/proc/sys/kernel/pid_max cannot be read"),
    }
}

/// Programs of users without rights could read what the monitor's programs leave in caches; agents need none.
pub(super) fn unprivileged_bpf() -> Fact {
    let what = "unprivileged BPF";
    match read("/proc/sys/kernel/unprivileged_bpf_disabled").as_deref() {
        Some("0") => Fact::limited(
            what,
            "allowed: an agent without root can load BPF programs of its own",
        )
        .with("sysctl -w kernel.unprivileged_bpf_disabled=1"),
        Some(_) => Fact::ok(what, "refused, as it should be"),
        None => Fact::ok(what, "this kernel has no such switch"),
    }
}

/// The list of security modules and the lockdown, as securityfs shows them.
pub(super) struct Security {
    /// The active LSMs; `None` where the list cannot be seen.
    pub(super) lsms: Option<String>,
    /// The lockdown's line, as `[none] integrity confidentiality`; `None` where there is no such module.
    lockdown: Option<String>,
    /// Why nothing could be seen.
    why: Option<String>,
    /// Function tracing is switched off: what attaches to the kernel's functions never runs.
    pub(super) untraced: bool,
}

impl Security {
    pub(super) fn look(place: &Place) -> Self {
        let at = match place.filesystem("securityfs", mounts::securityfs) {
            Ok(Some(at)) => at,
            Ok(None) => return Self::unseen("securityfs is not mounted, and mounting it needs root"),
            Err(error) => return Self::unseen(format!("failed to {error}")),
        };
        let lsms = std::fs::read_to_string(at.join("lsm"));
        let why = lsms
            .as_ref()
            .err()
            .map(|error| format!("{}: {error}", at.join("lsm").display()));
        let lockdown = std::fs::read_to_string(at.join("lockdown")).ok();
        Self {
            lsms: lsms.ok().map(|list| list.trim().to_owned()),
            lockdown: lockdown.map(|line| line.trim().to_owned()),
            why,
            untraced: untraced(),
        }
    }

    fn unseen(why: impl Into<String>) -> Self {
        Self {
            lsms: None,
            lockdown: None,
            why: Some(why.into()),
            untraced: untraced(),
        }
    }

    /// As if securityfs had said so.
    #[cfg(test)]
    pub(super) fn with_list(lsms: &str) -> Self {
        Self {
            lsms: Some(lsms.to_owned()),
            lockdown: None,
            why: None,
            untraced: false,
        }
    }

    /// Whether `bpf` is an active LSM.
    pub(super) fn has_bpf(&self) -> bool {
        self.lsms
            .as_deref()
            .is_some_and(|list| list.split(',').any(|lsm| lsm == "bpf"))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let what = "LSM list";
        let list = match (&self.lsms, &self.why) {
            (Some(list), _) if self.has_bpf() => Fact::ok(what, list),
            (Some(list), _) => {
                Fact::limited(what, format!("{list}: without `bpf`, BPF LSM programs never run"))
            }
            (None, why) => Fact::limited(what, why.clone().unwrap_or_else(|| "cannot be seen".to_owned())),
        };
        let what = "lockdown";
        let lockdown = match self.lockdown.as_deref().map(|line| (line, chosen(line))) {
            None if self.lsms.is_none() => Fact::limited(what, "cannot be seen"),
            None => Fact::ok(what, "this kernel has none"),
            Some((_, Some("none"))) => Fact::ok(what, "none"),
            Some((_, Some("integrity"))) => {
                Fact::ok(what, "integrity, which refuses nothing that is used here")
            }
            Some((_, Some("confidentiality"))) => Fact::limited(
                what,
                "confidentiality: programs that read kernel memory may be refused (what loads is listed here)",
            ),
            Some((line, _)) => Fact::limited(what, format!("unknown: {line}")),
        };
        vec![list, lockdown]
    }
}

/// The word in brackets.
fn chosen(line: &str) -> Option<&str> {
    Some(line.split_once('[')?.1.split_once(']')?.0)
}

fn untraced() -> bool {
    read("/proc/sys/kernel/ftrace_enabled").as_deref() == Some("0")
}

fn read(path: &str) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::probe::State;

    fn security(lsms: &str, lockdown: Option<&str>) -> Security {
        Security {
            lsms: Some(lsms.into()),
            lockdown: lockdown.map(Into::into),
            why: None,
            untraced: false,
        }
    }

    #[test]
    fn the_list_and_the_lockdown_are_read() {
        assert!(security("capability,landlock,bpf", None).has_bpf());
        assert!(!security("capability,landlock,notbpf", None).has_bpf());
        let facts = security("capability", Some("none integrity [confidentiality]")).facts();
        assert_eq!((facts[0].state, facts[1].state), (State::Limited, State::Limited));
        let facts = security("capability,bpf", Some("[none] integrity confidentiality")).facts();
        assert_eq!((facts[0].state, facts[1].state), (State::Ok, State::Ok));
    }
}
