//! Who may do what. Anybody may connect; every route asks here.

use std::collections::BTreeSet;

use crate::api::control::{Control, ControlError};
use crate::api::peer::Peer;
use crate::record::event::Owner;

/// The people that the daemon's configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// User ids that may change any session, and read all.
    pub operators: BTreeSet<u32>,
    /// The group whose members may read all.
    pub readers: Option<u32>,
}

/// What is done to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Hold a new one.
    Enrol,
    /// Stop it.
    Freeze,
    /// Let it go on.
    Thaw,
    /// End it.
    Kill,
}

impl Change {
    /// As it is said.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Kill => "kill",
        }
    }
}

impl Policy {
    /// True where `peer` is root or an operator.
    #[must_use]
    pub fn is_operator(&self, peer: &Peer) -> bool {
        peer.uid == 0 || self.operators.contains(&peer.uid)
    }

    /// True where `peer` may read everybody's sessions and events.
    #[must_use]
    pub fn reads_all(&self, peer: &Peer) -> bool {
        self.is_operator(peer) || self.readers.is_some_and(|group| peer.gids.contains(&group))
    }

    /// True where `peer` may read what `owner`'s sessions did.
    #[must_use]
    pub fn reads(&self, peer: &Peer, owner: &Owner) -> bool {
        self.reads_all(peer) || owner.uid == peer.uid
    }

    /// Whether `peer` may do `change` to a session of `owner`: operators may, owners may stop their own.
    ///
    /// # Errors
    /// [`ControlError::Refused`].
    pub fn may_change(&self, peer: &Peer, change: Change, owner: &Owner) -> Result<(), ControlError> {
        let own = owner.uid == peer.uid && change != Change::Thaw;
        if own || self.is_operator(peer) {
            return Ok(());
        }
        let (why, remedy) = if owner.uid == peer.uid {
            (
                "a session is not thawed by its owner",
                "ask root or an operator to decide",
            )
        } else {
            (
                "this session belongs to somebody else",
                "only its owner, root and operators may do this",
            )
        };
        Err(refused(why, remedy))
    }
}

impl Policy {
    /// Whether `peer` may approve what a scope speaks against: root and operators alone.
    ///
    /// # Errors
    /// [`ControlError::Refused`].
    pub fn may_approve(&self, peer: &Peer) -> Result<(), ControlError> {
        if self.is_operator(peer) {
            return Ok(());
        }
        Err(refused(
            "only root and operators may approve what a scope speaks against",
            "ask one of them; `operators` in the daemon's settings names them",
        ))
    }
}

/// Whether `peer` may change anything at all: nothing may from inside an agent session, whatever its uid.
///
/// # Errors
/// [`ControlError::Refused`].
pub fn outside_any_session(control: &dyn Control, peer: &Peer) -> Result<(), ControlError> {
    let remedy = "do this from a terminal that is not part of an agent session";
    if let Some(session) = control.session_of(peer.pid) {
        let why = format!(
            "process {} is inside agent session {session}, and nothing inside a session may change what holds it",
            peer.pid
        );
        return Err(refused(why, remedy));
    }
    // Asked after the look-up: a process that is alive now was alive then, so its number was its own.
    if !peer.is_alive() {
        let why =
            "the process that connected is gone, so nobody can tell whether it was inside an agent session";
        return Err(refused(why, remedy));
    }
    Ok(())
}

/// A refusal with these words.
pub(crate) fn refused(why: impl Into<String>, remedy: impl Into<String>) -> ControlError {
    ControlError::Refused {
        why: why.into(),
        remedy: remedy.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_what() {
        let policy = Policy {
            operators: BTreeSet::from([500]),
            readers: Some(77),
        };
        let peer = |uid, gid| {
            let mut peer = Peer::this_process();
            (peer.uid, peer.gids) = (uid, vec![gid]);
            peer
        };
        let owner = Owner {
            uid: 1_000,
            ..Owner::default()
        };
        //           uid, gid: reads all, reads, freeze, thaw, kill
        let table = [
            ((0, 0), [true, true, true, true, true]),
            ((500, 1), [true, true, true, true, true]),
            ((2_000, 77), [true, true, false, false, false]),
            ((1_000, 1), [false, true, true, false, true]),
            ((2_000, 1), [false, false, false, false, false]),
        ];
        for ((uid, gid), expected) in table {
            let peer = peer(uid, gid);
            let may = |change| policy.may_change(&peer, change, &owner).is_ok();
            let actual = [
                policy.reads_all(&peer),
                policy.reads(&peer, &owner),
                may(Change::Freeze),
                may(Change::Thaw),
                may(Change::Kill),
            ];
            assert_eq!(actual, expected, "uid {uid}, gid {gid}");
        }
    }
}
