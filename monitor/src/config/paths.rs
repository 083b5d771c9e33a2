//! `[paths]`: where things are.

use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The directories. All are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Paths {
    /// What outlives a reboot: the store.
    #[serde(deserialize_with = "absolute")]
    pub state: PathBuf,
    /// What does not: the socket, the pid file.
    #[serde(deserialize_with = "absolute")]
    pub run: PathBuf,
    /// The scope files.
    #[serde(deserialize_with = "absolute")]
    pub scopes: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            state: "/var/lib/scopeward".into(),
            run: "/run/scopeward".into(),
            scopes: "/etc/scopeward/scopes".into(),
        }
    }
}

impl Paths {
    /// The API's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run.join("scopeward.sock")
    }

    /// The directory of the exporters' cursors.
    #[must_use]
    pub fn cursors(&self) -> PathBuf {
        self.state.join("export")
    }

    /// The directory of what frozen sessions had open.
    #[must_use]
    pub fn evidence(&self) -> PathBuf {
        self.state.join("evidence")
    }

    /// The directory of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.state.join("events")
    }
}

fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if Path::is_absolute(&path) {
        Ok(path)
    } else {
        Err(D::Error::custom(format!("{path:?} is not an absolute path")))
    }
}
