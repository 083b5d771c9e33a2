//! The program that counts what leaves a session: attached to the session's own cgroup, so that nobody else pays for it.

use std::{
    fs::File,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use aya::{
    Ebpf,
    programs::{
        CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, Program, ProgramError,
        links::{FdLink, PinnedLink},
    },
};

use super::attach::AttachError;

/// The program.
const NAME: &str = "sent";

/// It is attached for as long as this is held, or pinned.
pub(super) enum Counting {
    Held(#[expect(dead_code, reason = "held for its drop: the descriptor keeps the link")] FdLink),
    Pinned(#[expect(dead_code, reason = "held for its drop: the descriptor keeps the link")] PinnedLink),
}

fn program(ebpf: &mut Ebpf) -> Result<&mut CgroupSkb, AttachError> {
    match ebpf.program_mut(NAME) {
        Some(Program::CgroupSkb(program)) => Ok(program),
        _ => Err(AttachError::Missing(NAME)),
    }
}

fn refused(error: ProgramError) -> AttachError {
    AttachError::Program {
        name: NAME,
        error: Box::new(error),
    }
}

fn opened(cgroup: &Path) -> Result<File, AttachError> {
    File::open(cgroup).map_err(|error| AttachError::Cgroup {
        path: cgroup.display().to_string(),
        error,
    })
}

pub(super) fn load(ebpf: &mut Ebpf) -> Result<(), AttachError> {
    program(ebpf)?.load().map_err(refused)
}

/// The id of a cgroup (v2): its inode number.
pub(super) fn id(cgroup: &Path) -> Result<u64, AttachError> {
    let found = opened(cgroup)?.metadata().map_err(|error| AttachError::Cgroup {
        path: cgroup.display().to_string(),
        error,
    })?;
    Ok(found.ino())
}

/// Attaches it to a session's cgroup, and pins it where there are pins.
pub(super) fn attach(
    ebpf: &mut Ebpf,
    pins: Option<&Path>,
    session: u64,
    cgroup: &Path,
) -> Result<Counting, AttachError> {
    let directory = opened(cgroup)?;
    let program = program(ebpf)?;
    let attached = program
        .attach(directory, CgroupSkbAttachType::Egress, CgroupAttachMode::Single)
        .map_err(refused)?;
    let link = program.take_link(attached).map_err(refused)?;
    let link: FdLink = link.try_into().map_err(|error| AttachError::Link {
        name: NAME,
        error: Box::new(error),
    })?;
    let Some(pins) = pins else {
        return Ok(Counting::Held(link));
    };
    link.pin(pin_of(pins, session))
        .map(Counting::Pinned)
        .map_err(|error| AttachError::Pin {
            name: NAME,
            error: Box::new(error),
        })
}

/// Removes the pin of a session that has ended.
pub(super) fn unpin(pins: &Path, session: u64) {
    // There is none where it was not attached.
    drop(std::fs::remove_file(pin_of(pins, session)));
}

fn pin_of(pins: &Path, session: u64) -> PathBuf {
    pins.join(format!("{NAME}_{session}"))
}
