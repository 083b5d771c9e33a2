//! For whom the command runs: under sudo, the calling user.

use std::{
    ffi::{CString, OsString},
    path::PathBuf,
};

use nix::unistd::{Gid, Uid, User, geteuid, getgrouplist};

/// Why the calling user cannot be taken on.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// A variable that sudo sets is no id.
    #[error("read {variable}, which is {value:?}: not a user or group id")]
    NoId {
        /// Which one.
        variable: &'static str,
        /// What it has.
        value: OsString,
    },
    /// The user database cannot be read.
    #[error("look up user {uid}: {errno}")]
    LookUp {
        /// The user's id.
        uid: Uid,
        /// What the system said.
        errno: nix::Error,
    },
}

/// A user as whom the command is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// The user id: real, effective and saved.
    pub uid: Uid,
    /// The group id: real, effective and saved.
    pub gid: Gid,
    /// The supplementary groups, as at a login of this user.
    pub groups: Vec<Gid>,
    /// The home directory.
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
    /// The name.
    pub name: String,
}

impl RunAs {
    /// The user who called sudo; `None` where sudo did not start this process, was called by root, or was used to
    /// become somebody else than root.
    ///
    /// # Errors
    /// [`UserError`].
    pub fn caller_of_sudo() -> Result<Option<Self>, UserError> {
        let (Some(uid), Some(gid)) = (std::env::var_os("SUDO_UID"), std::env::var_os("SUDO_GID")) else {
            return Ok(None);
        };
        let uid = Uid::from_raw(id("SUDO_UID", uid)?);
        let gid = Gid::from_raw(id("SUDO_GID", gid)?);
        if !geteuid().is_root() || uid.is_root() {
            return Ok(None);
        }
        Self::new(uid, gid).map(Some)
    }

    /// The user `uid` with the group `gid`.
    ///
    /// # Errors
    /// [`UserError::LookUp`].
    pub fn new(uid: Uid, gid: Gid) -> Result<Self, UserError> {
        let wrong = |errno| UserError::LookUp { uid, errno };
        let Some(user) = User::from_uid(uid).map_err(wrong)? else {
            // An id without a name has no groups but its own, and no home.
            let (home, shell) = ("/".into(), "/bin/sh".into());
            return Ok(Self {
                uid,
                gid,
                groups: vec![gid],
                home,
                shell,
                name: uid.to_string(),
            });
        };
        let name = CString::new(user.name.as_str()).map_err(|_| wrong(nix::Error::EINVAL))?;
        let groups = getgrouplist(&name, gid).map_err(wrong)?;
        Ok(Self {
            uid,
            gid,
            groups,
            home: user.dir,
            shell: user.shell,
            name: user.name,
        })
    }

    /// `env` as this user's: without what sudo adds, and with what it set for root set for this user.
    #[must_use]
    pub fn environment(&self, env: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let own: [(&str, OsString); 4] = [
            ("HOME", self.home.clone().into()),
            ("SHELL", self.shell.clone().into()),
            ("USER", self.name.clone().into()),
            ("LOGNAME", self.name.clone().into()),
        ];
        let is_sudos = |key: &OsString| key.as_encoded_bytes().starts_with(b"SUDO_");
        let is_set = |key: &OsString| own.iter().any(|(name, _)| key == name);
        let mut env = env;
        env.retain(|(key, _)| !is_sudos(key) && !is_set(key));
        env.extend(own.map(|(key, value)| (key.into(), value)));
        env
    }
}

fn id(variable: &'static str, value: OsString) -> Result<u32, UserError> {
    // The largest number means "leave it as it is" to the kernel, so it is no id.
    let number = value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|id| *id != u32::MAX);
    number.ok_or(UserError::NoId { variable, value })
}
