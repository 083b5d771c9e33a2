//! What files match, and what that is answered with, in the kernel. Each change of what they match changes the epoch, because
//! the programs remember it.

use scopeward_abi::{
    object::{Match, NameKey, ObjectKey},
    policy::{Entry, EntryKey, Policy},
};

use super::{EntryKeyPod, EntryPod, Maps, MapsError, MatchPod, NameKeyPod, ObjectKeyPod, PolicyPod};

impl Maps {
    /// Makes or changes a policy. Its entries, objects and endpoints come first.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_policy(&mut self, number: u32, policy: Policy) -> Result<(), MapsError> {
        let set = self
            .policies
            .insert(number, PolicyPod(policy), 0)
            .map_err(|error| MapsError::Map {
                name: "POLICIES",
                error,
            });
        self.epoch.advance(0);
        set
    }

    /// Forgets a policy.
    pub fn remove_policy(&mut self, number: u32) {
        // It may not be there.
        drop(self.policies.remove(&number));
        self.epoch.advance(0);
    }

    /// Sets an entry.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_entry(&mut self, key: EntryKey, entry: Entry) -> Result<(), MapsError> {
        self.entries
            .insert(EntryKeyPod(key), EntryPod(entry), 0)
            .map_err(|error| MapsError::Map {
                name: "ENTRIES",
                error,
            })
    }

    /// Removes an entry.
    pub fn remove_entry(&mut self, key: EntryKey) {
        // It may not be there.
        drop(self.entries.remove(&EntryKeyPod(key)));
    }

    /// Sets what an inode matches.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_object(&mut self, key: ObjectKey, found: Match) -> Result<(), MapsError> {
        let set = self
            .objects
            .insert(ObjectKeyPod(key), MatchPod(found), 0)
            .map_err(|error| MapsError::Map {
                name: "OBJECTS",
                error,
            });
        self.epoch.advance(0);
        set
    }

    /// Removes an inode.
    pub fn remove_object(&mut self, key: ObjectKey) {
        // It may not be there.
        drop(self.objects.remove(&ObjectKeyPod(key)));
        self.epoch.advance(0);
    }

    /// Sets what a name matches.
    ///
    /// # Errors
    /// [`MapsError`] where the map is full.
    pub fn set_name(&mut self, key: NameKey, found: Match) -> Result<(), MapsError> {
        let set = self
            .names
            .insert(NameKeyPod(key), MatchPod(found), 0)
            .map_err(|error| MapsError::Map { name: "NAMES", error });
        self.epoch.advance(0);
        set
    }

    /// Removes a name.
    pub fn remove_name(&mut self, key: NameKey) {
        // It may not be there.
        drop(self.names.remove(&NameKeyPod(key)));
        self.epoch.advance(0);
    }
}
