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
    kernel::{
        file::{self, Facts},
        task,
    },
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
    let Ok(facts) = file::facts(address) else { return };
    let Some(scratch) = scratch::acquire() else { return };
    let table = Table {
        ns: actor.member.policy,
        flags: policy.flags,
        shape_count: policy.shape_count,
        shapes: &policy.shapes,
    };
    let hits = matching::find(&table, &facts, scratch);
    scratch::release();
    // What a rule names is answered by who guards it; what the scope lists as writable may be removed.
    if hits.write == 0 && hits.object_write == 0 && hits.unresolved == 0 {
        answer(actor, &facts, policy.write_default, name);
    }
}

/// Answers as the default for writing does, and says so.
#[inline(never)]
fn answer(actor: &mut Actor, facts: &Facts, entry: u32, name: u64) {
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
    let Some(scratch) = scratch::acquire() else { return };
    let len = place(facts, name, scratch);
    if scratch.cut != 0 {
        actor.flags |= flag::TRUNCATED;
    }
    let mut header = emit::header(kind::UNLINK, actor);
    header.called_for = verdict.response;
    header.applied = applied;
    header.when = when::BEFORE_USE;
    header.entry = entry;
    header.strings = len as u16;
    let event = RemovalEvent {
        header,
        file: File {
            inode: 0,
            dev: facts.dev,
            mode: 0,
        },
    };
    // SAFETY: `out` is longer than the event.
    unsafe { core::ptr::write_unaligned(scratch.out.as_mut_ptr().cast(), event) };
    emit::send(
        scratch,
        size_of::<RemovalEvent>() + bounded::<0xfff>(len as usize),
        actor.hook,
    );
    scratch::release();
}

/// Renders the path: the name as its first component, then those of the directory. Returns how many bytes.
#[inline(always)]
fn place(facts: &Facts, name: u64, scratch: &mut Scratch) -> u32 {
    const AT: usize = size_of::<RemovalEvent>();
    let to = &mut scratch.out[AT + 1..AT + 1 + NAME as usize];
    // SAFETY: the helper checks the caller's memory.
    let read = unsafe { bpf_probe_read_user_str_bytes(name as *const u8, to) };
    let len = bounded::<NAME>(read.map_or(0, |name| name.len()));
    scratch.out[AT] = len as u8;
    file::render(facts.dentry, facts.mount, scratch, AT + 1 + len);
    scratch.used + 1 + len as u32
}
