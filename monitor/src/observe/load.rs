//! Loading and attaching the programs, and pinning them so that sessions stay held without the daemon.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aya::{
    Btf as AyaBtf, Ebpf, EbpfError, EbpfLoader, Endianness,
    maps::{MapData, RingBuf},
};

use scopeward_abi::layout::MARK;

use super::{
    attach::{self, AttachError},
    btf::{Btf, BtfError},
    deny::{self, Choice, DenyError},
    iterate::{self, Walked},
    maps::{self, Maps, MapsError},
    mounts::{self, MountError},
    offsets::{self, MissingField},
    sent::{self, Counting},
    syscalls,
};
use crate::scope::words::Tier;

/// The programs, as built.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/scopeward.bpf.o"));

/// Why the kernel side could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Built from other sources than this binary.
    #[error(
        "use the eBPF object: it was built for another version of this binary; build both from one checkout"
    )]
    Foreign,
    /// A kernel without what every walk over paths is made with.
    #[error("find the helper bpf_loop, which Linux has had since 5.17")]
    TooOld,
    /// No BTF.
    #[error(transparent)]
    Btf(#[from] BtfError),
    /// A field that is needed.
    #[error(transparent)]
    Field(#[from] MissingField),
    /// A filesystem that is needed.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A map.
    #[error(transparent)]
    Maps(#[from] MapsError),
    /// The object itself.
    #[error("load the eBPF object: {0}")]
    Object(#[from] EbpfError),
    /// BTF as the loader reads it.
    #[error("read the kernel's BTF: {0}")]
    LoaderBtf(#[from] aya::BtfError),
    /// A program.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// The programs of a tier that refuses acts.
    #[error(transparent)]
    Deny(#[from] DenyError),
    /// A directory.
    #[error("use {path}: {error}")]
    Directory {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// How much the kernel side can hold.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Bytes of the event ring; rounded up to a power of two by the caller.
    pub ring: u32,
    /// Processes in all sessions together.
    pub members: u32,
    /// Repeats of cuts that one session can have recorded, a second.
    pub quota: u32,
}

/// Bytes of the event ring, where nobody says another size.
pub const RING: u32 = 2 << 20;

impl Default for Sizes {
    fn default() -> Self {
        let pid_max = std::fs::read_to_string("/proc/sys/kernel/pid_max")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(32_768);
        Self {
            ring: RING,
            members: u32::min(pid_max, 131_072),
            quota: 200,
        }
    }
}

/// Maps that outlive the daemon: what decides, who is a member, and what was not read yet.
const PINNED_MAPS: [&str; 21] = [
    "MEMBERS",
    "IS_MEMBER",
    "SESSIONS",
    "COUNTS",
    "POLICIES",
    "ENTRIES",
    "OBJECTS",
    "NAMES",
    "ENDPOINTS",
    "GRANTS",
    "OWN_SOCKETS",
    "USED",
    "PLACES",
    "SENT",
    "CGROUPS",
    "SEEN_ACTS",
    "SEEN_CUTS",
    "RING",
    "LOSSES",
    "PROTECTED",
    "MATCHING",
];

/// The programs, attached. They come off when this is dropped, unless they are pinned.
pub struct Kernel {
    /// The maps.
    pub maps: Maps,
    ebpf: Ebpf,
    links: attach::Links,
    choice: Choice,
    /// Whether changes to files are refused before they happen.
    changes: bool,
    pins: Option<PathBuf>,
    /// The program that counts what leaves a session, in each session's cgroup.
    counting: BTreeMap<u64, Counting>,
}

impl Kernel {
    /// Loads, attaches, and where `pins` is a directory of a bpffs pins everything there; maps that are pinned there
    /// already are used, so that sessions outlive the daemon. Acts are refused by the strongest tier that works here.
    ///
    /// # Errors
    /// [`LoadError`]; nothing new stays attached then.
    pub fn load(
        run: &Path,
        pins: Option<&Path>,
        sizes: Sizes,
    ) -> Result<(Self, RingBuf<MapData>), LoadError> {
        if !OBJECT.windows(MARK.len()).any(|bytes| *bytes == MARK) {
            return Err(LoadError::Foreign);
        }
        // Before anything else is in memory: it parses the kernel's types, tens of megabytes, whether they are wanted or not.
        let mut loader = Some(loader_without_types());
        let types = Btf::read(Path::new(Btf::KERNEL))?;
        // The verifier would say so too, in hundreds of lines.
        if types.function("bpf_loop").is_none() {
            return Err(LoadError::TooOld);
        }
        let mut choice = deny::choose(&types, Vec::new());
        loop {
            let loader = loader.take().unwrap_or_else(loader_without_types);
            match (
                Self::load_with(loader, run, pins, sizes, &types, &choice),
                choice.tier.take(),
            ) {
                // What the small programs of the trial could, the real ones cannot: left to the next tier, and at last to
                // the one that always works.
                (Err(LoadError::Deny(error)), Some(tier)) => {
                    let mut why = std::mem::take(&mut choice.why);
                    why.push((tier, format!("failed to {error}")));
                    choice = deny::choose(&types, why);
                }
                (loaded, _) => return loaded,
            }
        }
    }

    fn load_with(
        loader: EbpfLoader<'static>,
        run: &Path,
        pins: Option<&Path>,
        sizes: Sizes,
        types: &Btf,
        choice: &Choice,
    ) -> Result<(Self, RingBuf<MapData>), LoadError> {
        let fields = offsets::resolve(types)?;
        #[cfg(debug_assertions)]
        let fields = offsets::with_faults(fields)?;
        let data_ready = u32::from(types.has_tracepoint("sk_data_ready"));
        let changes = choice.tier.is_some_and(|tier| deny::changes(tier, types));
        let table = syscalls::table(choice.tier.is_some(), changes);
        let cgroup = mounts::cgroup2(run)?;
        let mut loader: EbpfLoader<'_> = loader;
        loader.override_global("SYSCALL_CLASS", &table, true);
        loader.override_global("DATA_READY", &data_ready, true);
        loader.override_global("UNLINK", &syscalls::UNLINK, true);
        let denying = u32::from(choice.tier.is_some());
        loader.override_global("DENYING", &denying, true);
        for (global, offset) in &fields {
            loader.override_global(global, offset, true);
        }
        let repeat_ns = 1_000_000_000 / u64::from(sizes.quota.max(1));
        loader.override_global("REPEAT_NS", &repeat_ns, true);
        loader
            .map_max_entries("RING", sizes.ring)
            .map_max_entries("MEMBERS", sizes.members);
        if let Some(pins) = pins {
            std::fs::create_dir_all(pins).map_err(|error| LoadError::Directory {
                path: pins.display().to_string(),
                error,
            })?;
            for map in PINNED_MAPS {
                loader.map_pin_path(map, pins.join(map));
            }
        }
        let mut ebpf = loader.load(OBJECT)?;
        let denying = choice
            .tier
            .map(|tier| deny::load(OBJECT, &ebpf, types, tier))
            .transpose()?;
        let numbering = AyaBtf::parse(&types.numbering(), Endianness::default())?;
        let links = attach::all(&mut ebpf, &numbering, &cgroup, denying)?;
        drop(numbering);
        maps::freeze(&ebpf)?;
        let (mut maps, ring) = Maps::take(&mut ebpf)?;
        maps.set_protected(&[std::process::id()])?;
        let mut kernel = Self {
            maps,
            ebpf,
            links,
            choice: choice.clone(),
            changes,
            pins: None,
            counting: BTreeMap::new(),
        };
        if let Some(pins) = pins {
            kernel.links.pin(pins)?;
            // Held by an earlier daemon, whose own programs come off with their pins.
            kernel.watch(!kernel.maps.all_sessions().is_empty())?;
            kernel.pins = Some(pins.to_owned());
        }
        Ok((kernel, ring))
    }

    /// Programs that this kernel does not take, with the reason.
    #[must_use]
    pub fn absent(&self) -> &[(&'static str, String)] {
        self.links.absent()
    }

    /// The tier that refuses opens, programs, connects and sends before they happen, where one works here.
    #[must_use]
    pub const fn denies(&self) -> Option<Tier> {
        self.choice.tier
    }

    /// The tier that refuses changes to names and attributes of files before they happen, where one does.
    #[must_use]
    pub fn denies_changes(&self) -> Option<Tier> {
        self.choice.tier.filter(|_| self.changes)
    }

    /// Why a stronger tier is not the one, by what was tried.
    #[must_use]
    pub fn refused_tiers(&self) -> &[(Tier, String)] {
        &self.choice.why
    }

    /// Attaches the programs that watch every process of this host, before the first session, or takes them off after
    /// the last: while there is none, no system call and no connect costs anything more.
    ///
    /// # Errors
    /// [`LoadError`] where one cannot be attached.
    pub fn watch(&mut self, on: bool) -> Result<(), LoadError> {
        Ok(self.links.watch(&mut self.ebpf, on)?)
    }

    /// Walks over all tasks once and enrols what descends from members.
    ///
    /// # Errors
    /// [`LoadError`] where the iterator cannot be run.
    pub fn adopt(&mut self) -> Result<Walked, LoadError> {
        Ok(iterate::walk(&mut self.ebpf)?)
    }

    /// Makes the kernel put one heartbeat into the ring.
    ///
    /// # Errors
    /// [`LoadError`] where the program cannot be run.
    pub fn beat(&mut self) -> Result<(), LoadError> {
        Ok(iterate::beat(&mut self.ebpf)?)
    }

    /// Begins to count what leaves a session, in its own cgroup at `cgroup`.
    ///
    /// # Errors
    /// [`LoadError`] where the program cannot be attached there.
    pub fn count_sent(&mut self, session: u64, cgroup: &Path) -> Result<(), LoadError> {
        let id = sent::id(cgroup)?;
        let link = sent::attach(&mut self.ebpf, self.pins.as_deref(), session, cgroup)?;
        self.maps.set_cgroup(id, session)?;
        self.counting.insert(session, link);
        Ok(())
    }

    /// A session has ended: nothing leaves it any more.
    pub fn stop_counting(&mut self, session: u64) {
        self.counting.remove(&session);
        self.maps.remove_cgroup(session);
        if let Some(pins) = &self.pins {
            sent::unpin(pins, session);
        }
    }

    /// Lets everything go: programs come off, pins are removed, nothing is held any more.
    pub fn release(self) {
        if let Some(pins) = &self.pins {
            unpin(pins);
        }
    }
}

/// Offsets come as constants, so the object has no use for the kernel's types.
fn loader_without_types() -> EbpfLoader<'static> {
    let mut loader = EbpfLoader::new();
    loader.btf(None);
    loader
}

/// Removes the pins of a daemon that is gone, and with them its programs. Returns how many there were.
pub fn unpin(pins: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(pins) else {
        return 0;
    };
    let removed = entries
        .flatten()
        .filter(|entry| std::fs::remove_file(entry.path()).is_ok())
        .count();
    // Left where something of another owner is in it.
    drop(std::fs::remove_dir(pins));
    removed
}
