//! What people approved, in the kernel.

use scopeward_abi::grant::{Grant, GrantKey};

use super::{GrantKeyPod, GrantPod, Maps, MapsError};

impl Maps {
    /// A grant, with its uses so far.
    #[must_use]
    pub fn grant(&self, key: GrantKey) -> Option<Grant> {
        self.grants.get(&GrantKeyPod(key), 0).ok().map(|pod| pod.0)
    }

    /// Puts a grant in force.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_grant(&mut self, key: GrantKey, grant: Grant) -> Result<(), MapsError> {
        self.grants
            .insert(GrantKeyPod(key), GrantPod(grant), 0)
            .map_err(|error| MapsError::Map {
                name: "GRANTS",
                error,
            })
    }

    /// Takes a grant back.
    pub fn remove_grant(&mut self, key: GrantKey) {
        // It may not be there.
        drop(self.grants.remove(&GrantKeyPod(key)));
    }
}
