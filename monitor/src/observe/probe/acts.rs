//! What becomes of each kind of act on this host, with this version: the rows of kernel.md's table of hooks, held
//! against what `monitor-ebpf/src/hooks` and the fanotify tier really do.

use super::{outsiders, programs::Held};
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
    acts.extend(files(held));
    acts.extend(network(held));
    acts.extend(outsiders::services(held));
    acts.extend(outsiders::others(held));
    acts.extend(UNSEEN.map(|(act, limit)| unseen(act, limit)));
    acts
}

const RACE: &str = "killed before it returns to user space; another thread, or a process that shares its descriptors, \
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
        let refused = "refused before the exec, scripts too; a program given to the dynamic loader counts as the loader";
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

fn files(held: Held) -> Vec<ActGuarantee> {
    let open = "open a guarded file, or one in a guarded directory";
    let map = "map a guarded file";
    let mapped = "answered at its open; a mapping of a descriptor that the session did not open is not seen";
    let by_name = "open a file guarded by a name anywhere (**/.env, *.pem)";
    let uring = "open a guarded file by io_uring";
    if let Some(tier) = held.denies {
        let refused = "refused, with or without the daemon";
        let mut rows = vec![
            row(open, &[tier], When::BeforeAct, refused),
            row(by_name, &[tier], When::BeforeAct, refused),
            row(uring, &[tier], When::BeforeAct, refused),
            row(map, &[tier], When::BeforeAct, mapped),
        ];
        rows.extend(changes(held));
        return rows;
    }
    let mut rows = match (held.fanotify, held.opens) {
        (true, true) => {
            let both = [Tier::Fanotify, Tier::Tracepoint];
            vec![
                row(
                    open,
                    &both,
                    When::BeforeAct,
                    "refused while the daemon is alive; without it, killed before it returns to user space",
                ),
                row(map, &both, When::BeforeAct, mapped),
            ]
        }
        (true, false) => vec![
            row(
                open,
                &[Tier::Fanotify],
                When::BeforeAct,
                "refused while the daemon is alive; without it, not seen",
            ),
            row(map, &[Tier::Fanotify], When::BeforeAct, mapped),
        ],
        (false, true) => vec![
            row(open, &[Tier::Tracepoint], When::BeforeUse, RACE),
            row(map, &[Tier::Tracepoint], When::BeforeUse, mapped),
        ],
        (false, false) => [open, map]
            .map(|act| unseen(act, "opens are not seen on this kernel"))
            .into(),
    };
    rows.insert(
        1,
        if held.opens {
            row(by_name, &[Tier::Tracepoint], When::BeforeUse, RACE)
        } else {
            unseen(by_name, "no mark can stand for a name anywhere")
        },
    );
    rows.insert(2, match (held.io_uring, held.fanotify) {
        (true, true) => row(
            uring,
            &[Tier::Fanotify, Tier::Tracepoint],
            When::BeforeUse,
            "files and directories are refused as by any other open; names anywhere: killed when it completes, and \
             another thread could be faster",
        ),
        (true, false) => row(uring, &[Tier::Tracepoint], When::BeforeUse, "killed when it completes; another thread could be faster"),
        (false, true) => row(uring, &[Tier::Fanotify], When::BeforeAct, "files and directories alone; names anywhere are not seen"),
        (false, false) => unseen(uring, "the arguments of its tracepoint are others on this kernel"),
    });
    rows.extend(changes(held));
    rows
}

fn changes(held: Held) -> Vec<ActGuarantee> {
    let mut rows = Vec::new();
    let received = "use a descriptor that the session did not open (inherited, SCM_RIGHTS, pidfd_getfd)";
    let changed = "rename, link, unlink or chmod a guarded thing";
    if held.fanotify {
        rows.push(row(
            received,
            &[Tier::Fanotify],
            When::BeforeAct,
            "reads of guarded files are refused, from Linux 6.14 on only of those opened after their filesystem was marked; \
             writes, mappings, guarded directories and names anywhere are not seen",
        ));
        rows.push(row(
            changed,
            &[Tier::Fanotify],
            When::After,
            "it has happened when it is answered, by stopping or killing; names anywhere are not seen",
        ));
    } else {
        rows.push(unseen(received, "only its open would be seen"));
        rows.push(unseen(changed, "only opens are seen"));
    }
    rows.push(unseen(
        "truncate a guarded file by its path",
        "an open that truncates is answered, truncate(2) is not",
    ));
    rows
}

fn network(held: Held) -> Vec<ActGuarantee> {
    let connect = "connect or send to an address (TCP, UDP, Fast Open, MPTCP, v4-mapped, io_uring)";
    let raw = "make a raw, ping or other IP socket that needs no connect";
    if !held.network {
        return [connect, raw]
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
    ]
}

/// What no hook of this version sees.
const UNSEEN: [(&str, &str); 5] = [
    (
        "make a netlink or alg socket",
        "nothing in a scope is about it yet",
    ),
    (
        "send on a connected socket that was received or inherited",
        "only the connect would be seen",
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
    };
    const DENYING: Held = Held {
        denies: Some(Tier::FmodRet),
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
