//! What becomes of acts on files: opens, descriptors from elsewhere, changes to names and attributes.

use super::{
    acts::{ActGuarantee, RACE, row, unseen},
    programs::Held,
};
use crate::scope::words::{Tier, When};

/// The rows about files.
pub(super) fn files(held: Held) -> Vec<ActGuarantee> {
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
    let received = "use a descriptor that the session did not open (SCM_RIGHTS, pidfd_getfd, inherited)";
    let changed = "rename, link, unlink, replace or chmod a guarded thing, or set its extended attributes";
    let truncated = "truncate a guarded file by its path";
    let outside = "remove, rename or link something outside what may be written";
    let by_directory = "only removals, by a descriptor of their directory or by a path to one that the session has opened; they have happened by then";
    let mut rows = Vec::new();
    rows.push(match held.denies {
        Some(tier) if held.fanotify => row(
            received,
            &[tier, Tier::Fanotify],
            When::BeforeAct,
            "refused when it is received; files that a process has open when its session begins are answered then, \
             and `deny` ends it",
        ),
        Some(tier) => row(
            received,
            &[tier],
            When::BeforeAct,
            "refused when it is received; files that a process has open when its session begins are answered then, \
             and `deny` ends it",
        ),
        None if held.fanotify => row(
            received,
            &[Tier::Fanotify],
            When::BeforeAct,
            "reads of guarded files are refused, from Linux 6.14 on only of those opened after their filesystem was marked; \
             writes, mappings, guarded directories and names anywhere are not seen; files that a process has open when its \
             session begins are answered then, and `deny` ends it",
        ),
        None => unseen(
            received,
            "only its open would be seen; files that a process has open when its session begins are answered then",
        ),
    });
    if let Some(tier) = held.denies.filter(|_| held.changes) {
        let refused =
            "refused, with or without the daemon; times that are set alone are answered after the act";
        rows.push(row(changed, &[tier], When::BeforeAct, refused));
        rows.push(row(
            truncated,
            &[tier],
            When::BeforeAct,
            "refused, with or without the daemon",
        ));
        rows.push(row(
            outside,
            &[tier],
            When::BeforeAct,
            "refused; a file that an open makes is there, empty, when its open is refused",
        ));
        return rows;
    }
    rows.push(if held.fanotify {
        row(
            changed,
            &[Tier::Fanotify],
            When::After,
            "it has happened when it is answered, by stopping or killing; names anywhere are not seen",
        )
    } else {
        unseen(changed, "only opens are seen")
    });
    rows.push(unseen(
        truncated,
        "an open that truncates is answered, truncate(2) is not",
    ));
    rows.push(if held.opens {
        row(outside, &[Tier::Tracepoint], When::After, by_directory)
    } else {
        unseen(outside, "the exits of system calls are not seen on this kernel")
    });
    rows
}
