//! What sessions have used and sent.

use scopeward_abi::sent::{Sent, SentKey};

use super::{Maps, MapsError, SentKeyPod, UsedKeyPod};

impl Maps {
    /// Forgets what a session has used.
    pub(super) fn forget_used(&mut self, id: u64) {
        let used: Vec<UsedKeyPod> = self
            .used
            .keys()
            .filter_map(Result::ok)
            .filter(|key| key.0.session == id)
            .collect();
        for key in used {
            // It was there a moment ago.
            drop(self.used.remove(&key));
        }
    }

    /// What left a session since its first cut, by where it went.
    #[must_use]
    pub fn sent(&self, session: u64) -> Vec<(SentKey, Sent)> {
        self.sent
            .iter()
            .filter_map(Result::ok)
            .map(|(key, sent)| (key.0, sent.0))
            .filter(|(key, _)| key.session == session)
            .collect()
    }

    /// Begins to count again.
    pub fn forget_sent(&mut self, session: u64) {
        for (key, _) in self.sent(session) {
            // It was there a moment ago.
            drop(self.sent.remove(&SentKeyPod(key)));
        }
    }

    /// Says whose a cgroup is.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_cgroup(&mut self, id: u64, session: u64) -> Result<(), MapsError> {
        self.cgroups
            .insert(id, session, 0)
            .map_err(|error| MapsError::Map {
                name: "CGROUPS",
                error,
            })
    }

    /// Whether the bytes of a session are counted.
    #[must_use]
    pub fn counts_sent(&self, session: u64) -> bool {
        self.cgroups
            .iter()
            .filter_map(Result::ok)
            .any(|(_, of)| of == session)
    }

    /// Forgets whose a cgroup was.
    pub fn remove_cgroup(&mut self, session: u64) {
        let of: Vec<u64> = self
            .cgroups
            .iter()
            .filter_map(Result::ok)
            .filter(|(_, of)| *of == session)
            .map(|(id, _)| id)
            .collect();
        for id in of {
            drop(self.cgroups.remove(&id));
        }
    }
}
