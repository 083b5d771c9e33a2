//! Files that a session removed outside what its scope lets it write: a deletion is a write like any other, and the
//! brake stops one that goes on and on.
//!
//! A removal by the descriptor of its directory (`rm -r`, `find -delete`, `shutil.rmtree`), or in the working directory, is
//! judged by that directory. One by a path through other directories (`git clean`, `rimraf`) is judged by what was seen
//! when the session opened that directory to list it, under the same text: nobody removes a tree without listing it. What
//! no process of the session has listed is not seen.

use aya_ebpf::helpers::{bpf_probe_read_user_str_bytes, generated::bpf_probe_read_user_str};
use scopeward_abi::{
    event::{File, Header, flag, kind, loss, when},
    hash,
    policy::response,
};

use crate::{
    emit,
    kernel::{
        file::{self, Facts},
        offsets::{Address, Probed, of, read as read_field},
        task,
    },
    maps::{PLACES, POLICIES, PlaceKey},
    matching::{self, Hits, Table},
    respond::{self, Power},
    scratch::{self, Scratch, bounded, repeat},
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

/// `AT_FDCWD`: relative to the working directory.
pub const AT_FDCWD: u64 = -100_i64 as u64;

/// The exit of an `unlinkat` that did not fail: the descriptor of the directory, and the name in the caller's memory.
/// Where the directory cannot be seen, it was closed or replaced by another thread, and the default answers.
#[inline(always)]
pub fn removed(actor: &mut Actor, dir: u64, name: u64) {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    if policy.write_default == 0 || (dir as i32 <= 0 && dir as i32 != AT_FDCWD as i32) {
        return;
    }
    let Some(scratch) = scratch::acquire() else {
        blind(actor, policy.write_default);
        return;
    };
    scratch.hits = Hits::default();
    if dir as i32 != AT_FDCWD as i32 {
        let seen = task::file(task::current(), dir).is_ok_and(|address| look(address, scratch));
        if !seen {
            scratch.facts = Facts::default();
            scratch.hits.unresolved = 1;
        }
        if !seen || is_by_default(actor.member.policy, scratch) {
            answer(actor, policy.write_default, name, scratch);
        }
    } else if by_path(actor, name, scratch) {
        answer(
            actor,
            policy.write_default,
            name + u64::from(scratch.facts.dentry == 0),
            scratch,
        );
    }
    scratch::release(scratch);
}

/// Without working memory: answered as the default for writing does, and counted.
#[inline(never)]
fn blind(actor: &mut Actor, entry: u32) {
    emit::lost(actor.hook, loss::SCRATCH);
    let verdict = verdict::by_entry(actor.member, entry);
    if verdict.response > response::ALLOW {
        respond::apply(actor, verdict.response, Power::Signal);
        emit::counted_apart(actor, entry);
        respond::brake(actor, Power::Signal);
    }
}

/// What the file at `address` is, into the scratch; false where it cannot be seen. A call of its own, as each step here: the
/// frames of the deepest calls together have 512 bytes, and [`is_by_default`] takes half of them.
#[inline(never)]
fn look(address: Address, scratch: &mut Scratch) -> bool {
    let Ok(facts) = file::facts::<Probed>(address) else {
        return false;
    };
    scratch.facts = facts;
    true
}

/// A path as a text: hashes without repeated and final slashes.
struct Text {
    bytes: *const u8,
    /// Of what came so far.
    all: u64,
    /// Of what came before the last slash.
    above: u64,
    /// Whether there is a slash, one came last, and it begins with one.
    slashes: u32,
    last: u32,
    absolute: u32,
}

/// One byte of a text.
unsafe extern "C" fn text_step(index: u32, text: *mut Text) -> i64 {
    // SAFETY: `repeat` passes what `text_of` borrows; the name has 256 bytes and a final zero.
    let (text, byte) = unsafe { (&mut *text, *(*text).bytes.add(bounded::<255>(index as usize))) };
    if byte == 0 {
        return 1;
    }
    if byte == b'/' {
        if index == 0 {
            text.absolute = 1;
        }
        if text.last == 0 {
            text.above = text.all;
        }
        text.slashes = 1;
        text.last = 1;
        return 0;
    }
    if text.last != 0 {
        text.all = hash::step(text.all, u64::from(b'/'));
        text.last = 0;
    }
    text.all = hash::step(text.all, u64::from(byte));
    0
}

/// The hash of a path in the caller's memory, or (`above`) of the directory that it is in, into `scratch.text`; 0 for a
/// name alone, and what cannot be read. Leaves the working directory in `scratch.facts` where the path is relative, else nothing.
#[inline(never)]
fn text_of(path: u64, above: bool, scratch: &mut Scratch) {
    scratch.facts = Facts::default();
    scratch.text = 0;
    // SAFETY: `name` has 256 bytes; the helper checks the caller's memory, and writes a final zero.
    let read = unsafe {
        bpf_probe_read_user_str(
            scratch.name.as_mut_ptr().cast(),
            256,
            path as *const core::ffi::c_void,
        )
    };
    if read <= 1 {
        scratch.hits.unresolved = u32::from(read < 0);
        return;
    }
    let mut text = Text {
        bytes: scratch.name.as_ptr().cast(),
        all: hash::BASIS,
        above: hash::BASIS,
        slashes: 0,
        last: 0,
        absolute: 0,
    };
    repeat(256, text_step, &mut text);
    if text.absolute == 0 {
        let Ok(fs) = read_field::<Address>(task::current(), of::TASK_FS()) else {
            return;
        };
        if let (Ok(dentry), Ok(mount)) = (
            read_field::<Address>(fs, of::FS_PWD() + of::PATH_DENTRY()),
            read_field::<Address>(fs, of::FS_PWD() + of::PATH_MNT()),
        ) && let Ok(facts) = file::placed(dentry, mount)
        {
            scratch.facts = facts;
        }
    }
    if above && text.slashes == 0 {
        return;
    }
    let hash = if above { text.above } else { text.all };
    scratch.text = hash::step(hash, scratch.facts.inode) | 1;
}

/// Whether what is removed by this path was in a place where only the default answers for writing.
#[inline(always)]
fn by_path(actor: &Actor, path: u64, scratch: &mut Scratch) -> bool {
    text_of(path, true, scratch);
    if scratch.hits.unresolved != 0 {
        return true;
    }
    if scratch.text == 0 {
        return scratch.facts.dentry != 0 && is_by_default(actor.member.policy, scratch);
    }
    is_noted(actor, scratch)
}

/// Whether a directory was opened under this text where only the default answers for writing.
#[inline(never)]
fn is_noted(actor: &Actor, scratch: &mut Scratch) -> bool {
    let key = PlaceKey {
        session: actor.member.session,
        text: scratch.text,
    };
    // SAFETY: written whole by the programs.
    let Some(place) = (unsafe { PLACES.get(&key) }) else {
        return false;
    };
    scratch.facts.dev = (*place >> 1) as u32;
    *place & 1 != 0
}

/// A directory was opened by a path: what answers for removing in it is noted under that text.
#[inline(always)]
pub fn opened(actor: &mut Actor, address: Address, first: u64, second: u64) {
    /// Below it there is no memory of a process: a descriptor.
    const POINTERS: u64 = 0x1_0000;
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&actor.member.policy) }) else {
        return;
    };
    if policy.write_default == 0 || !is_directory(address) {
        return;
    }
    // `openat` and `openat2` have the path second, `open` first. One that is relative to a descriptor is not noted.
    let path = if first as i32 == AT_FDCWD as i32 {
        second
    } else if first >= POINTERS {
        first
    } else {
        return;
    };
    let Some(scratch) = scratch::acquire() else {
        // What is removed by this path later is not known.
        emit::lost(actor.hook, loss::SCRATCH);
        return;
    };
    text_of(path, false, scratch);
    if scratch.text != 0 && look(address, scratch) {
        let by_default = is_by_default(actor.member.policy, scratch);
        note(actor, by_default, scratch);
    }
    scratch::release(scratch);
}

#[inline(always)]
fn is_directory(address: Address) -> bool {
    const FORMAT: u16 = 0xf000;
    const DIRECTORY: u16 = 0x4000;
    let Ok(inode) = read_field::<Address>(address, of::FILE_INODE()) else {
        return false;
    };
    read_field::<u16>(inode, of::INODE_MODE()).is_ok_and(|mode| mode & FORMAT == DIRECTORY)
}

/// Keeps for a text what answers for removing in its directory.
#[inline(never)]
fn note(actor: &Actor, by_default: bool, scratch: &Scratch) {
    let key = PlaceKey {
        session: actor.member.session,
        text: scratch.text,
    };
    let place = u64::from(scratch.facts.dev) << 1 | u64::from(by_default);
    // One that cannot be stored is not known later.
    let _ = PLACES.insert(&key, &place, 0);
}

/// Whether only the default for writing answers for the directory in `scratch.facts`. What a rule names is answered by who guards it; what
/// the scope lists as writable may be removed. One that cannot be resolved is not taken for such.
#[inline(never)]
fn is_by_default(number: u32, scratch: &mut Scratch) -> bool {
    // SAFETY: written whole by the daemon.
    let Some(policy) = (unsafe { POLICIES.get(&number) }) else {
        return false;
    };
    let table = Table::files(number, policy);
    matching::find(&table, scratch);
    scratch.hits.unresolved != 0 || (scratch.hits.write == 0 && scratch.hits.object_write == 0)
}

/// Answers as the default for writing does, and says so.
#[inline(never)]
fn answer(actor: &mut Actor, entry: u32, name: u64, scratch: &mut Scratch) {
    let verdict = verdict::by_entry(actor.member, entry);
    if verdict.response == response::ALLOW {
        return;
    }
    if scratch.hits.unresolved != 0 {
        actor.flags |= flag::UNRESOLVED;
        emit::lost(actor.hook, loss::UNRESOLVED);
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
    (scratch.used, scratch.cut) = (0, 0);
    if dentry != 0 {
        file::render(dentry, mount, scratch, AT + 1 + len);
    }
    scratch.used + 1 + len as u32
}
