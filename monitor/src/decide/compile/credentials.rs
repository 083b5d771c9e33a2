//! A person's credentials, marked for `session.borrowed-identity`: a mark answers nothing, it is only seen.

use scopeward_abi::{object::Match, policy::CREDENTIAL};

use super::{CompileError, Locate, scope::Work, table::Aliases};
use crate::scope::{effective::Effective, words::Response};

/// Marks them, where the scope asks for it.
pub(super) fn mark(work: &mut Work, scope: &Effective, locate: &dyn Locate) -> Result<(), CompileError> {
    if scope.borrowed_identity.response == Response::Allow {
        return Ok(());
    }
    for pattern in &scope.files.credentials {
        let found = Match {
            mask: CREDENTIAL,
            ..Match::default()
        };
        work.files.add(pattern, found, locate, Aliases::Followed)?;
        work.file_matches.push((pattern.clone(), found));
    }
    Ok(())
}
