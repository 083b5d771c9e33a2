//! A session changes names or attributes of files: asked before it does, so that a refused change leaves nothing behind.

use scopeward_abi::{
    event::{File, Header, flag, kind, loss},
    policy::response,
};

use crate::{
    emit, grant,
    hooks::file_use,
    kernel::{
        file::{self, Facts},
        offsets::Address,
    },
    maps::{POLICIES, SeenKey},
    matching::{self, Hits, Table},
    respond::{self, Power},
    scratch::{self, Scratch, bounded, repeat},
    session::Actor,
    verdict::{self, Verdict},
};

#[repr(C)]
struct ChangeEvent {
    header: Header,
    file: File,
}

/// A name in the tree of files.
#[derive(Clone, Copy)]
pub struct Place {
    /// Its dentry; 0 for none.
    pub dentry: Address,
    /// Its `vfsmount`; 0 where it is not known, and then the event has no path.
    pub mount: Address,
}

/// The name that is changed, and the name that there is to be afterwards.
pub struct Ends {
    /// What is changed.
    pub from: Place,
    /// What there is to be.
    pub to: Place,
}

/// The other end of a change that has none.
pub const NOWHERE: Place = Place { dentry: 0, mount: 0 };

/// How an end is used, besides being written: bits above an event's kind, those of the other end 8 bits further up.
pub mod how {
    /// What is there gets another name, under which it can be read.
    pub const READS: u32 = 1 << 8;
    /// Only a rule that names it answers, not the default.
    pub const RULES: u32 = 1 << 9;
    /// Shift of the bits of the other end.
    pub const TO: u32 = 8;
}

/// Answers a change, and returns what was applied. `what`: the event's kind, and bits of [`how`].
#[inline(never)]
pub fn asked(actor: &mut Actor, ends: &Ends, what: u32) -> u8 {
    let Some(scratch) = scratch::acquire() else {
        return file_use::blind(actor, true, Power::Deny);
    };
    scratch.decided = Decided::NOTHING;
    end(actor, &ends.from, what, scratch);
    let applied = answer(actor, ends, what, scratch);
    scratch::release(scratch);
    applied
}

/// The same for a change with two ends.
#[inline(never)]
pub fn asked_both(actor: &mut Actor, ends: &Ends, what: u32) -> u8 {
    let Some(scratch) = scratch::acquire() else {
        return file_use::blind(actor, true, Power::Deny);
    };
    scratch.decided = Decided::NOTHING;
    // From memory, the verifier takes both ends for one.
    scratch.ends = [
        (ends.from.dentry, ends.from.mount, u64::from(what)),
        (ends.to.dentry, ends.to.mount, u64::from(what >> how::TO)),
    ];
    let mut both = Both { actor, scratch };
    // It looks at the step once, where it would follow each way through the first end into the second.
    repeat(2, either_end, &mut both);
    let Both { actor, scratch } = both;
    let applied = answer(actor, ends, what, scratch);
    scratch::release(scratch);
    applied
}

/// What the steps over both ends share.
struct Both<'b> {
    actor: &'b mut Actor,
    scratch: &'b mut Scratch,
}

/// The first end, then the other.
unsafe extern "C" fn either_end(index: u32, both: *mut Both<'_>) -> i64 {
    // SAFETY: `repeat` passes what `asked_both` borrows; `bounded` holds the index below the length of the array.
    let (both, (dentry, mount, what)) = unsafe {
        let both = &mut *both;
        let end = *both.scratch.ends.get_unchecked(bounded::<1>(index as usize));
        (both, end)
    };
    decide(both.actor, &Place { dentry, mount }, what as u32, both.scratch);
    0
}

/// The stronger answer of the ends so far, and what it is about. In the scratch, because the frames of all calls together
/// have 512 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Decided {
    verdict: Verdict,
    dev: u32,
    inode: u64,
    /// The dentry; 0 before the first end.
    dentry: Address,
}

impl Decided {
    /// One that was made elsewhere.
    #[inline(always)]
    pub const fn of(verdict: Verdict, facts: &Facts) -> Self {
        Self {
            verdict,
            dev: facts.dev,
            inode: facts.inode,
            dentry: facts.dentry,
        }
    }

    const NOTHING: Self = Self {
        verdict: Verdict::ALLOW,
        dev: 0,
        inode: 0,
        dentry: 0,
    };
}

/// Decides the only end.
#[inline(never)]
fn end(actor: &mut Actor, place: &Place, what: u32, scratch: &mut Scratch) {
    decide(actor, place, what, scratch);
}

/// Decides one end. One that cannot be seen is answered as guarded.
#[inline(always)]
fn decide(actor: &mut Actor, place: &Place, what: u32, scratch: &mut Scratch) {
    scratch.hits = Hits::default();
    scratch.facts = Facts::default();
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        emit::lost(actor.hook, loss::UNRESOLVED);
        scratch.decided = Decided::of(verdict::LOST, &scratch.facts);
        scratch.decided.dentry = place.dentry;
        return;
    };
    if file::is_internal(place.mount) {
        return;
    }
    if let Ok(facts) = file::placed(place.dentry, place.mount) {
        scratch.facts = facts;
        let table = Table::files(actor.member.policy, policy);
        matching::find(&table, scratch);
    } else {
        scratch.hits.unresolved = 1;
    }
    if scratch.hits.unresolved != 0 {
        emit::lost(actor.hook, loss::UNRESOLVED);
        actor.flags |= flag::UNRESOLVED;
    } else if what & how::RULES != 0 && scratch.hits.write == 0 && scratch.hits.object_write == 0 {
        return;
    }
    let reads = what & how::READS != 0;
    let mut verdict = verdict::file(actor.member, policy, &scratch.hits, reads, true);
    if verdict.response > response::ALLOW && grant::file(actor.member.session, &scratch.facts, reads, true) {
        verdict.response = response::ALLOW;
        actor.flags |= flag::GRANTED;
    }
    if scratch.decided.dentry == 0 || verdict.response > scratch.decided.verdict.response {
        scratch.decided = Decided::of(verdict, &scratch.facts);
        scratch.decided.dentry = place.dentry;
    }
}

/// Acts on what was decided.
#[inline(never)]
fn answer(actor: &mut Actor, ends: &Ends, what: u32, scratch: &mut Scratch) -> u8 {
    let Decided {
        verdict,
        dev,
        mut inode,
        dentry,
    } = scratch.decided;
    if verdict.response > response::ALLOW {
        actor.flags &= !flag::GRANTED;
    } else if actor.flags & flag::GRANTED == 0 {
        return response::ALLOW;
    }
    let applied = respond::apply(actor, verdict.response, Power::Deny);
    if inode == 0 {
        // A name that nothing has: its directory stands for it.
        inode = file::parent(dentry).and_then(file::inode_of).unwrap_or(0);
    }
    let key = SeenKey {
        session: actor.member.session,
        object: inode,
        part: dev,
        what: (what & 0xff) << 24 | actor.flags & (flag::GRANTED | flag::CREATED),
        entry: verdict.entry,
        pad: 0,
    };
    let told = emit::counted(actor, &key, verdict.response);
    respond::brake(actor, Power::Deny);
    if told {
        tell(actor, ends, what & 0xff | u32::from(applied) << 8, scratch);
    }
    applied
}

/// Says so: the path, and behind one byte 0 the other one. `what`: the event's kind, and what was applied 8 bits further up.
#[inline(never)]
pub fn tell(actor: &mut Actor, ends: &Ends, what: u32, scratch: &mut Scratch) {
    const AT: usize = size_of::<ChangeEvent>();
    file::render(ends.from.dentry, ends.from.mount, scratch, AT);
    let mut cut = scratch.cut;
    let mut len = bounded::<0xfff>(scratch.used as usize);
    if ends.to.dentry != 0 {
        // SAFETY: `len` is less than half of `out`.
        unsafe { *scratch.out.as_mut_ptr().add(AT + len) = 0 };
        len += 1;
        file::render(ends.to.dentry, ends.to.mount, scratch, AT + len);
        cut |= scratch.cut;
        len += bounded::<0xfff>(scratch.used as usize);
    }
    if cut != 0 {
        actor.flags |= flag::TRUNCATED;
    }
    let decided = scratch.decided;
    // SAFETY: `out` is longer than the event, and starts at the start of an aligned struct. It is filled where it is,
    // because the frames of all calls together have 512 bytes.
    let event = unsafe { &mut *scratch.out.as_mut_ptr().cast::<ChangeEvent>() };
    event.header = emit::header(what as u8, actor);
    event.header.called_for = decided.verdict.response;
    event.header.applied = (what >> 8) as u8;
    event.header.when = Power::Deny.when();
    event.header.entry = decided.verdict.entry;
    event.header.strings = len as u16;
    event.file.inode = decided.inode;
    event.file.dev = decided.dev;
    event.file.mode = 0;
    emit::send(scratch, AT + bounded::<0x1fff>(len), actor.hook);
}

/// A file that is made: told as the open that makes it.
pub const CREATED: u32 = kind::OPEN as u32;
