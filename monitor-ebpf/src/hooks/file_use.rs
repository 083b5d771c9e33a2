//! A session uses a file, whichever hook sees it: what it matches, what is answered, what is told.

use scopeward_abi::{
    event::{File, Header, flag, kind, loss},
    policy::{CREDENTIAL, Policy, response},
};

use crate::{
    emit, grant,
    hooks::process,
    identity,
    kernel::{
        file::{self, FMODE_CREATED, FMODE_READ, FMODE_WRITE, Facts},
        offsets::{Address, Memory},
    },
    maps::{POLICIES, SeenKey},
    matching::{self, Hits, Table, known},
    respond::{self, Power},
    scratch::{self, Scratch, bounded},
    session::Actor,
    tighten, verdict,
};

#[repr(C)]
struct OpenEvent {
    header: Header,
    file: File,
}

/// Answers an open of the file at `address`, and returns what was applied. A file that cannot be seen (0, or a read
/// that fails) is answered as guarded, where the policy guards anything.
#[inline(always)]
pub fn used<M: Memory>(actor: &mut Actor, address: Address, power: Power) -> u8 {
    let Some(scratch) = scratch::acquire() else {
        return blind(actor, false, power);
    };
    // SAFETY: written whole by the daemon.
    let policy = unsafe { POLICIES.get(&actor.member.policy) };
    look::<M>(actor, policy, address, scratch);
    let mut applied = response::ALLOW;
    if scratch.facts.f_mode & (FMODE_READ | FMODE_WRITE) != 0 {
        let hook = actor.hook;
        applied = process::opened::<M>(actor, address, scratch.facts.dentry, power);
        actor.hook = hook;
    }
    // What was refused already is not opened.
    if power != Power::Deny || applied < response::DENY {
        applied = answer(actor, policy, scratch, power);
    }
    scratch::release(scratch);
    applied
}

/// Finds what the file matches: into the scratch, so that this frame is gone when it is answered.
#[inline(never)]
fn look<M: Memory>(actor: &Actor, policy: Option<&Policy>, address: Address, scratch: &mut Scratch) {
    scratch.hits = Hits::default();
    scratch.facts = Facts {
        f_mode: FMODE_READ,
        links: 1,
        ..Facts::default()
    };
    let (Some(policy), true) = (policy, address != 0) else {
        scratch.hits.unresolved = 1;
        return;
    };
    let Ok(facts) = file::facts::<M>(address) else {
        scratch.hits.unresolved = 1;
        return;
    };
    scratch.facts = facts;
    if facts.f_mode & (FMODE_READ | FMODE_WRITE) == 0 {
        return;
    }
    let place = if M::CHEAP { file::place::<M>(address) } else { 0 };
    let number = actor.member.policy;
    if place != 0 && known::recall(number, place, scratch) {
        return;
    }
    let table = Table::files(number, policy);
    matching::find(&table, scratch);
    if place != 0 {
        known::keep(number, place, scratch);
    }
}

/// Without working memory: answered as what cannot be resolved, and counted.
#[inline(never)]
pub fn blind(actor: &mut Actor, writes: bool, power: Power) -> u8 {
    emit::lost(actor.hook, loss::SCRATCH);
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return respond::without_policy(actor, power);
    };
    let hits = Hits {
        unresolved: 1,
        ..Hits::default()
    };
    let verdict = verdict::file(actor.member, policy, &hits, true, writes);
    respond::apply(actor, verdict.response, power)
}

/// Decides, acts, and says so.
#[inline(never)]
fn answer(actor: &mut Actor, policy: Option<&Policy>, scratch: &mut Scratch, power: Power) -> u8 {
    let f_mode = scratch.facts.f_mode;
    if f_mode & (FMODE_READ | FMODE_WRITE) == 0 {
        // O_PATH: names a file without using it; the reopen comes by here again.
        return response::ALLOW;
    }
    let Some(policy) = policy else {
        return respond::without_policy(actor, power);
    };
    let (reads, writes) = (f_mode & FMODE_READ != 0, f_mode & FMODE_WRITE != 0);
    let mut verdict = verdict::file(actor.member, policy, &scratch.hits, reads, writes);
    // A rule that allows it says that it is the agent's own.
    let lends = policy.borrowed != 0
        && reads
        && scratch.hits.mask & CREDENTIAL != 0
        && (verdict.entry == 0 || verdict.response > response::ALLOW);
    let how = u64::from(reads) | u64::from(writes) << 1;
    let file = (kind::OPEN, scratch.facts.inode, scratch.facts.dev);
    tighten::hold(actor, policy, &mut verdict, file, how);
    if verdict.response > response::ALLOW && grant::file(actor.member.session, &scratch.facts, reads, writes)
    {
        verdict.response = response::ALLOW;
        actor.flags |= flag::GRANTED;
    }
    if verdict.then != 0 {
        actor.member.then = u32::from(verdict.then);
        actor.member.then_entry = verdict.entry;
    }
    let applied = respond::apply(actor, verdict.response, power);
    if lends && applied <= response::FLAG {
        actor.flags |= flag::LENT;
        identity::lend(actor.member);
    }
    actor.flags |= flags_of(&scratch.facts, &scratch.hits);
    if verdict.sanctioned {
        actor.flags |= flag::SANCTIONED;
    }
    if scratch.hits.unresolved != 0 {
        emit::lost(actor.hook, loss::UNRESOLVED);
    }
    let key = SeenKey {
        session: actor.member.session,
        object: scratch.facts.inode,
        part: scratch.facts.dev,
        what: u32::from(kind::OPEN) << 24
            | actor.flags & (flag::READ | flag::WRITE | flag::SANCTIONED | flag::GRANTED | flag::LENT),
        entry: verdict.entry,
        pad: 0,
    };
    let told = emit::counted(actor, &key, verdict.response);
    respond::brake(actor, power);
    if !told {
        return applied;
    }
    let (dentry, mount) = (scratch.facts.dentry, scratch.facts.mount);
    file::render(dentry, mount, scratch, size_of::<OpenEvent>());
    if scratch.cut != 0 {
        actor.flags |= flag::TRUNCATED;
    }
    let (len, facts) = (scratch.used, scratch.facts);
    // SAFETY: `out` is longer than the event, and starts at the start of an aligned struct. It is filled where it is,
    // because the frames of all calls together have 512 bytes.
    let event = unsafe { &mut *scratch.out.as_mut_ptr().cast::<OpenEvent>() };
    event.header = emit::header(kind::OPEN, actor);
    event.header.called_for = verdict.response;
    event.header.applied = applied;
    event.header.when = power.when();
    event.header.entry = verdict.entry;
    event.header.strings = len as u16;
    event.file.inode = facts.inode;
    event.file.dev = facts.dev;
    event.file.mode = facts.mode;
    emit::send(
        scratch,
        size_of::<OpenEvent>() + bounded::<0xfff>(len as usize),
        actor.hook,
    );
    applied
}

/// What the event says of the file.
#[inline(always)]
fn flags_of(facts: &Facts, hits: &Hits) -> u32 {
    let mut flags = 0;
    if facts.f_mode & FMODE_READ != 0 {
        flags |= flag::READ;
    }
    if facts.f_mode & FMODE_WRITE != 0 {
        flags |= flag::WRITE;
    }
    if facts.f_mode & FMODE_CREATED != 0 {
        flags |= flag::CREATED;
    }
    if facts.links == 0 {
        flags |= flag::DELETED;
    }
    if hits.unresolved != 0 {
        flags |= flag::UNRESOLVED;
    }
    flags
}
