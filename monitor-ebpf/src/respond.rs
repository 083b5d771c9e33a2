//! Deny, kill, stop; the one place that acts.

use aya_ebpf::helpers::generated::bpf_send_signal;
use scopeward_abi::{
    event::{flag as event_flag, loss, when},
    member::{flag, mode, state},
    policy::response,
};

use crate::emit::lost;
use crate::maps::POLICIES;
use crate::session::Actor;
use crate::verdict;

const SIGKILL: u32 = 9;
const SIGSTOP: u32 = 19;

/// What a hook can do before the process goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Only signals: a refused act can only be kept from being used by ending the process.
    Signal,
    /// The act can be refused, and signals are left to the system call's exit.
    Refuse,
    /// The act can be refused, and signals sent.
    Deny,
}

impl Power {
    /// When the answer comes: `when::*`.
    #[inline(always)]
    pub const fn when(self) -> u8 {
        match self {
            Self::Signal => when::BEFORE_USE,
            Self::Refuse | Self::Deny => when::BEFORE_ACT,
        }
    }
}

/// Applies what the scope called for to the running process, and says what was applied.
#[inline(always)]
pub fn apply(actor: &mut Actor, called_for: u8, power: Power) -> u8 {
    if called_for <= response::FLAG {
        return called_for;
    }
    if actor.session.mode == mode::OBSERVE {
        return response::FLAG;
    }
    match power {
        Power::Signal => {
            if called_for == response::FREEZE {
                actor.session.state = state::FROZEN;
                signal(SIGSTOP, actor.hook);
                response::FREEZE
            } else {
                signal(SIGKILL, actor.hook);
                response::KILL
            }
        }
        Power::Refuse => {
            if called_for == response::FREEZE {
                actor.session.state = state::FROZEN;
                actor.member.flags |= flag::HELD;
            } else if called_for == response::KILL {
                actor.member.flags |= flag::DOOMED;
            }
            called_for
        }
        Power::Deny => {
            if called_for == response::FREEZE {
                actor.session.state = state::FROZEN;
                signal(SIGSTOP, actor.hook);
            } else if called_for == response::KILL {
                signal(SIGKILL, actor.hook);
            }
            called_for
        }
    }
}

/// Stops the session of an act with which the brake's limit was reached ([`event_flag::BRAKED`]).
#[inline(always)]
pub fn brake(actor: &mut Actor, power: Power) {
    if actor.flags & event_flag::BRAKED == 0 {
        return;
    }
    // SAFETY: written whole by the daemon.
    let kills = unsafe { POLICIES.get(&actor.member.policy) }
        .is_some_and(|policy| policy.brake_response == u32::from(response::KILL));
    actor.session.state = if kills { state::KILLED } else { state::FROZEN };
    match (power, kills) {
        (Power::Signal | Power::Deny, true) => signal(SIGKILL, actor.hook),
        (Power::Signal | Power::Deny, false) => signal(SIGSTOP, actor.hook),
        (Power::Refuse, true) => actor.member.flags |= flag::DOOMED,
        (Power::Refuse, false) => actor.member.flags |= flag::HELD,
    }
}

/// Signals that earlier hooks left to this one, and processes of sessions that are frozen or to die. Says whether the
/// process dies.
#[inline(always)]
pub fn settle(actor: &mut Actor) -> bool {
    if actor.member.flags & flag::DOOMED != 0 || actor.session.state == state::KILLED {
        signal(SIGKILL, actor.hook);
        return true;
    }
    if actor.session.state == state::FROZEN {
        actor.member.flags &= !flag::HELD;
        signal(SIGSTOP, actor.hook);
    }
    false
}

/// Answers an act of a session whose policy is not there, and counts it.
#[inline(never)]
pub fn without_policy(actor: &mut Actor, power: Power) -> u8 {
    lost(actor.hook, loss::UNRESOLVED);
    apply(actor, verdict::LOST.response, power)
}

/// A process whose session is not there is in nobody's scope: it ends, and is counted.
#[inline(never)]
pub fn without_session(hook: u8) {
    lost(hook, loss::UNRESOLVED);
    signal(SIGKILL, hook);
}

/// Ends the running process.
#[inline(always)]
pub fn kill(hook: u8) {
    signal(SIGKILL, hook);
}

#[inline(always)]
fn signal(number: u32, hook: u8) {
    // SAFETY: the helper signals the running task's own process.
    if unsafe { bpf_send_signal(number) } != 0 {
        lost(hook, loss::SIGNAL);
    }
}
