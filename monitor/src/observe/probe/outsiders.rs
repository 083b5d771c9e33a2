//! What becomes of acts on services, on other processes and on the session's own place.

use super::{
    acts::{ActGuarantee, row, unseen},
    programs::Held,
};
use crate::scope::words::{Tier, When};

const UNSEEN: &str = "the exits of system calls are not seen on this kernel";
const KILLED: &str =
    "killed before it returns to user space; another of its threads could have used it in the meantime";

/// Unix sockets.
pub(super) fn services(held: Held) -> Vec<ActGuarantee> {
    let (connect, send, odd) = (
        "connect to a unix socket, by path or abstract name",
        "send a datagram to a unix socket, or on a connection to one that the session did not make",
        "make a packet, vsock or other socket that is none of IP",
    );
    if let Some(tier) = held.denies {
        return vec![
            row(
                connect,
                &[tier],
                When::BeforeAct,
                "refused, by what the socket is bound to, whatever name it was given",
            ),
            row(
                send,
                &[tier],
                When::BeforeAct,
                "refused; before Linux 6.5, splice and sendfile to a stream that was received are not seen",
            ),
            row(
                odd,
                &[tier],
                When::BeforeAct,
                "refused where `default` of [network] is not `allow`",
            ),
        ];
    }
    if !held.opens {
        return [connect, send, odd].map(|act| unseen(act, UNSEEN)).into();
    }
    vec![
        row(
            connect,
            &[Tier::Tracepoint],
            When::BeforeUse,
            "killed before it returns to user space; another thread could have sent in the meantime",
        ),
        if held.arrivals {
            row(
                send,
                &[Tier::Tracepoint],
                When::After,
                "what was sent has arrived when the sender is killed",
            )
        } else {
            unseen(
                send,
                "this kernel has no tracepoint for what arrives at a socket (6.3 or later)",
            )
        },
        row(odd, &[Tier::Tracepoint], When::BeforeUse, KILLED),
    ]
}

/// An act, when a tracepoint answers it and what that leaves open, and what is left open where it is refused.
const ACTS: [(&str, When, &str, &str); 7] = [
    (
        "ptrace, memory or /proc secrets of others",
        When::BeforeUse,
        KILLED,
        "refused; tools that list processes are not",
    ),
    (
        "signal processes outside the session",
        When::After,
        "the signal is there when its sender is killed",
        "refused, of `kill -1` for each process; a signal that a descriptor's owner is sent (F_SETOWN) is not seen",
    ),
    (
        "mount, pivot_root, chroot, user namespaces",
        When::BeforeUse,
        "killed before it returns to user space; what is guarded stays guarded under any mount",
        "refused; what is guarded stays guarded under any mount",
    ),
    (
        "move to another cgroup or namespace",
        When::BeforeUse,
        "killed before it returns to user space; membership follows the process tree, and stays",
        "refused, cgroups as their files are opened to write; by one that was open before, killed before it returns; \
         membership follows the process tree, and stays",
    ),
    (
        "trace the monitor, or find its programs and maps through bpf",
        When::BeforeUse,
        "killed before it returns to user space, whatever the scope says",
        "refused, whatever the scope says",
    ),
    (
        "write to what holds the session (scopes, settings, state, units, pins)",
        When::BeforeUse,
        "killed before it returns to user space, whatever the scope says; an open that truncates has done so, and removals and \
         renames by an agent that is root are not seen",
        "refused, whatever the scope says",
    ),
    (
        "signal the monitor",
        When::After,
        "the sender is killed, but the signal is there; the programs stay, and hold the sessions until the monitor is back",
        "refused, whatever the scope says",
    ),
];

/// Other processes, and ways out.
pub(super) fn others(held: Held) -> Vec<ActGuarantee> {
    ACTS.map(|(act, when, limit, refused)| match held.denies {
        Some(tier) => row(act, &[tier], When::BeforeAct, refused),
        None if held.opens => row(act, &[Tier::Tracepoint], when, limit),
        None => unseen(act, UNSEEN),
    })
    .into()
}
