//! Files that a session removed outside what its scope lets it write: a deletion is a write like any other, and the
//! brake stops one that goes on and on.
//!
//! Seen are removals by the descriptor of their directory, which is how whole trees are removed (`rm -r`, `find
//! -delete`, `shutil.rmtree`); the name is relative to it and has no `/`.

use aya_ebpf::helpers::bpf_probe_read_user_str_bytes;
use scopeward_abi::{
    event::{File, Header, flag, kind, when},
    policy::response,
};

use crate::{
    emit,
    kernel::{file, offsets::Address, task},
    maps::POLICIES,
    matching::{self, Table},
    respond::{self, Power},
    scratch::{self, Scratch, bounded},
    session::Actor,
    verdict,
};

#[repr(C)]
struct RemovalEvent {
    header: Header,
    file: File,
}

/// Most bytes of a name that are told; a power of two, less one.
const NAME: u32 = 127;

/// The exit of an `unlinkat` that did not fail: the descriptor of the directory, and the name in the caller's memory.
/// Where the directory cannot be seen, it was closed or replaced by another thread, and nothing is said.
#[inline(always)]
pub fn removed(actor: &mut Actor, dir: u64, name: u64) {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    // `AT_FDCWD` is -100.
    if policy.write_default == 0 || dir as i32 <= 0 {
        return;
    }
    let Ok(address) = task::file(task::current(), dir) else {
        return;
    };
    let Some(scratch) = scratch::acquire() else { return };
    if is_by_default(actor.member.policy, address, scratch) {
        answer(actor, policy.write_default, name, scratch);
    }
    scratch::release(scratch);
}

/// Whether only the default for writing answers for the directory. What a rule names is answered by who guards it; what
/// the scope lists as writable may be removed.
#[inline(never)]
fn is_by_default(number: u32, address: Address, scratch: &mut Scratch) -> bool {
    // SAFETY: written whole by the daemon.
    let (Ok(facts), Some(policy)) = (file::facts(address), unsafe { POLICIES.get(&number) }) else {
        return false;
    };
    scratch.facts = facts;
    let table = Table {
        ns: number,
        flags: policy.flags,
        shape_count: policy.shape_count,
        shapes: &policy.shapes,
    };
    matching::find(&table, scratch);
    scratch.hits.write == 0 && scratch.hits.object_write == 0 && scratch.hits.unresolved == 0
}

/// Answers as the default for writing does, and says so.
#[inline(never)]
fn answer(actor: &mut Actor, entry: u32, name: u64, scratch: &mut Scratch) {
    let verdict = verdict::by_entry(actor.member, entry);
    if verdict.response == response::ALLOW {
        return;
    }
    let applied = respond::apply(actor, verdict.response, Power::Signal);
    let told = emit::counted_apart(actor, entry);
    respond::brake(actor, Power::Signal);
    if !told {
        return;
    }
    let len = place(name, scratch);
    if scratch.cut != 0 {
        actor.flags |= flag::TRUNCATED;
    }
    let dev = scratch.facts.dev;
    // SAFETY: `out` is longer than the event, and starts at the start of an aligned struct. It is filled where it is,
    // because the frames of all calls together have 512 bytes.
    let event = unsafe { &mut *scratch.out.as_mut_ptr().cast::<RemovalEvent>() };
    event.header = emit::header(kind::UNLINK, actor);
    event.header.called_for = verdict.response;
    event.header.applied = applied;
    event.header.when = when::BEFORE_USE;
    event.header.entry = entry;
    event.header.strings = len as u16;
    event.file.inode = 0;
    event.file.dev = dev;
    event.file.mode = 0;
    emit::send(
        scratch,
        size_of::<RemovalEvent>() + bounded::<0xfff>(len as usize),
        actor.hook,
    );
}

/// Renders the path: the name as its first component, then those of the directory. Returns how many bytes.
#[inline(always)]
fn place(name: u64, scratch: &mut Scratch) -> u32 {
    const AT: usize = size_of::<RemovalEvent>();
    let to = &mut scratch.out[AT + 1..AT + 1 + NAME as usize];
    // SAFETY: the helper checks the caller's memory.
    let read = unsafe { bpf_probe_read_user_str_bytes(name as *const u8, to) };
    let len = bounded::<NAME>(read.map_or(0, |name| name.len()));
    scratch.out[AT] = len as u8;
    let (dentry, mount) = (scratch.facts.dentry, scratch.facts.mount);
    file::render(dentry, mount, scratch, AT + 1 + len);
    scratch.used + 1 + len as u32
}
