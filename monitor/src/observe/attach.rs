//! Attaching the programs, by BTF and to cgroup v2: neither needs tracefs.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use aya::{
    Btf, Ebpf,
    programs::{
        CgroupAttachMode, Program, ProgramError,
        links::{FdLink, LinkError, PinnedLink},
    },
};

use super::{
    deny::{self, Denying, RawLink},
    iterate,
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
    /// A program that refuses acts is not attached.
    #[error("attach the program {name}: {error}")]
    Refusing {
        /// Its name.
        name: &'static str,
        /// Why.
        error: std::io::Error,
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
    /// Of a program that refuses; pinned or not.
    Raw(#[expect(dead_code, reason = "held for its drop: the descriptor keeps the link")] RawLink),
    Pinned(#[expect(dead_code, reason = "held for its drop: the descriptor keeps the link")] PinnedLink),
}

/// What is attached.
pub struct Links {
    always: Vec<(&'static str, Link)>,
    /// Attached only while there is a session: they cost every process of this host something.
    watching: Option<Vec<(&'static str, Link)>>,
    cgroup: File,
    pins: Option<PathBuf>,
    absent: Vec<(&'static str, String)>,
    /// The programs that refuse acts, where a tier does; attached while there is a session.
    denying: Option<Denying>,
}

/// A program, and where it is attached.
struct Hook {
    name: &'static str,
    at: At,
    /// Attached while there is no session too.
    always: bool,
    /// Whether Scopeward works without it.
    optional: bool,
}

enum At {
    /// A tracepoint, by BTF.
    Tracepoint(&'static str),
    /// The root of cgroup v2.
    Cgroup,
}

const fn always(name: &'static str, tracepoint: &'static str) -> Hook {
    Hook {
        name,
        at: At::Tracepoint(tracepoint),
        always: true,
        optional: false,
    }
}

const fn optional(name: &'static str, tracepoint: &'static str) -> Hook {
    Hook {
        optional: true,
        ..in_sessions(name, At::Tracepoint(tracepoint))
    }
}

const fn in_sessions(name: &'static str, at: At) -> Hook {
    Hook {
        name,
        at,
        always: false,
        optional: false,
    }
}

/// Membership first, so that nothing that is followed can fork unseen.
const HOOKS: [Hook; 13] = [
    always("fork", "sched_process_fork"),
    always("exit", "sched_process_exit"),
    always("exec", "sched_process_exec"),
    in_sessions("sys_exit", At::Tracepoint("sys_exit")),
    // Its arguments are another before 6.13; without it io_uring opens are left to fanotify.
    optional("io_uring_complete", "io_uring_complete"),
    // Since 6.3; without it what is sent to unix sockets is not seen.
    optional("data_ready", "sk_data_ready"),
    in_sessions("signalled", At::Tracepoint("signal_generate")),
    in_sessions("moved", At::Tracepoint("cgroup_attach_task")),
    in_sessions("connect4", At::Cgroup),
    in_sessions("connect6", At::Cgroup),
    in_sessions("sendmsg4", At::Cgroup),
    in_sessions("sendmsg6", At::Cgroup),
    in_sessions("sock_create", At::Cgroup),
];

/// Loads every program, and attaches those that are needed while there is no session too.
///
/// # Errors
/// [`AttachError`] of the first program that is needed and cannot be had; what was attached comes off again.
pub fn all(
    ebpf: &mut Ebpf,
    btf: &Btf,
    cgroup: &Path,
    denying: Option<Denying>,
) -> Result<Links, AttachError> {
    let directory = File::open(cgroup).map_err(|error| AttachError::Cgroup {
        path: cgroup.display().to_string(),
        error,
    })?;
    let mut absent = Vec::new();
    for hook in HOOKS.iter().filter(|hook| !is_held(hook.name, denying.as_ref())) {
        match load(ebpf, btf, hook) {
            Err(AttachError::Program { error, .. }) if hook.optional => {
                absent.push((hook.name, error.to_string()));
            }
            loaded => loaded?,
        }
    }
    super::sent::load(ebpf)?;
    iterate::load(ebpf, btf)?;
    let mut links = Links {
        always: Vec::new(),
        watching: None,
        cgroup: directory,
        pins: None,
        absent,
        denying,
    };
    links.always = links.attach(ebpf, true)?;
    Ok(links)
}

impl Links {
    /// Programs that this kernel does not take, with the reason.
    #[must_use]
    pub fn absent(&self) -> &[(&'static str, String)] {
        &self.absent
    }

    /// Attaches the programs that are needed while there is a session, or takes them off.
    ///
    /// # Errors
    /// [`AttachError`] where one cannot be attached, or pinned; none of them is attached then.
    pub fn watch(&mut self, ebpf: &mut Ebpf, on: bool) -> Result<(), AttachError> {
        if on && self.watching.is_none() {
            let mut links = self.attach(ebpf, false)?;
            links.extend(self.attach_denying()?);
            self.forget_others(&links);
            self.watching = Some(links);
        } else if !on {
            // The descriptor that goes with the link is the last then. An earlier daemon's goes too.
            self.forget_others(&[]);
            self.watching = None;
        }
        Ok(())
    }

    fn attach(&self, ebpf: &mut Ebpf, always: bool) -> Result<Vec<(&'static str, Link)>, AttachError> {
        let held = self.denying.as_ref();
        let absent =
            |hook: &&Hook| is_held(hook.name, held) || self.absent.iter().any(|(name, _)| *name == hook.name);
        let wanted = HOOKS.iter().filter(|hook| hook.always == always && !absent(hook));
        let mut links = Vec::new();
        for hook in wanted {
            let mut link = Link::Held(attach(ebpf, hook.name, &self.cgroup)?);
            if let Some(pins) = &self.pins {
                link = pinned(link, hook.name, pins)?;
            }
            links.push((hook.name, link));
        }
        Ok(links)
    }

    fn attach_denying(&self) -> Result<Vec<(&'static str, Link)>, AttachError> {
        let programs = self.denying.iter().flat_map(|denying| &denying.programs);
        programs
            .map(|(name, program)| {
                let link = deny::attach(program).map_err(|error| AttachError::Refusing { name, error })?;
                if let Some(pins) = &self.pins {
                    let path = pin_of(pins, name);
                    // An earlier daemon's, whose program was attached until now.
                    drop(std::fs::remove_file(&path));
                    link.pin(&path).map_err(|error| AttachError::Pin {
                        name,
                        error: error.into(),
                    })?;
                }
                Ok((*name, Link::Raw(link)))
            })
            .collect()
    }

    /// Removes the pins of programs that this daemon does not attach, which an earlier one may have left: another tier's.
    fn forget_others(&self, watching: &[(&'static str, Link)]) {
        let Some(pins) = &self.pins else { return };
        let is_ours = |path: &Path| {
            let always = HOOKS.iter().filter(|hook| hook.always).map(|hook| hook.name);
            always
                .chain(watching.iter().map(|(name, _)| *name))
                .any(|name| pin_of(pins, name) == path)
        };
        for entry in std::fs::read_dir(pins).into_iter().flatten().flatten() {
            let is_link = entry.file_name().as_encoded_bytes().starts_with(LINK.as_bytes());
            if is_link && !is_ours(&entry.path()) {
                drop(std::fs::remove_file(entry.path()));
            }
        }
    }

    /// Pins every link in `directory` of a bpffs, in place of those of an earlier daemon, which come off only now:
    /// there is no moment without a program.
    ///
    /// # Errors
    /// [`AttachError::Pin`].
    pub fn pin(&mut self, directory: &Path) -> Result<(), AttachError> {
        for (name, link) in std::mem::take(&mut self.always) {
            self.always.push((name, pinned(link, name, directory)?));
        }
        self.pins = Some(directory.to_owned());
        Ok(())
    }
}

fn pin_of(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{LINK}{name}"))
}

/// How the pin of a link begins.
const LINK: &str = "link_";

/// What a tier that refuses makes superfluous: opens by io_uring come by `file_open` like all others, and unix sockets
/// and signals have hooks of their own. With changes to files every act that the exit of a system call answers has one, and
/// each of those settles what another hook left to be done to the process, or to one that there was no room for.
fn is_held(name: &str, denying: Option<&Denying>) -> bool {
    match name {
        "io_uring_complete" | "data_ready" | "signalled" => denying.is_some(),
        "sys_exit" => denying.is_some_and(|denying| denying.changes),
        _ => false,
    }
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

pub(super) fn refused(name: &'static str) -> impl Fn(ProgramError) -> AttachError {
    move |error| AttachError::Program {
        name,
        error: Box::new(error),
    }
}

fn load(ebpf: &mut Ebpf, btf: &Btf, hook: &Hook) -> Result<(), AttachError> {
    match (&hook.at, ebpf.program_mut(hook.name)) {
        (At::Tracepoint(tracepoint), Some(Program::BtfTracePoint(program))) => program.load(tracepoint, btf),
        (At::Cgroup, Some(Program::CgroupSockAddr(program))) => program.load(),
        (At::Cgroup, Some(Program::CgroupSock(program))) => program.load(),
        _ => return Err(AttachError::Missing(hook.name)),
    }
    .map_err(refused(hook.name))
}

fn attach(ebpf: &mut Ebpf, name: &'static str, cgroup: &File) -> Result<FdLink, AttachError> {
    let not_kept = |error| AttachError::Link {
        name,
        error: Box::new(error),
    };
    let refused = refused(name);
    match ebpf.program_mut(name) {
        Some(Program::BtfTracePoint(program)) => {
            let id = program.attach().map_err(&refused)?;
            Ok(program.take_link(id).map_err(&refused)?.into())
        }
        Some(Program::CgroupSockAddr(program)) => {
            let id = program
                .attach(cgroup, CgroupAttachMode::Single)
                .map_err(&refused)?;
            let link = program.take_link(id).map_err(&refused)?;
            link.try_into().map_err(not_kept)
        }
        Some(Program::CgroupSock(program)) => {
            let id = program
                .attach(cgroup, CgroupAttachMode::Single)
                .map_err(&refused)?;
            let link = program.take_link(id).map_err(&refused)?;
            link.try_into().map_err(not_kept)
        }
        _ => Err(AttachError::Missing(name)),
    }
}
