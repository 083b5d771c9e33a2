//! Every map, with the reason for its size. Only the daemon writes what decides (policies, objects, names,
//! entries, endpoints); the programs write membership and counters.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    macros::map,
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf},
};
use scopeward_abi::{
    endpoint::{EndpointKey, Ports},
    event::{hook, loss},
    grant::{Grant, GrantKey},
    member::{Counts, MEMBER_WORDS, Member, Session},
    object::{Match, NameKey, ObjectKey},
    policy::{Entry, EntryKey, Policy},
    sent::{Sent, SentKey},
    used::UsedKey,
};

use crate::{
    matching::known::{Known, KnownKey},
    scratch::Scratch,
};

/// Processes of sessions by process id. Preallocated, so that a fork never fails for want of memory; never an
/// LRU, because eviction would be an escape. The daemon sets the size to the host's `pid_max`, up to 131,072.
#[map]
pub static MEMBERS: HashMap<u32, Member> = HashMap::with_max_entries(32_768, 0);

/// A bit for each process id that there can be (`PID_MAX_LIMIT`), set for whoever is in [`MEMBERS`]: read without a helper,
/// so that everything outside sessions ends with it. 512 KiB. Set before a process is put there, by the daemon too, in its
/// own memory; what is set too long costs a look-up.
#[map]
pub static IS_MEMBER: Array<u64> = Array::with_max_entries(MEMBER_WORDS, BPF_F_MMAPABLE);

/// Children of sessions that [`MEMBERS`] had no room for, by the address of their task: each ends as it leaves the call that
/// made it. What made it ends as well, so that there are never more than processes of sessions that fork at one moment.
#[map]
pub static STRAYS: HashMap<u64, u32> = HashMap::with_max_entries(2_048, 0);

/// Sessions by the cookie of their root.
#[map]
pub static SESSIONS: HashMap<u64, Session> = HashMap::with_max_entries(4_096, 0);

/// Counters of sessions; made by the daemon with the session.
#[map]
pub static COUNTS: HashMap<u64, Counts> = HashMap::with_max_entries(4_096, 0);

/// Compiled scopes, one for each scope and owner.
#[map]
pub static POLICIES: HashMap<u32, Policy> = HashMap::with_max_entries(4_096, BPF_F_NO_PREALLOC);

/// What each rule answers for each of its patterns. Not preallocated, but for 16 bytes for each that there is room for:
/// with room for a million this and the next two took 50 MiB of the kernel's memory.
#[map]
pub static ENTRIES: HashMap<EntryKey, Entry> = HashMap::with_max_entries(262_144, BPF_F_NO_PREALLOC);

/// Guarded inodes and directories.
#[map]
pub static OBJECTS: HashMap<ObjectKey, Match> = HashMap::with_max_entries(262_144, BPF_F_NO_PREALLOC);

/// Index 0: changed by the daemon, in its own memory, after each change of what files match.
#[map]
pub static EPOCH: Array<u64> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// What files matched. An LRU: what is evicted is looked for again.
#[map]
pub static KNOWN: LruHashMap<KnownKey, Known> = LruHashMap::with_max_entries(8_192, 0);

/// Guarded names.
#[map]
pub static NAMES: HashMap<NameKey, Match> = HashMap::with_max_entries(262_144, BPF_F_NO_PREALLOC);

/// Endpoints by longest prefix.
#[map]
pub static ENDPOINTS: LpmTrie<EndpointKey, Ports> = LpmTrie::with_max_entries(262_144, 0);

/// What people approved. Only looked at for what is outside the scope.
#[map]
pub static GRANTS: HashMap<GrantKey, Grant> = HashMap::with_max_entries(4_096, BPF_F_NO_PREALLOC);

/// IP sockets by the number of their inode, with the session that made or accepted them. An LRU: eviction only means that
/// one is decided by its peer again.
#[map]
pub static OWN_SOCKETS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(16_384, 0);

/// Allowed acts that were emitted, by [`SeenKey`]. An LRU: eviction only means that one is emitted again.
#[map]
pub static SEEN_ACTS: LruHashMap<SeenKey, u64> = LruHashMap::with_max_entries(65_536, 0);

/// Cuts that were emitted. Apart from the acts, so that a flood of acts cannot push cuts out.
#[map]
pub static SEEN_CUTS: LruHashMap<SeenKey, u64> = LruHashMap::with_max_entries(16_384, 0);

/// Directories by the text under which a session opened them: their device << 1, and 1 where only the default answers for
/// writing there. An LRU: what is evicted is not known when something is removed by a path through it.
#[map]
pub static PLACES: LruHashMap<PlaceKey, u64> = LruHashMap::with_max_entries(8_192, 0);

/// What sessions have used, where a budget of theirs tightens: how, by object. Not preallocated: costs what is used. One
/// that cannot be stored is new, once the session is tightened.
#[map]
pub static USED: HashMap<UsedKey, u64> = HashMap::with_max_entries(131_072, BPF_F_NO_PREALLOC);

/// Bytes that left a session's cgroup, by where they went. Not preallocated; what does not fit is counted as lost.
#[map]
pub static SENT: HashMap<SentKey, Sent> = HashMap::with_max_entries(16_384, BPF_F_NO_PREALLOC);

/// Sessions by the id of their own cgroup.
#[map]
pub static CGROUPS: HashMap<u64, u64> = HashMap::with_max_entries(4_096, BPF_F_NO_PREALLOC);

/// Events for the daemon: 2 MiB hold about 10,000 of them, a quarter of a second of the worst flood seen; mapped twice, they are
/// 4 MiB of the daemon's memory. Set by the daemon.
#[map]
pub static RING: RingBuf = RingBuf::with_byte_size(2 * 1024 * 1024, 0);

/// Losses by hook and reason.
#[map]
pub static LOSSES: PerCpuArray<u64> = PerCpuArray::with_max_entries((hook::COUNT * loss::COUNT) as u32, 0);

/// Working memory: hooks can be nested (an interrupt, a page fault), so each level has its own.
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(crate::scratch::LEVELS, 0);

/// 1 for each level of [`SCRATCH`] that is in use on this CPU; more for a moment, while several come for it.
#[map]
pub static SCRATCH_USED: PerCpuArray<u64> = PerCpuArray::with_max_entries(crate::scratch::LEVELS, 0);

/// Index 0: not zero while any `[[match]]` is loaded, so that an exec outside sessions costs one look otherwise.
#[map]
pub static MATCHING: Array<u32> = Array::with_max_entries(1, 0);

/// The monitor's own processes: the daemon, or the `scopeward run` that holds a session itself, and its watchdog.
#[map]
pub static PROTECTED: HashMap<u32, u32> = HashMap::with_max_entries(16, 0);

/// Key of [`PLACES`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PlaceKey {
    /// The session.
    pub session: u64,
    /// Hash of the text, and of the working directory where it is relative.
    pub text: u64,
}

/// Key of [`SEEN_ACTS`] and [`SEEN_CUTS`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SeenKey {
    /// The session.
    pub session: u64,
    /// Inode number, or the address folded to 64 bits.
    pub object: u64,
    /// Device, or port and protocol.
    pub part: u32,
    /// Event kind and access.
    pub what: u32,
    /// The entry that decided; 0 for the default.
    pub entry: u32,
    /// Always 0.
    pub pad: u32,
}
