//! A program that is mapped to be run without being executed: given to the dynamic loader, or loaded by hand.

use scopeward_abi::{
    event::{flag, kind, loss},
    policy::response,
};

use crate::{
    emit,
    hooks::{
        change::{self, Decided, Ends, NOWHERE, Place},
        exec,
    },
    kernel::{
        file::{self, Facts},
        offsets::{Address, Typed, of, read},
        task,
    },
    maps::{POLICIES, SeenKey},
    matching::{self, Table},
    respond::{self, Power},
    scratch::{self, Scratch},
    session::Actor,
    verdict,
};

/// Answers a mapping of a file that can be run, and returns what was applied. Only rules that name the program answer: a
/// library is in none, and its open was answered.
#[inline(always)]
pub fn executable(actor: &mut Actor, address: Address) -> u8 {
    let Ok(facts) = file::facts::<Typed>(address) else {
        // Its open was answered, and so is every use that reads it.
        return response::ALLOW;
    };
    if is_running(&facts) {
        // Answered when it was executed.
        return response::ALLOW;
    }
    let Some(scratch) = scratch::acquire() else {
        return exec::blind_to(actor, Power::Deny);
    };
    scratch.facts = facts;
    let applied = answer(actor, scratch);
    scratch::release(scratch);
    applied
}

/// Whether this is the program that the process runs.
#[inline(always)]
fn is_running(facts: &Facts) -> bool {
    let program = read::<Address>(task::current(), of::TASK_MM())
        .and_then(|mm| read::<Address>(mm, of::MM_EXE()))
        .and_then(|exe| read::<Address>(exe, of::FILE_INODE()));
    let Ok(inode) = program else { return false };
    let sb = read::<Address>(inode, of::INODE_SB()).and_then(|sb| read::<u32>(sb, of::SB_DEV()));
    read::<u64>(inode, of::INODE_INO()) == Ok(facts.inode) && sb == Ok(facts.dev)
}

#[inline(never)]
fn answer(actor: &mut Actor, scratch: &mut Scratch) -> u8 {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, Power::Deny);
    };
    let programs = Table::programs(actor.member.policy, policy);
    matching::find(&programs, scratch);
    if scratch.hits.unresolved != 0 {
        emit::lost(actor.hook, loss::UNRESOLVED);
        actor.flags |= flag::UNRESOLVED;
    } else if scratch.hits.read == 0 && scratch.hits.object_read == 0 {
        return response::ALLOW;
    }
    // As if it were executed.
    scratch.member = *actor.member;
    scratch.member.lineage |= scratch.member.labels;
    scratch.member.labels = scratch.hits.mask;
    let mut verdict = verdict::exec(&scratch.member, &scratch.hits, 0, policy.exec_fail);
    exec::approve(actor, scratch, &mut verdict, true, true);
    if verdict.response == response::ALLOW && actor.flags & flag::GRANTED == 0 {
        return response::ALLOW;
    }
    let applied = respond::apply(actor, verdict.response, Power::Deny);
    let key = SeenKey {
        session: actor.member.session,
        object: scratch.facts.inode,
        part: scratch.facts.dev,
        what: u32::from(kind::MAP) << 24 | actor.flags & flag::GRANTED,
        entry: verdict.entry,
        pad: 0,
    };
    let told = emit::counted(actor, &key, verdict.response);
    respond::brake(actor, Power::Deny);
    if told {
        let ends = Ends {
            from: Place {
                dentry: scratch.facts.dentry,
                mount: scratch.facts.mount,
            },
            to: NOWHERE,
        };
        let what = u32::from(kind::MAP) | u32::from(applied) << 8;
        scratch.decided = Decided::of(verdict, &scratch.facts);
        change::tell(actor, &ends, what, scratch);
    }
    applied
}
