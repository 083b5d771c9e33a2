//! What the running kernel can decide, and when, for each kind of rule.

use super::words::{Tier, When};

/// The mechanism that decides, and when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarantee {
    /// Which mechanism.
    pub tier: Tier,
    /// Relative to the act.
    pub when: When,
}

impl Guarantee {
    /// Both at once.
    #[must_use]
    pub const fn new(tier: Tier, when: When) -> Self {
        Self { tier, when }
    }
}

/// What this host decides. `None`: nothing decides it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Paths, trees and names in one directory: objects that can be marked.
    pub file_objects: Option<Guarantee>,
    /// Names and attributes of what is guarded: rename, link, unlink, truncate, chmod.
    pub file_changes: Option<Guarantee>,
    /// Name patterns anywhere, or at any depth.
    pub file_names: Option<Guarantee>,
    /// Programs by path.
    pub exec: Option<Guarantee>,
    /// Programs by arguments.
    pub exec_argv: Option<Guarantee>,
    /// Addresses and ports.
    pub network: Option<Guarantee>,
    /// Are names held in the kernel, by the answers that the agent itself gets?
    pub names_in_kernel: bool,
    /// `then-to` of a sanctioned use.
    pub then_to: Option<Guarantee>,
    /// Unix sockets.
    pub sockets: Option<Guarantee>,
    /// `processes.trace`.
    pub trace: Option<Guarantee>,
    /// `processes.signal`.
    pub signal: Option<Guarantee>,
    /// `session.requested-start`.
    pub requested_start: Option<Guarantee>,
    /// `session.leave`.
    pub leave: Option<Guarantee>,
    /// `session.mount`.
    pub mount: Option<Guarantee>,
}

impl Capabilities {
    /// The tiers that every supported kernel gives: tracepoints and cgroup programs, with fanotify where `fanotify`.
    #[must_use]
    pub const fn tracepoint(fanotify: bool) -> Self {
        let before_use = Some(Guarantee::new(Tier::Tracepoint, When::BeforeUse));
        let objects = if fanotify {
            Some(Guarantee::new(Tier::Fanotify, When::BeforeAct))
        } else {
            before_use
        };
        Self {
            file_objects: objects,
            file_changes: if fanotify {
                Some(Guarantee::new(Tier::Fanotify, When::After))
            } else {
                None
            },
            file_names: before_use,
            exec: before_use,
            exec_argv: Some(Guarantee::new(Tier::Tracepoint, When::After)),
            network: Some(Guarantee::new(Tier::Cgroup, When::BeforeAct)),
            names_in_kernel: false,
            then_to: Some(Guarantee::new(Tier::Cgroup, When::BeforeAct)),
            sockets: before_use,
            trace: before_use,
            signal: Some(Guarantee::new(Tier::Tracepoint, When::After)),
            requested_start: None,
            leave: before_use,
            mount: before_use,
        }
    }

    /// Where `tier` (`lsm` or `fmod_ret`) refuses opens, programs, and acts on sockets and processes before they happen.
    #[must_use]
    pub const fn denying(tier: Tier, fanotify: bool) -> Self {
        let before_act = Some(Guarantee::new(tier, When::BeforeAct));
        Self {
            file_objects: before_act,
            file_names: before_act,
            exec: before_act,
            sockets: before_act,
            trace: before_act,
            signal: before_act,
            leave: before_act,
            mount: before_act,
            ..Self::tracepoint(fanotify)
        }
    }

    /// Nothing is known about the host: no warnings about it.
    #[must_use]
    pub const fn everything() -> Self {
        let all = Some(Guarantee::new(Tier::Lsm, When::BeforeAct));
        Self {
            file_objects: all,
            file_changes: all,
            file_names: all,
            exec: all,
            exec_argv: all,
            network: all,
            names_in_kernel: true,
            then_to: all,
            sockets: all,
            trace: all,
            signal: all,
            requested_start: all,
            leave: all,
            mount: all,
        }
    }
}
