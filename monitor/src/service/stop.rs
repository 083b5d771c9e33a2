//! Why the service ended, as the service manager's jobs tell it: what was asked for decides whether sessions are let go.

use std::process::Command;

use crate::config::service::Stop;

/// Targets whose start means that the host goes down.
const GOING_DOWN: [&str; 6] = [
    "shutdown.target",
    "reboot.target",
    "poweroff.target",
    "halt.target",
    "kexec.target",
    "soft-reboot.target",
];

/// Why the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody with root asked for it to be stopped.
    Asked,
    /// It will be started again: a restart, an upgrade, a crash.
    Passing,
    /// The host goes down.
    HostGoesDown,
    /// The service manager cannot be asked.
    Unknown,
}

impl Ending {
    /// Asks systemd for its jobs.
    #[must_use]
    pub fn of(unit: &str) -> Self {
        let listed = Command::new("systemctl")
            .args(["list-jobs", "--no-legend", "--no-pager", "--plain"])
            .output();
        match listed {
            Ok(output) if output.status.success() => {
                Self::from_jobs(&String::from_utf8_lossy(&output.stdout), unit)
            }
            _ => Self::Unknown,
        }
    }

    /// From lines of `systemctl list-jobs`: number, unit, type, state.
    fn from_jobs(listing: &str, unit: &str) -> Self {
        let jobs = || {
            listing.lines().filter_map(|line| {
                let mut fields = line.split_whitespace().skip(1);
                Some((fields.next()?, fields.next()?))
            })
        };
        if jobs().any(|(of, kind)| GOING_DOWN.contains(&of) && kind == "start") {
            return Self::HostGoesDown;
        }
        if jobs().any(|job| job == (unit, "stop")) {
            return Self::Asked;
        }
        Self::Passing
    }

    /// Whether sessions that run are let go: only where a person asked for a stop, and the settings leave it at that.
    #[must_use]
    pub fn lets_go(self, stop: Stop) -> bool {
        self == Self::Asked && stop == Stop::Release
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stop_that_was_asked_for_lets_go() {
        let unit = "scopeward.service";
        let table = [
            ("  92 scopeward.service stop running\n", Ending::Asked),
            ("  92 scopeward.service restart running\n", Ending::Passing),
            ("  93 scopeward.service start waiting\n", Ending::Passing),
            ("  92 other.service stop running\n", Ending::Passing),
            ("", Ending::Passing),
            ("No jobs running.\n", Ending::Passing),
            (
                "  92 scopeward.service stop running\n  80 shutdown.target start waiting\n",
                Ending::HostGoesDown,
            ),
        ];
        for (listing, expected) in table {
            let found = Ending::from_jobs(listing, unit);
            assert_eq!(found, expected, "{listing:?}");
            assert_eq!(found.lets_go(Stop::Release), expected == Ending::Asked);
            assert!(!found.lets_go(Stop::Hold));
        }
        assert!(!Ending::Unknown.lets_go(Stop::Release));
    }
}
