//! The tiers that deny files, programs and sockets before the act: which one is used, and why not another.

use super::{fact::Fact, host::Security};
use crate::scope::words::Tier;

/// What was tried of each tier when the programs were loaded: `used` refused every act of an own child.
pub(super) fn facts(used: Option<Tier>, why: &[(Tier, String)], security: &Security) -> Vec<Fact> {
    [(Tier::Lsm, "tier lsm"), (Tier::FmodRet, "tier fmod_ret")]
        .into_iter()
        .map(|(tier, what)| {
            if used == Some(tier) {
                return Fact::ok(
                    what,
                    "an own child was refused an open, a program, a connect, a send and a socket before the act",
                );
            }
            match why.iter().find(|(of, _)| *of == tier) {
                Some((_, reason)) => Fact::missing(what, reason).with(change(tier, reason, security)),
                None => Fact::ok(what, "not needed: the stronger tier is used"),
            }
        })
        .collect()
}

/// What a refusal asks for.
fn change(tier: Tier, reason: &str, security: &Security) -> String {
    match &security.lsms {
        Some(list) if tier == Tier::Lsm && !security.has_bpf() && reason.contains("never run") => {
            format!("boot parameter lsm={list},bpf")
        }
        // It was tried with every capability, so "not permitted" is the kernel's own doing.
        _ if reason.contains("not permitted") => {
            "another kernel: this one does not let even root load such programs (some guest kernels are built so)"
                .to_owned()
        }
        _ if reason.contains("never run") && security.untraced => {
            "sysctl kernel.ftrace_enabled=1, and start the daemon again".to_owned()
        }
        _ if tier == Tier::Lsm => "a kernel built with CONFIG_BPF_LSM=y and CONFIG_DEBUG_INFO_BTF=y".to_owned(),
        _ => "a kernel with BPF trampolines (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y, CONFIG_BPF_JIT=y)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::probe::State;

    #[test]
    fn a_tier_that_is_not_used_has_its_reason_and_its_change() {
        let security = Security::with_list("capability,landlock");
        let why = [(Tier::Lsm, "programs load and attach, and never run".to_owned())];
        let [lsm, fmod_ret] = facts(Some(Tier::FmodRet), &why, &security).try_into().unwrap();
        assert_eq!((lsm.state, fmod_ret.state), (State::Missing, State::Ok));
        assert_eq!(
            lsm.change.as_deref(),
            Some("boot parameter lsm=capability,landlock,bpf")
        );
        let [lsm, fmod_ret] = facts(Some(Tier::Lsm), &[], &security).try_into().unwrap();
        assert_eq!((lsm.state, fmod_ret.state), (State::Ok, State::Ok));
        let why = [Tier::Lsm, Tier::FmodRet]
            .map(|tier| (tier, "programs load and attach, and never run".to_owned()));
        let mut untraced = Security::with_list("capability,bpf");
        untraced.untraced = true;
        let found = facts(None, &why, &untraced);
        assert!(found.iter().all(|fact| {
            fact.change
                .as_deref()
                .is_some_and(|change| change.contains("ftrace_enabled=1"))
        }));
        let refused = "this kernel refuses such programs: Operation not permitted (os error 1)".to_owned();
        let why = [(Tier::Lsm, refused.clone()), (Tier::FmodRet, refused)];
        let found = facts(None, &why, &security);
        assert!(
            found
                .iter()
                .all(|fact| fact.state == State::Missing && fact.change.is_some())
        );
    }
}
