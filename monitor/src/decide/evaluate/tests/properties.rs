//! What holds for every scope.

use proptest::prelude::*;

use super::{READ, WRITE, connect, exec, file, scope};
use crate::scope::words::Response;

/// Rules over a few paths and endpoints that overlap often.
fn rule() -> impl Strategy<Value = String> {
    let response = prop::sample::select(Response::ALL.map(Response::word).to_vec());
    let path = prop::sample::select(vec![
        "/a/b", "/a/*", "/a/**", "/a/**/b", "**/b", "*", "**/a/**", "/a/*/c", "/**",
    ]);
    let access = prop::sample::select(vec!["read", "write"]);
    let to = prop::sample::select(vec![
        "10.0.0.1",
        "10.0.0.0/8",
        "@any",
        "10.0.0.1:80",
        "10.0.0.0/8:80-90/tcp",
        "n.org:80",
        "*.org",
    ]);
    let exe = prop::sample::select(vec!["/a/b", "/a/*", "**/b"]);
    prop_oneof![
        (path.clone(), access, response.clone(), any::<bool>()).prop_map(|(p, a, r, unless)| {
            let unless = if unless {
                "\n[[files.rule.unless]]\nexe = \"/usr/bin/cat\""
            } else {
                ""
            };
            format!("[[files.rule]]\npaths = [\"{p}\"]\naccess = \"{a}\"\nresponse = \"{r}\"{unless}")
        }),
        (to, response.clone())
            .prop_map(|(t, r)| format!("[[network.rule]]\nto = [\"{t}\"]\nresponse = \"{r}\"")),
        (exe, response).prop_map(|(e, r)| format!("[[exec.rule]]\nexe = [\"{e}\"]\nresponse = \"{r}\"")),
    ]
}

fn responses(text: &str) -> Vec<Response> {
    let scope = scope(text);
    let paths = ["/a/b", "/a", "/a/c/b", "/a/x/c", "/b", "/x"];
    let files = paths
        .iter()
        .flat_map(|path| [file(&scope, path, READ), file(&scope, path, WRITE)]);
    let addresses = [
        ("10.0.0.1", 80),
        ("10.0.0.2", 85),
        ("10.0.0.2", 1),
        ("192.0.2.7", 80),
    ];
    let connects = addresses.iter().flat_map(|(to, port)| {
        [
            connect(&scope, to, *port, &[]),
            connect(&scope, to, *port, &["n.org"]),
        ]
    });
    let execs = paths.iter().map(|path| exec(&scope, &[path]));
    files
        .chain(connects)
        .chain(execs)
        .map(|verdict| verdict.response)
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_rules_does_not_matter(rules in prop::collection::vec(rule(), 0..8), by in 0..8usize) {
        let mut turned = rules.clone();
        turned.reverse();
        turned.rotate_left(by.min(rules.len().saturating_sub(1)));
        prop_assert_eq!(responses(&rules.join("\n")), responses(&turned.join("\n")));
    }

    #[test]
    fn adding_a_stronger_equal_rule_never_weakens(rules in prop::collection::vec(rule(), 1..8), which in any::<prop::sample::Index>()) {
        // Without its own sanctioned uses: those of the stronger rule hold, and `scope check` says that the other never decides.
        let chosen = which.get(&rules).split("\n[[files.rule.unless]]").next().expect("a rule").to_owned();
        let stronger = Response::ALL.iter().fold(chosen.clone(), |text, r| text.replace(&format!("response = \"{}\"", r.word()), "response = \"kill\""));
        let mut more = rules.clone();
        more.push(stronger);
        let (before, after) = (responses(&rules.join("\n")), responses(&more.join("\n")));
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(after >= before, "{rules:?}");
        }
    }

    #[test]
    fn what_is_not_allowed_says_what_would_have_allowed_it(rules in prop::collection::vec(rule(), 0..8)) {
        let scope = scope(&rules.join("\n"));
        for path in ["/a/b", "/a/c/b", "/b"] {
            let verdict = file(&scope, path, READ);
            prop_assert_eq!(verdict.instead.is_some(), verdict.response != Response::Allow);
            prop_assert_eq!(verdict.weight > 0, verdict.response != Response::Allow);
        }
    }
}
