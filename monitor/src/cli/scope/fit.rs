//! Does a scope fit the kernel's tables? Asked before it is loaded, so that `check` tells all.

use std::path::Path;

use crate::{
    decide::compile::{Locate, Located, Names, Node, compile},
    scope::{effective::Effective, error::ScopeError, name_glob::NameGlob},
};

/// A host where every path of the scope exists: no real one needs more room.
struct FullHost;

impl Locate for FullHost {
    fn path(&self, path: &str) -> Located {
        let node = Node {
            dev: 1,
            inode: 1,
            generation: 0,
        };
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Located {
            object: Some(node),
            entries: vec![(node, name)],
            missing: None,
        }
    }

    fn named(&self, _: &str, _: &NameGlob) -> Vec<(Node, String)> {
        Vec::new()
    }

    fn below(&self, _: &str) -> (Vec<(Node, String)>, Vec<Node>) {
        (Vec::new(), Vec::new())
    }

    fn programs(&self, _: &NameGlob) -> Vec<(Node, String)> {
        Vec::new()
    }
}

/// Why the scope does not fit; `None` where it does.
pub(super) fn misfit(scope: &Effective) -> Option<ScopeError> {
    let error = compile(
        &scope.resolve(Path::new("/home/owner")),
        1,
        1,
        &Names::default(),
        &FullHost,
    )
    .err()?;
    let text = error.to_string();
    let (what, remedy) = text.split_once("; ").unwrap_or((&text, "use fewer of them"));
    Some(ScopeError::new(0..0, format!("the kernel cannot {what}"), remedy))
}
