//! The programs that run when they are asked to, over all tasks.

use std::{fs::File, io::Read as _};

use aya::{
    Btf, Ebpf,
    programs::{Iter, Program},
};

use scopeward_abi::member::UNHELD;

use super::attach::{AttachError, refused};

/// The iterator over all tasks.
const ADOPT: &str = "adopt";
/// The program that sends a record when it is asked to.
const HEARTBEAT: &str = "heartbeat";

/// Loads them.
///
/// # Errors
/// [`AttachError`] of the first that cannot be had.
pub(super) fn load(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), AttachError> {
    for name in [ADOPT, HEARTBEAT] {
        iterator(ebpf, name)?.load("task", btf).map_err(refused(name))?;
    }
    Ok(())
}

/// What a walk over all tasks found.
#[derive(Debug, Default)]
pub struct Walked {
    /// Processes that it enrolled.
    pub enrolled: Vec<u32>,
    /// Processes that should be in a session, and for which there was no room.
    pub unheld: Vec<u32>,
}

/// Runs the iterator once over all tasks.
///
/// # Errors
/// [`AttachError`] where it cannot be run.
pub fn walk(ebpf: &mut Ebpf) -> Result<Walked, AttachError> {
    let mut bytes = Vec::new();
    run(ebpf, ADOPT)?
        .read_to_end(&mut bytes)
        .map_err(AttachError::Walk)?;
    let (unheld, enrolled): (Vec<u32>, Vec<u32>) = bytes
        .chunks_exact(4)
        .filter_map(|word| word.try_into().ok().map(u32::from_ne_bytes))
        .partition(|pid| pid & UNHELD != 0);
    Ok(Walked {
        enrolled,
        unheld: unheld.into_iter().map(|pid| pid & !UNHELD).collect(),
    })
}

/// Makes the kernel put one heartbeat into the ring.
///
/// # Errors
/// [`AttachError`] where the program cannot be run.
pub fn beat(ebpf: &mut Ebpf) -> Result<(), AttachError> {
    // What one task gives fills this: the kernel goes on to the next task only for a reader that wants more.
    let mut word = [0; 4];
    run(ebpf, HEARTBEAT)?
        .read_exact(&mut word)
        .map_err(AttachError::Walk)
}

fn run(ebpf: &mut Ebpf, name: &'static str) -> Result<File, AttachError> {
    let iterator = iterator(ebpf, name)?;
    let id = iterator.attach().map_err(refused(name))?;
    let link = iterator.take_link(id).map_err(refused(name))?;
    link.into_file().map_err(|error| AttachError::Link {
        name,
        error: Box::new(error),
    })
}

fn iterator<'e>(ebpf: &'e mut Ebpf, name: &'static str) -> Result<&'e mut Iter, AttachError> {
    match ebpf.program_mut(name) {
        Some(Program::Iter(iterator)) => Ok(iterator),
        _ => Err(AttachError::Missing(name)),
    }
}
