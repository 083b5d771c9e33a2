//! Attaching the programs, by BTF and to cgroup v2: neither needs tracefs.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use aya::{
    Btf, Ebpf,
    programs::{
        BtfTracePoint, CgroupAttachMode, CgroupSock, CgroupSockAddr, Iter, ProgramError,
        links::{FdLink, LinkError, PinnedLink},
    },
};

/// Why a program is not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The object has no such program.
    #[error("find the program {0} in the eBPF object")]
    Missing(&'static str),
    /// The kernel refused it.
    #[error("load and attach the program {name}: {error}")]
    Program {
        /// Its name.
        name: &'static str,
        /// Why.
        error: Box<ProgramError>,
    },
    /// Its link cannot be kept.
    #[error("keep the program {name} attached: {error}")]
    Link {
        /// The program.
        name: &'static str,
        /// Why.
        error: Box<LinkError>,
    },
    /// Its link cannot be pinned.
    #[error("pin the program {name}: {error}")]
    Pin {
        /// The program.
        name: &'static str,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// cgroup v2.
    #[error("open the cgroup {path}: {error}")]
    Cgroup {
        /// Its path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The walk over tasks.
    #[error("walk over the running tasks: {0}")]
    Walk(std::io::Error),
}

enum Link {
    Held(FdLink),
    Pinned(#[expect(dead_code, reason = "held for its drop: the descriptor keeps the link")] PinnedLink),
}

/// What is attached.
pub struct Links {
    links: Vec<(&'static str, Link)>,
    /// Those of [`WATCHING`].
    watching: Vec<Link>,
    pins: Option<PathBuf>,
    absent: Vec<(&'static str, String)>,
}

/// Program, tracepoint, and whether Scopeward works without it.
const TRACEPOINTS: [(&str, &str, bool); 4] = [
    ("fork", "sched_process_fork", false),
    ("exit", "sched_process_exit", false),
    ("exec", "sched_process_exec", false),
    // Its arguments are another before 6.13; without it io_uring opens are left to fanotify.
    ("io_uring_complete", "io_uring_complete", true),
];
/// The same for what is attached only while there is a session, because it costs each system call of each process on
/// this host, or each thing that arrives at a socket.
const WATCHING: [(&str, &str, bool); 2] = [
    ("sys_exit", "sys_exit", false),
    // Since 6.3; without it what is sent to unix sockets is not seen.
    ("data_ready", "sk_data_ready", true),
];
const ADDRESSES: [&str; 4] = ["connect4", "connect6", "sendmsg4", "sendmsg6"];

/// Attaches every program: membership first, so that nothing that is followed can fork unseen.
///
/// # Errors
/// [`AttachError`] of the first program that is needed and cannot be had; what was attached comes off again.
pub fn all(ebpf: &mut Ebpf, btf: &Btf, cgroup: &Path) -> Result<Links, AttachError> {
    let mut links = Links {
        links: Vec::new(),
        watching: Vec::new(),
        pins: None,
        absent: Vec::new(),
    };
    for (name, tracepoint, optional) in WATCHING {
        let watching: &mut BtfTracePoint = program(ebpf, name)?;
        match watching.load(tracepoint, btf) {
            Ok(()) => {}
            Err(error) if optional => links.absent.push((name, error.to_string())),
            Err(error) => {
                return Err(AttachError::Program {
                    name,
                    error: Box::new(error),
                });
            }
        }
    }
    for (name, tracepoint, optional) in TRACEPOINTS {
        match tracepoint_link(ebpf, btf, name, tracepoint) {
            Ok(link) => links.links.push((name, Link::Held(link))),
            Err(AttachError::Program { error, .. }) if optional => {
                links.absent.push((name, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    let directory = File::open(cgroup).map_err(|error| AttachError::Cgroup {
        path: cgroup.display().to_string(),
        error,
    })?;
    for name in ADDRESSES {
        links
            .links
            .push((name, Link::Held(address_link(ebpf, &directory, name)?)));
    }
    links
        .links
        .push(("sock_create", Link::Held(socket_link(ebpf, &directory)?)));
    let iterator: &mut Iter = program(ebpf, "adopt")?;
    iterator.load("task", btf).map_err(|error| AttachError::Program {
        name: "adopt",
        error: Box::new(error),
    })?;
    Ok(links)
}

impl Links {
    /// Programs that this kernel does not take, with the reason.
    #[must_use]
    pub fn absent(&self) -> &[(&'static str, String)] {
        &self.absent
    }

    /// Attaches or takes off the programs that cost every process of this host.
    ///
    /// # Errors
    /// [`AttachError`] where it cannot be attached, or pinned.
    pub fn watch_syscalls(&mut self, ebpf: &mut Ebpf, on: bool) -> Result<(), AttachError> {
        if on != self.watching.is_empty() {
            return Ok(());
        }
        let there: Vec<&'static str> = WATCHING
            .iter()
            .map(|(name, ..)| *name)
            .filter(|name| self.absent.iter().all(|(absent, _)| absent != name))
            .collect();
        if !on {
            for path in there
                .iter()
                .filter_map(|name| Some(pin_of(self.pins.as_ref()?, name)))
            {
                // The descriptor that goes with the link is the last then.
                drop(std::fs::remove_file(path));
            }
            self.watching.clear();
            return Ok(());
        }
        let mut watching = Vec::new();
        for name in there {
            let refused = |error| AttachError::Program {
                name,
                error: Box::new(error),
            };
            let program: &mut BtfTracePoint = program(ebpf, name)?;
            let id = program.attach().map_err(refused)?;
            let link = Link::Held(program.take_link(id).map_err(refused)?.into());
            watching.push(match &self.pins {
                Some(pins) => pinned(link, name, pins)?,
                None => link,
            });
        }
        self.watching = watching;
        Ok(())
    }

    /// Pins every link in `directory` of a bpffs, in place of those of an earlier daemon, which come off only now:
    /// there is no moment without a program.
    ///
    /// # Errors
    /// [`AttachError::Pin`].
    pub fn pin(&mut self, directory: &Path) -> Result<(), AttachError> {
        for (name, link) in std::mem::take(&mut self.links) {
            self.links.push((name, pinned(link, name, directory)?));
        }
        self.pins = Some(directory.to_owned());
        Ok(())
    }
}

fn pin_of(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("link_{name}"))
}

fn pinned(link: Link, name: &'static str, directory: &Path) -> Result<Link, AttachError> {
    let Link::Held(link) = link else {
        return Ok(link);
    };
    let path = pin_of(directory, name);
    // An earlier daemon's, whose program was attached until now.
    drop(std::fs::remove_file(&path));
    link.pin(path)
        .map(Link::Pinned)
        .map_err(|error| AttachError::Pin {
            name,
            error: Box::new(error),
        })
}

fn program<'e, P>(ebpf: &'e mut Ebpf, name: &'static str) -> Result<&'e mut P, AttachError>
where
    &'e mut P: TryFrom<&'e mut aya::programs::Program, Error = ProgramError>,
{
    let program = ebpf.program_mut(name).ok_or(AttachError::Missing(name))?;
    program.try_into().map_err(|error| AttachError::Program {
        name,
        error: Box::new(error),
    })
}

fn tracepoint_link(
    ebpf: &mut Ebpf,
    btf: &Btf,
    name: &'static str,
    tracepoint: &str,
) -> Result<FdLink, AttachError> {
    let refused = |error| AttachError::Program {
        name,
        error: Box::new(error),
    };
    let program: &mut BtfTracePoint = program(ebpf, name)?;
    program.load(tracepoint, btf).map_err(refused)?;
    let id = program.attach().map_err(refused)?;
    let link = program.take_link(id).map_err(refused)?;
    Ok(link.into())
}

fn address_link(ebpf: &mut Ebpf, cgroup: &File, name: &'static str) -> Result<FdLink, AttachError> {
    let refused = |error| AttachError::Program {
        name,
        error: Box::new(error),
    };
    let program: &mut CgroupSockAddr = program(ebpf, name)?;
    program.load().map_err(refused)?;
    let id = program
        .attach(cgroup, CgroupAttachMode::Single)
        .map_err(refused)?;
    let link = program.take_link(id).map_err(refused)?;
    link.try_into().map_err(|error| AttachError::Link {
        name,
        error: Box::new(error),
    })
}

fn socket_link(ebpf: &mut Ebpf, cgroup: &File) -> Result<FdLink, AttachError> {
    let name = "sock_create";
    let refused = |error| AttachError::Program {
        name,
        error: Box::new(error),
    };
    let program: &mut CgroupSock = program(ebpf, name)?;
    program.load().map_err(refused)?;
    let id = program
        .attach(cgroup, CgroupAttachMode::Single)
        .map_err(refused)?;
    let link = program.take_link(id).map_err(refused)?;
    link.try_into().map_err(|error| AttachError::Link {
        name,
        error: Box::new(error),
    })
}

/// Runs the iterator once over all tasks; it writes the process ids that it enrolled.
///
/// # Errors
/// [`AttachError`] where it cannot be run.
pub fn walk(ebpf: &mut Ebpf) -> Result<Vec<u32>, AttachError> {
    let name = "adopt";
    let refused = |error| AttachError::Program {
        name,
        error: Box::new(error),
    };
    let iterator: &mut Iter = program(ebpf, name)?;
    let id = iterator.attach().map_err(refused)?;
    let link = iterator.take_link(id).map_err(refused)?;
    let mut file = link.into_file().map_err(|error| AttachError::Link {
        name,
        error: Box::new(error),
    })?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(AttachError::Walk)?;
    Ok(bytes
        .chunks_exact(4)
        .filter_map(|word| word.try_into().ok().map(u32::from_ne_bytes))
        .collect())
}
