//! The scope, resolved for each owner whose acts are replayed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use nix::unistd::{Uid, User};

use crate::{record::event::Owner, scope::effective::Effective};

/// Where an owner's home was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// `--home`.
    Given,
    /// This host's user database has a user of this id and name.
    Here,
    /// The usual place for this name; the recording host may have had another.
    Usual,
    /// Nothing is known.
    Unknown,
}

/// The scope for one owner.
pub(super) struct Resolved {
    /// The home that `~` stands for.
    pub(super) home: PathBuf,
    /// Where that is from.
    pub(super) from: From,
    /// Until it expires.
    in_force: Effective,
    /// Afterwards; the same where it never does.
    expired: Option<Effective>,
}

impl Resolved {
    /// The scope as it holds at a time.
    pub(super) fn at(&self, time: jiff::Timestamp) -> &Effective {
        let over = self.in_force.expires.is_some_and(|expires| time >= expires);
        self.expired.as_ref().filter(|_| over).unwrap_or(&self.in_force)
    }
}

/// The scope for all owners.
pub(super) struct Owners<'s> {
    scope: &'s Effective,
    home: Option<&'s Path>,
    known: BTreeMap<(u32, Option<String>), Resolved>,
}

impl<'s> Owners<'s> {
    pub(super) const fn new(scope: &'s Effective, home: Option<&'s Path>) -> Self {
        Self {
            scope,
            home,
            known: BTreeMap::new(),
        }
    }

    /// The scope for an owner; resolved once.
    pub(super) fn of(&mut self, owner: &Owner) -> &Resolved {
        let (scope, given) = (self.scope, self.home);
        self.known
            .entry((owner.uid, owner.name.clone()))
            .or_insert_with(|| {
                let (home, from) = match given {
                    Some(home) => (home.to_owned(), From::Given),
                    None => home(owner),
                };
                let in_force = scope.resolve(&home);
                let expired = in_force.expires.is_some().then(|| in_force.after_expiry());
                Resolved {
                    home,
                    from,
                    in_force,
                    expired,
                }
            })
    }

    /// Every owner that was met, with what `~` stood for.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Option<&str>, &Resolved)> {
        self.known
            .iter()
            .map(|((uid, name), resolved)| (*uid, name.as_deref(), resolved))
    }
}

/// The home of an owner. The recording may be of another host, so a user of this one counts only with the same name.
fn home(owner: &Owner) -> (PathBuf, From) {
    let here = User::from_uid(Uid::from_raw(owner.uid)).ok().flatten();
    let same = here.filter(|user| owner.name.as_ref().is_none_or(|name| *name == user.name));
    match (same, owner.name.as_deref(), owner.uid) {
        (Some(user), ..) => (user.dir, From::Here),
        (None, Some("root"), _) | (None, None, 0) => (PathBuf::from("/root"), From::Usual),
        // A name with a slash would lead elsewhere.
        (None, Some(name), _) if !name.is_empty() && !name.contains('/') && !name.starts_with('.') => {
            (Path::new("/home").join(name), From::Usual)
        }
        _ => (PathBuf::from("/"), From::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_never_taken_from_a_hostile_name() {
        let of = |uid, name: Option<&str>| {
            home(&Owner {
                uid,
                name: name.map(str::to_owned),
                login_session: None,
                tty: None,
            })
        };
        assert_eq!(of(4_000_000_001, Some("dev")), ("/home/dev".into(), From::Usual));
        assert_eq!(of(4_000_000_001, Some("../etc")), ("/".into(), From::Unknown));
        assert_eq!(of(4_000_000_001, None), ("/".into(), From::Unknown));
        assert_eq!(of(4_000_000_001, Some("root")), ("/root".into(), From::Usual));
        assert_eq!(of(0, Some("root")).1, From::Here);
    }
}
