//! The kernel's maps as the daemon sees them: typed, and the only place where their names stand.
#![expect(
    unsafe_code,
    reason = "`Pod` is an unsafe marker: every byte pattern of these ABI structs is valid"
)]

mod frozen;
mod grants;
mod rules;
mod sent;

pub(super) use frozen::freeze;

use super::{memberships::Memberships, shared::Words};
use aya::{
    Ebpf, Pod,
    maps::{Array, HashMap, LpmTrie, Map, MapData, MapError, PerCpuArray, RingBuf, lpm_trie::Key},
};
use scopeward_abi::{
    endpoint::{EndpointKey, NS_BITS, Ports},
    event::{hook, loss},
    grant::{Grant, GrantKey},
    member::{Counts, Member, Session, UNHELD},
    object::{Match, NameKey, ObjectKey},
    policy::{Entry, EntryKey, Policy},
    sent::{Sent, SentKey},
    used::UsedKey,
};

macro_rules! pod {
    ($($name:ident($inner:ty)),* $(,)?) => {
        $(
            /// An ABI struct as a map's key or value.
            #[repr(transparent)]
            #[derive(Clone, Copy)]
            pub struct $name(pub $inner);
            // SAFETY: `repr(transparent)` over an ABI struct without padding, asserted in `scopeward_abi::layout`.
            unsafe impl Pod for $name {}
        )*
    };
}

pod! {
    MemberPod(Member),
    SessionPod(Session),
    CountsPod(Counts),
    PolicyPod(Policy),
    EntryKeyPod(EntryKey),
    EntryPod(Entry),
    ObjectKeyPod(ObjectKey),
    NameKeyPod(NameKey),
    MatchPod(Match),
    EndpointKeyPod(EndpointKey),
    PortsPod(Ports),
    GrantKeyPod(GrantKey),
    GrantPod(Grant),
    UsedKeyPod(UsedKey),
    SentKeyPod(SentKey),
    SentPod(Sent),
}

/// Why a map could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MapsError {
    /// The object has no such map.
    #[error("find the map {0} in the eBPF object")]
    Missing(&'static str),
    /// The kernel refused.
    #[error("use the map {name}: {error}")]
    Map {
        /// The map.
        name: &'static str,
        /// Why.
        error: MapError,
    },
    /// It cannot be closed to all but the programs.
    #[error("freeze the map {name}: {error}")]
    Freeze {
        /// The map.
        name: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// It cannot be had in memory.
    #[error("map {name} into memory: {error}")]
    Share {
        /// The map.
        name: &'static str,
        /// Why.
        error: std::io::Error,
    },
}

/// All maps.
pub struct Maps {
    members_id: u32,
    members: HashMap<MapData, u32, MemberPod>,
    /// `IS_MEMBER`.
    marks: Words,
    epoch: Words,
    sessions: HashMap<MapData, u64, SessionPod>,
    counts: HashMap<MapData, u64, CountsPod>,
    policies: HashMap<MapData, u32, PolicyPod>,
    entries: HashMap<MapData, EntryKeyPod, EntryPod>,
    objects: HashMap<MapData, ObjectKeyPod, MatchPod>,
    names: HashMap<MapData, NameKeyPod, MatchPod>,
    endpoints: LpmTrie<MapData, EndpointKeyPod, PortsPod>,
    grants: HashMap<MapData, GrantKeyPod, GrantPod>,
    used: HashMap<MapData, UsedKeyPod, u64>,
    sent: HashMap<MapData, SentKeyPod, SentPod>,
    cgroups: HashMap<MapData, u64, u64>,
    matching: Array<MapData, u32>,
    losses: PerCpuArray<MapData, u64>,
    protected: HashMap<MapData, u32, u32>,
}

fn take<M: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &'static str) -> Result<M, MapsError> {
    let map = ebpf.take_map(name).ok_or(MapsError::Missing(name))?;
    M::try_from(map).map_err(|error| MapsError::Map { name, error })
}

fn share(ebpf: &mut Ebpf, name: &'static str) -> Result<Words, MapsError> {
    let Some(Map::Array(map)) = ebpf.take_map(name) else {
        return Err(MapsError::Missing(name));
    };
    Words::of(&map).map_err(|error| MapsError::Share { name, error })
}

impl Maps {
    /// Takes the maps out of a loaded object, and the ring apart from them, because another thread reads it.
    ///
    /// # Errors
    /// [`MapsError`] where the object has not the maps of this daemon.
    pub fn take(ebpf: &mut Ebpf) -> Result<(Self, RingBuf<MapData>), MapsError> {
        let Some(Map::HashMap(members)) = ebpf.map("MEMBERS") else {
            return Err(MapsError::Missing("MEMBERS"));
        };
        let refused = |error| MapsError::Map {
            name: "MEMBERS",
            error,
        };
        let members_id = members.info().map_err(refused)?.id();
        let maps = Self {
            members_id,
            members: take(ebpf, "MEMBERS")?,
            marks: share(ebpf, "IS_MEMBER")?,
            epoch: share(ebpf, "EPOCH")?,
            sessions: take(ebpf, "SESSIONS")?,
            counts: take(ebpf, "COUNTS")?,
            policies: take(ebpf, "POLICIES")?,
            entries: take(ebpf, "ENTRIES")?,
            objects: take(ebpf, "OBJECTS")?,
            names: take(ebpf, "NAMES")?,
            endpoints: take(ebpf, "ENDPOINTS")?,
            grants: take(ebpf, "GRANTS")?,
            used: take(ebpf, "USED")?,
            sent: take(ebpf, "SENT")?,
            cgroups: take(ebpf, "CGROUPS")?,
            matching: take(ebpf, "MATCHING")?,
            losses: take(ebpf, "LOSSES")?,
            protected: take(ebpf, "PROTECTED")?,
        };
        Ok((maps, take(ebpf, "RING")?))
    }

    /// The membership of a process.
    #[must_use]
    pub fn member(&self, pid: u32) -> Option<Member> {
        self.members.get(&pid, 0).ok().map(|pod| pod.0)
    }

    /// The memberships alone, for a thread that must not wait for anybody.
    ///
    /// # Errors
    /// [`MapsError`] where the kernel does not give the map a second time.
    pub fn memberships(&self) -> Result<Memberships, MapsError> {
        let refused = |error| MapsError::Map {
            name: "MEMBERS",
            error,
        };
        let map = Map::HashMap(MapData::from_id(self.members_id).map_err(refused)?);
        Ok(Memberships::new(map.try_into().map_err(refused)?))
    }

    /// Every process of every session.
    #[must_use]
    pub fn all_members(&self) -> Vec<(u32, Member)> {
        self.members
            .iter()
            .filter_map(Result::ok)
            // By a number that no process has the programs try whether there is room.
            .filter(|(pid, _)| pid & UNHELD == 0)
            .map(|(pid, pod)| (pid, pod.0))
            .collect()
    }

    /// Makes a process a member.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_member(&mut self, pid: u32, member: Member) -> Result<(), MapsError> {
        // First, or the programs would not see it.
        self.marks.set((pid >> 6) as usize, 1 << (pid & 63));
        self.members
            .insert(pid, MemberPod(member), 0)
            .map_err(|error| MapsError::Map {
                name: "MEMBERS",
                error,
            })
    }

    /// Ends the membership of a process that is gone.
    pub fn remove_member(&mut self, pid: u32) {
        // It may have ended by itself meanwhile.
        drop(self.members.remove(&pid));
    }

    /// A session.
    #[must_use]
    pub fn session(&self, id: u64) -> Option<Session> {
        self.sessions.get(&id, 0).ok().map(|pod| pod.0)
    }

    /// The counters of a session.
    #[must_use]
    pub fn counts(&self, id: u64) -> Option<Counts> {
        self.counts.get(&id, 0).ok().map(|pod| pod.0)
    }

    /// Makes the counters of a new session.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn start_counts(&mut self, id: u64) -> Result<(), MapsError> {
        self.counts
            .insert(id, CountsPod(Counts::default()), 0)
            .map_err(|error| MapsError::Map {
                name: "COUNTS",
                error,
            })
    }

    /// Every session.
    #[must_use]
    pub fn all_sessions(&self) -> Vec<(u64, Session)> {
        self.sessions
            .iter()
            .filter_map(Result::ok)
            .map(|(id, pod)| (id, pod.0))
            .collect()
    }

    /// Makes or changes a session.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_session(&mut self, id: u64, session: Session) -> Result<(), MapsError> {
        self.sessions
            .insert(id, SessionPod(session), 0)
            .map_err(|error| MapsError::Map {
                name: "SESSIONS",
                error,
            })
    }

    /// Forgets a session that has ended.
    pub fn remove_session(&mut self, id: u64) {
        // Another path may have removed it.
        drop(self.sessions.remove(&id));
        drop(self.counts.remove(&id));
        self.forget_used(id);
        self.forget_sent(id);
    }

    /// Sets the port rules of a network; `prefix` counts the bits of the (v4-mapped) address, 0 to 128.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_endpoint(&mut self, prefix: u32, key: EndpointKey, ports: Ports) -> Result<(), MapsError> {
        self.endpoints
            .insert(
                &Key::new(NS_BITS + prefix, EndpointKeyPod(key)),
                PortsPod(ports),
                0,
            )
            .map_err(|error| MapsError::Map {
                name: "ENDPOINTS",
                error,
            })
    }

    /// Removes a network.
    pub fn remove_endpoint(&mut self, prefix: u32, key: EndpointKey) {
        // It may not be there.
        drop(
            self.endpoints
                .remove(&Key::new(NS_BITS + prefix, EndpointKeyPod(key))),
        );
    }

    /// Whether an exec outside sessions is held against the `[[match]]` entries at all.
    ///
    /// # Errors
    /// [`MapsError`], which no kernel gives for an array.
    pub fn set_matching(&mut self, on: bool) -> Result<(), MapsError> {
        self.matching
            .set(0, u32::from(on), 0)
            .map_err(|error| MapsError::Map {
                name: "MATCHING",
                error,
            })
    }

    /// Makes acts on these processes acts on the monitor, in place of those of an earlier daemon.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_protected(&mut self, processes: &[u32]) -> Result<(), MapsError> {
        let before: Vec<u32> = self.protected.keys().filter_map(Result::ok).collect();
        for pid in before.iter().filter(|pid| !processes.contains(pid)) {
            // It was there a moment ago.
            drop(self.protected.remove(pid));
        }
        for pid in processes {
            self.protected.insert(pid, 1, 0).map_err(|error| MapsError::Map {
                name: "PROTECTED",
                error,
            })?;
        }
        Ok(())
    }

    /// What was lost since the programs were loaded: hook, reason, how many.
    #[must_use]
    pub fn losses(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut found = Vec::new();
        for (hook_at, hook) in hook::NAMES.iter().enumerate() {
            for (reason_at, reason) in loss::NAMES.iter().enumerate() {
                let index = u32::try_from(hook_at * loss::COUNT + reason_at).unwrap_or(u32::MAX);
                let Ok(values) = self.losses.get(&index, 0) else {
                    continue;
                };
                let sum: u64 = values.iter().sum();
                if sum > 0 {
                    found.push((*hook, *reason, sum));
                }
            }
        }
        found
    }
}
