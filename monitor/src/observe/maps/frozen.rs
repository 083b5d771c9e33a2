//! Maps that nobody but the programs writes to.

use std::os::fd::AsFd as _;

use aya::{Ebpf, maps::Map};

use super::MapsError;
use crate::observe::deny;

/// Maps that only the programs write: what was told already, what is lost, what is noted in passing, working memory.
const PROGRAMS_ALONE: [&str; 8] = [
    "SEEN_ACTS",
    "SEEN_CUTS",
    "OWN_SOCKETS",
    "PLACES",
    "LOSSES",
    "STRAYS",
    "SCRATCH",
    "SCRATCH_USED",
];

/// Freezes them: not even root changes what was counted, or makes a cut look as if it had been told.
///
/// # Errors
/// [`MapsError`] of the first that cannot be.
pub(in crate::observe) fn freeze(ebpf: &Ebpf) -> Result<(), MapsError> {
    for name in PROGRAMS_ALONE {
        let Some(Map::HashMap(map) | Map::LruHashMap(map) | Map::PerCpuArray(map)) = ebpf.map(name) else {
            return Err(MapsError::Missing(name));
        };
        deny::freeze(map.fd().as_fd()).map_err(|error| MapsError::Freeze { name, error })?;
    }
    Ok(())
}
