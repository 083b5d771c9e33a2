//! Loading: the object is read a second time, tied to the maps that aya made of it, and its programs go to the kernel
//! by hand, because aya has no loader for `fmod_ret`. One program serves both tiers.

use std::{
    collections::HashSet,
    io,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd},
};

use aya::{Ebpf, maps::Map};
use aya_obj::Object;

use super::{
    bpf::{self, Code},
    programs::{Lacking, PROGRAMS, Program},
};
use crate::{observe::btf::Btf, scope::words::Tier};

/// Why the programs of a tier cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DenyError {
    /// The object.
    #[error("read the eBPF object again: {0}")]
    Object(Box<dyn std::error::Error + Send + Sync>),
    /// The object has no such program.
    #[error("find the program {0} in the eBPF object")]
    Missing(&'static str),
    /// The kernel has no such function.
    #[error("find what the program {0} answers for in this kernel's BTF")]
    Function(&'static str),
    /// The kernel refused it.
    #[error("load the program {name}: {error}: {said}")]
    Program {
        /// Its name.
        name: &'static str,
        /// Why.
        error: io::Error,
        /// The verifier's last words.
        said: String,
    },
    /// Its types.
    #[error("load the programs' types: {0}")]
    Types(io::Error),
}

/// The loaded programs of a tier.
#[derive(Debug)]
pub struct Denying {
    /// The tier.
    pub tier: Tier,
    /// Whether changes to names and attributes of files are refused too.
    pub changes: bool,
    /// Names and programs.
    pub programs: Vec<(&'static str, OwnedFd)>,
}

/// Loads every program for a tier, over the maps of `ebpf`.
///
/// # Errors
/// [`DenyError`] of the first that is needed and cannot be had: a tier holds all of its acts, but for those of functions
/// that this kernel was built without.
pub fn load(data: &[u8], ebpf: &Ebpf, types: &Btf, tier: Tier) -> Result<Denying, DenyError> {
    let mut object = Object::parse(data).map_err(|error| DenyError::Object(error.into()))?;
    let features = aya::features();
    let types_of_programs = match features
        .btf()
        .map(|features| object.fixup_and_sanitize_btf(features))
    {
        Some(Ok(Some(btf))) => Some(bpf::load_btf(&btf.to_bytes()).map_err(DenyError::Types)?),
        Some(Err(error)) => return Err(DenyError::Object(error.into())),
        Some(Ok(None)) | None => None,
    };
    let text: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    let maps = std::mem::take(&mut object.maps);
    let made: Vec<(&str, RawFd)> = ebpf
        .maps()
        .filter_map(|(name, map)| Some((name, fd_of(map)?)))
        .collect();
    let tied = maps.iter().filter_map(|(name, map)| {
        let (_, fd) = made.iter().find(|(of, _)| of == name)?;
        Some((name.as_str(), *fd, map))
    });
    object
        .relocate_maps(tied, &text)
        .map_err(|error| DenyError::Object(error.into()))?;
    object
        .relocate_calls(&text)
        .map_err(|error| DenyError::Object(error.into()))?;
    object.sanitize_functions(features);
    let has = |program: &Program| program.load_as(tier, types).is_some();
    let changes = changes(tier, types);
    let programs = PROGRAMS
        .iter()
        .filter(|program| program.lacking == Lacking::Tier || changes && has(program))
        .map(|program| {
            Ok((
                program.name,
                one(program, &object, types, tier, types_of_programs.as_ref())?,
            ))
        })
        .collect::<Result<_, DenyError>>()?;
    Ok(Denying {
        tier,
        changes,
        programs,
    })
}

/// Whether a tier answers changes to names and attributes of files on this kernel.
#[must_use]
pub fn changes(tier: Tier, types: &Btf) -> bool {
    PROGRAMS
        .iter()
        .all(|program| program.lacking != Lacking::Changes || program.load_as(tier, types).is_some())
}

fn one(
    program: &Program,
    object: &Object,
    types: &Btf,
    tier: Tier,
    btf: Option<&OwnedFd>,
) -> Result<OwnedFd, DenyError> {
    let what = program
        .load_as(tier, types)
        .ok_or(DenyError::Function(program.name))?;
    let function = object
        .programs
        .get(program.name)
        .and_then(|known| object.functions.get(&known.function_key()))
        .ok_or(DenyError::Missing(program.name))?;
    let instructions: Vec<u8> = function
        .instructions
        .iter()
        .flat_map(|instruction| {
            // `struct bpf_insn`: code, registers, offset, value.
            let mut bytes = [0; 8];
            bytes[0] = instruction.code;
            bytes[1] = instruction.dst_reg() | instruction.src_reg() << 4;
            bytes[2..4].copy_from_slice(&instruction.off.to_ne_bytes());
            bytes[4..8].copy_from_slice(&instruction.imm.to_ne_bytes());
            bytes
        })
        .collect();
    let code = Code {
        name: program.name,
        instructions: &instructions,
        functions: &function.func_info.func_info_bytes(),
    };
    bpf::load(&code, what, btf).map_err(|(error, said)| DenyError::Program {
        name: program.name,
        error,
        said,
    })
}

/// The descriptor of a map of a kind that the programs have.
fn fd_of(map: &Map) -> Option<RawFd> {
    match map {
        Map::Array(data)
        | Map::HashMap(data)
        | Map::LpmTrie(data)
        | Map::LruHashMap(data)
        | Map::PerCpuArray(data)
        | Map::RingBuf(data) => Some(data.fd().as_fd().as_raw_fd()),
        _ => None,
    }
}
