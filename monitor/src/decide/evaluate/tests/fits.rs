//! The built-in scopes, and the contract's example, fit the kernel's tables.

use std::path::Path;

use crate::{
    decide::compile::{Locate, Located, Names, Node, compile},
    scope::{builtin, name_glob::NameGlob, tests::effective_of, words::Response},
};

/// A host where every path exists.
struct Everywhere;

impl Locate for Everywhere {
    fn path(&self, path: &str) -> Located {
        let node = Node {
            dev: 1,
            inode: path.len() as u64,
            generation: 0,
        };
        Located {
            object: Some(node),
            entries: vec![(node, path.to_owned())],
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

/// A host where nothing exists.
struct Nowhere;

impl Locate for Nowhere {
    fn path(&self, path: &str) -> Located {
        let missing: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        Located {
            object: None,
            entries: Vec::new(),
            missing: Some((
                Node {
                    dev: 1,
                    inode: 2,
                    generation: 0,
                },
                missing,
            )),
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

#[test]
fn builtin_scopes_fit_the_kernels_tables_with_credentials_marked_too() {
    let builtin = builtin::all().iter().map(|one| (one.name, one.source));
    for (name, source) in builtin.chain([(
        "the contract's example",
        include_str!("../../../scope/tests/product.toml"),
    )]) {
        let mut scope = effective_of(source).resolve(Path::new("/home/dev"));
        scope.borrowed_identity.response = Response::Freeze;
        assert!(scope.files.credentials.len() > 20, "{name}");
        for locate in [&Everywhere as &dyn Locate, &Nowhere] {
            if let Err(error) = compile(&scope, 1, 1, &Names::default(), locate) {
                panic!("{name}: {error}");
            }
        }
    }
}
