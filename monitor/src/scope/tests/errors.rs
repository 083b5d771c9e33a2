//! What a scope file with errors gets.

use crate::scope::{error::ScopeErrors, parse::parse};

fn shown(errors: &ScopeErrors) -> String {
    let line = |error: &crate::scope::error::ScopeError| {
        let (line, column) = error.line_and_column(&errors.source_text);
        format!("{line}:{column} {}\n    → {}\n", error.message, error.remedy)
    };
    errors.errors.iter().map(line).collect()
}

const WHOLE: &str = include_str!("product.toml");

#[test]
fn the_contracts_example_reads() {
    let scope = parse("claude-code.toml", WHOLE).unwrap_or_else(|errors| panic!("{}", shown(&errors)));
    assert_eq!(scope.name, "claude-code");
    assert_eq!(scope.matches.len(), 3);
    assert_eq!(scope.network.allow.len(), 7);
    assert_eq!(scope.files.rules[0].unless[0].then_to.len(), 1);
    assert_eq!(scope.budgets.len(), 2);
    assert_eq!(scope.freeze.unwrap().timeout.as_secs(), 900);
}

#[test]
fn all_errors_come_at_once() {
    let text = r#"
name = "Bad Name"
mode = "enforcing"
expires = 2027-01-31
on-expiry = "block"
unknown = 1
extends = ["@coding-agent", 3]

[[match]]

[[match]]
unit = "agent"
cgroup = "user.slice"

[network]
defualt = "deny"
allow = ["api.example.org:0", "10.1.2.3/8", "https://x.org"]
[[network.rule]]
to = ["@privat", "10.0.0.1:22"]
port = [22, "http"]
response = "alow"
weight = -1

[files]
default = "warn"
[[files.rule]]
path = ["/x"]
paths = ["@credential", "@credentials/ssh", "a/b", "/a/*b*"]
access = ["execute"]
response = "terminate"
[[files.rule.unless]]
paths = ["/x"]
[[files.rule]]
paths = ["/y"]

[exec]
[[exec.rule]]
response = "deny"

[[sockets.rule]]
path = "@a*b*"
response = "freeze"

[processes]
trace = true

[[budget]]
weight = 0
within = "soon"
response = "deny"

[freeze]
timeout = "0s"
then = "explode"
"#;
    let errors = parse("bad.toml", text).unwrap_err();
    insta::assert_snapshot!(shown(&errors));
}

#[test]
fn a_syntax_error_stands_alone() {
    let errors = parse("bad.toml", "name = \"x\"\n[network\ndefault = 1\n").unwrap_err();
    insta::assert_snapshot!(shown(&errors));
}

#[test]
fn a_file_without_a_name_is_called_like_the_file() {
    assert_eq!(
        parse("/etc/scopeward/scopes/my-agent.toml", "").unwrap().name,
        "my-agent"
    );
    assert!(parse("-", "").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(lines in proptest::collection::vec(proptest::sample::select(WHOLE.lines().collect::<Vec<_>>()), 0..30)) {
        // Lines of a good file in any order: mostly TOML, mostly nonsense.
        if let Err(errors) = parse("x.toml", &lines.join("\n")) {
            proptest::prop_assert!(!errors.errors.is_empty());
        }
    }
}
