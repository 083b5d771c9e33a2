//! What an earlier version left in the kernel, where its tables are others than this version's: its programs go on
//! holding its sessions, and the little that every version keeps at the same place is read from its maps.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aya::maps::{HashMap, Map, MapData};

use super::load::unpin;

/// The pins of another version, in a bpffs.
#[derive(Debug)]
pub struct Predecessor {
    pins: PathBuf,
}

/// A session as another version has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldSession {
    /// The number of its policy.
    pub policy: u32,
    /// `member::mode::*`.
    pub mode: u32,
    /// `member::state::*`.
    pub state: u32,
}

/// A process of a session as another version has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMember {
    /// The session's key.
    pub session: u64,
    /// The process's cookie.
    pub cookie: u64,
}

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The pin, or the kernel.
    #[error("use the map {0} of the version that ran before: {1}")]
    Map(&'static str, aya::maps::MapError),
    /// Its values are larger than any version's so far.
    #[error("use the map {0} of the version that ran before: its values have {1} bytes")]
    Size(&'static str, u32),
}

impl Predecessor {
    /// Those whose pins stand beside `own`, for the same run directory (the end of the name says which).
    #[must_use]
    pub fn find(own: &Path) -> Vec<Self> {
        let name = own.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((_, of)) = name.rsplit_once('-') else {
            return Vec::new();
        };
        let beside = own.parent().and_then(|parent| std::fs::read_dir(parent).ok());
        let is_one = |path: &PathBuf| {
            let theirs = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            path != own && theirs.rsplit_once('-').is_some_and(|(_, their)| their == of)
        };
        beside
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(is_one)
            .map(|pins| Self { pins })
            .collect()
    }

    /// Where its pins are.
    #[must_use]
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// Its sessions, by key.
    ///
    /// # Errors
    /// [`HandoverError`].
    pub fn sessions(&self) -> Result<BTreeMap<u64, HeldSession>, HandoverError> {
        let values = values::<u64>(&self.pins, "SESSIONS")?;
        Ok(values
            .into_iter()
            .filter_map(|(key, bytes)| {
                Some((
                    key,
                    HeldSession {
                        policy: u32_at(&bytes, 0)?,
                        mode: u32_at(&bytes, 8)?,
                        state: u32_at(&bytes, 12)?,
                    },
                ))
            })
            .collect())
    }

    /// The processes of its sessions, by process id.
    ///
    /// # Errors
    /// [`HandoverError`].
    pub fn members(&self) -> Result<BTreeMap<u32, HeldMember>, HandoverError> {
        let values = values::<u32>(&self.pins, "MEMBERS")?;
        Ok(values
            .into_iter()
            .filter_map(|(pid, bytes)| {
                Some((
                    pid,
                    HeldMember {
                        session: u64_at(&bytes, 0)?,
                        cookie: u64_at(&bytes, 8)?,
                    },
                ))
            })
            .collect())
    }

    /// Takes its programs out of the kernel: what they held is held by this version now. Returns how many pins went.
    pub fn remove(self) -> usize {
        unpin(&self.pins)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes)
}

/// Every key and value of a hash map whose values are of a size that only its own version knows.
fn values<K: aya::Pod>(pins: &Path, name: &'static str) -> Result<Vec<(K, Vec<u8>)>, HandoverError> {
    fn read<K: aya::Pod, const N: usize>(map: Map) -> Result<Vec<(K, Vec<u8>)>, aya::maps::MapError> {
        let map: HashMap<MapData, K, [u8; N]> = map.try_into()?;
        Ok(map
            .iter()
            .filter_map(Result::ok)
            .map(|(key, value)| (key, value.to_vec()))
            .collect())
    }
    let refused = |error| HandoverError::Map(name, error);
    let data = MapData::from_pin(pins.join(name)).map_err(refused)?;
    let size = data.info().map_err(refused)?.value_size();
    let map = Map::HashMap(data);
    match size {
        16 => read::<K, 16>(map),
        24 => read::<K, 24>(map),
        32 => read::<K, 32>(map),
        40 => read::<K, 40>(map),
        48 => read::<K, 48>(map),
        56 => read::<K, 56>(map),
        64 => read::<K, 64>(map),
        72 => read::<K, 72>(map),
        80 => read::<K, 80>(map),
        88 => read::<K, 88>(map),
        96 => read::<K, 96>(map),
        104 => read::<K, 104>(map),
        112 => read::<K, 112>(map),
        120 => read::<K, 120>(map),
        128 => read::<K, 128>(map),
        other => return Err(HandoverError::Size(name, other)),
    }
    .map_err(refused)
}
