//! What becomes of each kind of act on this host, with this version: the rows of kernel.md's table of hooks, held
//! against what `monitor-ebpf/src/hooks` and the fanotify tier really do.

use super::{file_acts, outsiders, programs::Held};
use crate::scope::words::{Tier, When};
use serde::Serialize;

/// What becomes of one kind of act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActGuarantee {
    /// The act.
    pub act: &'static str,
    /// The mechanisms, the one that answers first before the others; empty where it is not seen.
    pub tiers: Vec<Tier>,
    /// When the answer comes at the latest; `None` where the act is not seen.
    pub when: Option<When>,
    /// What that leaves open, in one sentence.
    pub limit: &'static str,
}

/// Every kind of act, with what these mechanisms make of it.
#[must_use]
pub fn acts(held: Held) -> Vec<ActGuarantee> {
    // Without membership nobody is in a session, and nothing is answered.
    let held = if held.sessions { held } else { Held::default() };
    let mut acts = programs(held);
    acts.extend(file_acts::files(held));
    acts.extend(network(held));
    acts.extend(outsiders::services(held));
    acts.extend(outsiders::others(held));
    acts.extend(UNSEEN.map(|(act, limit)| unseen(act, limit)));
    acts
}

/// What a kill leaves open.
pub(super) const RACE: &str = "killed before it returns to user space; another thread, or a process that shares its descriptors, \
                    could have read in the meantime";

pub(super) fn row(act: &'static str, tiers: &[Tier], when: When, limit: &'static str) -> ActGuarantee {
    ActGuarantee {
        act,
        tiers: tiers.to_vec(),
        when: Some(when),
        limit,
    }
}

pub(super) const fn unseen(act: &'static str, limit: &'static str) -> ActGuarantee {
    ActGuarantee {
        act,
        tiers: Vec::new(),
        when: None,
        limit,
    }
}

fn programs(held: Held) -> Vec<ActGuarantee> {
    let (by_path, by_other, by_arguments) = (
        "start a program named by its path, or by name in the usual directories of programs",
        "start any other program (copies, memfd, deleted files)",
        "start a program with forbidden arguments",
    );
    if !held.programs {
        return [by_path, by_other, by_arguments]
            .map(|act| unseen(act, "programs are not seen on this kernel"))
            .into();
    }
    if let Some(tier) = held.denies {
        let refused = "refused before the exec, scripts too, and where the dynamic loader maps it; a script that its \
                       interpreter is given, and a program that is read and copied into memory, count as the program that runs";
        return vec![
            row(by_path, &[tier], When::BeforeAct, refused),
            row(by_other, &[tier], When::BeforeAct, refused),
            row(
                by_arguments,
                &[Tier::Tracepoint],
                When::After,
                "decided in user space: the program has started by then",
            ),
        ];
    }
    let killed = "killed before its first instruction; a script, or a program given to the dynamic loader, counts as its \
                  interpreter";
    vec![
        if held.fanotify {
            row(
                by_path,
                &[Tier::Fanotify, Tier::Tracepoint],
                When::BeforeAct,
                "refused while the daemon is alive; without it, killed before its first instruction",
            )
        } else {
            row(by_path, &[Tier::Tracepoint], When::BeforeUse, killed)
        },
        row(by_other, &[Tier::Tracepoint], When::BeforeUse, killed),
        row(
            by_arguments,
            &[Tier::Tracepoint],
            When::After,
            "decided in user space: the program has started by then",
        ),
    ]
}

fn network(held: Held) -> Vec<ActGuarantee> {
    let connect = "connect or send to an address (TCP, UDP, Fast Open, MPTCP, v4-mapped, io_uring)";
    let raw = "make a raw, ping or other IP socket that needs no connect";
    let passed = "send on a connected socket that was received or inherited";
    if !held.network {
        return [connect, raw, passed]
            .map(|act| unseen(act, "cgroup programs do not work here"))
            .into();
    }
    // What the cgroup hooks refuse, the security hooks have refused before; both are asked.
    let both: Vec<Tier> = held.denies.into_iter().chain([Tier::Cgroup]).collect();
    vec![
        row(
            connect,
            &both,
            When::BeforeAct,
            "refused before a byte leaves; names stand for the addresses that the daemon resolved",
        ),
        row(
            raw,
            &both,
            When::BeforeAct,
            "refused where `default` of [network] is not `allow`, whatever it is for",
        ),
        match held.denies {
            Some(tier) => row(
                passed,
                &[tier],
                When::BeforeAct,
                "answered by what it is connected to, when it is received and when it is sent on",
            ),
            None => unseen(passed, "only the connect would be seen"),
        },
    ]
}

/// What no hook of this version sees.
const UNSEEN: [(&str, &str); 4] = [
    (
        "make a netlink or alg socket",
        "nothing in a scope is about it yet",
    ),
    ("listen, accept", "nothing in a scope is about it yet"),
    (
        "look up a name",
        "queries are not read; names in `allow` are resolved by the daemon, addresses shared with others are reachable too",
    ),
    (
        "have another service start something (systemd-run, docker, cron)",
        "what it starts is outside the session",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Held = Held {
        sessions: true,
        opens: true,
        programs: true,
        io_uring: true,
        network: true,
        fanotify: true,
        arrivals: true,
        denies: None,
        changes: false,
    };
    const DENYING: Held = Held {
        denies: Some(Tier::FmodRet),
        changes: true,
        ..ALL
    };

    #[test]
    fn a_row_is_there_whatever_the_kernel_gives() {
        let rows = |held| acts(held).into_iter().map(|row| row.act).collect::<Vec<_>>();
        let all = rows(ALL);
        for held in [
            Held::default(),
            DENYING,
            Held {
                fanotify: false,
                ..ALL
            },
            Held { opens: false, ..ALL },
            Held {
                io_uring: false,
                ..ALL
            },
            Held {
                network: false,
                programs: false,
                ..ALL
            },
        ] {
            assert_eq!(rows(held), all);
        }
    }

    #[test]
    fn nothing_is_claimed_without_a_mechanism() {
        for held in [
            ALL,
            DENYING,
            Held::default(),
            Held {
                fanotify: false,
                ..ALL
            },
            Held {
                sessions: false,
                ..ALL
            },
        ] {
            for row in acts(held) {
                assert_eq!(row.tiers.is_empty(), row.when.is_none(), "{row:?}");
                for tier in &row.tiers {
                    let there = match tier {
                        Tier::Fanotify => held.fanotify,
                        Tier::Tracepoint => held.opens || held.programs || held.io_uring,
                        Tier::Cgroup => held.network,
                        Tier::Lsm | Tier::FmodRet => held.denies == Some(*tier),
                        Tier::Daemon => false,
                    };
                    assert!(there && held.sessions, "{row:?}");
                }
            }
        }
    }
}
