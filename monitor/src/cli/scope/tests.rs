//! The subcommands, as a person and as a script see them.

use std::{fs, path::Path};

use clap::Parser;

use super::{ScopeArgs, Setting, run};
use crate::{cli::exit::Exit, scope::capability::Capabilities};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    scope: ScopeArgs,
}

/// Runs a command in a directory with `files`; gives the exit and what was said, with the directory's name cut off.
fn said(files: &[(&str, &str)], words: &[&str]) -> (Exit, String) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let at = |word: &str| {
        let path = dir.path().join(word);
        if path.is_file() {
            path.to_string_lossy().into_owned()
        } else {
            word.to_owned()
        }
    };
    let words = ["scope".to_owned()]
        .into_iter()
        .chain(words.iter().map(|word| at(word)));
    let args = Cli::try_parse_from(words)
        .unwrap_or_else(|error| panic!("{error}"))
        .scope;
    let setting = Setting {
        capabilities: Capabilities::tracepoint(true),
        scope_dir: dir.path().to_path_buf(),
        colour: false,
        width: 110,
        now: "2026-11-22T06:00:00Z".parse().unwrap(),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(&args, &setting, &mut out, &mut err).unwrap();
    out.extend(err);
    (exit, cut(&String::from_utf8(out).unwrap(), dir.path()))
}

fn cut(text: &str, dir: &Path) -> String {
    text.replace(&format!("{}/", dir.display()), "")
}

const BAD: &str = r#"name = "agent"
[network]
defualt = "deny"
allow = ["10.1.2.3/8", "ok.example.org"]

[[files.rule]]
paths = ["~/.ssh/id_*_*"]
response = "alow"
"#;

#[test]
fn errors_come_with_their_excerpts() {
    let (exit, text) = said(&[("bad.toml", BAD)], &["check", "bad.toml"]);
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(text);
}

#[test]
fn errors_for_scripts_have_line_and_column() {
    let (exit, text) = said(&[("bad.toml", BAD)], &["check", "--json", "bad.toml", "nowhere"]);
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(text);
}

#[test]
fn the_contracts_example_passes_with_warnings() {
    let text = include_str!("../../scope/tests/product.toml");
    let (exit, text) = said(&[("claude-code.toml", text)], &["check", "claude-code.toml"]);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text);
}

#[test]
fn strict_makes_late_decisions_errors() {
    let text =
        "mode = \"enforce\"\nstrict = true\n[[files.rule]]\npaths = [\"**/.env\"]\nresponse = \"deny\"\n";
    let (exit, text) = said(&[("agent.toml", text)], &["check", "agent.toml"]);
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(text);
}

#[test]
fn contradictions_are_named() {
    let text = r#"
expires = 2026-01-01T00:00:00Z
[network]
default = "allow"
allow = ["10.0.0.1"]
[files]
write = ["~/src/**"]
[[files.rule]]
paths = ["/x", "*.pem"]
response = "kill"
[[files.rule]]
paths = ["/x"]
access = "read"
response = "allow"
[[files.rule.unless]]
exe = "/usr/bin/ssh"
[[exec.rule]]
argv = "* --help"
response = "allow"
"#;
    let (exit, text) = said(&[("agent.toml", text)], &["check", "agent.toml"]);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text);
}

#[test]
fn builtin_scopes_are_shown_whole() {
    let (exit, text) = said(&[], &["show", "@claude-code"]);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text);
    let (exit, text) = said(&[], &["show", "--builtin"]);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!("builtin", text);
}

#[test]
fn sets_are_shown() {
    let (exit, text) = said(&[], &["show", "--set", "@metadata"]);
    assert_eq!(exit, Exit::Done);
    assert!(text.contains("169.254.169.254"));
    let (exit, text) = said(&[], &["show", "--set", "@credentials/aws"]);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text);
    let (exit, text) = said(&[], &["show", "--set", "@credentails"]);
    assert_eq!(
        (exit, text.as_str()),
        (
            Exit::Usage,
            "scopeward: there is no set `@credentails`: did you mean `@credentials`?\n"
        )
    );
}

#[test]
fn changes_are_said_in_sentences() {
    let old = "mode = \"observe\"\n[network]\ndefault = \"deny\"\nallow = [\"10.0.0.1:443\", \"10.0.0.2\"]\n[[files.rule]]\npaths = [\"/x\", \"/y\"]\n\
               response = \"kill\"\n[files]\nwrite-default = \"flag\"";
    let new = "mode = \"enforce\"\n[network]\ndefault = \"deny\"\nallow = [\"10.0.0.1:443\", \"10.0.0.3\"]\n[[files.rule]]\npaths = [\"/x\"]\n\
               response = \"flag\"\nreason = \"seen\"\n[[files.rule]]\npaths = [\"@credentials/aws\"]\nresponse = \"kill\"\n[[budget]]\nweight = 5\nwithin = \"5m\"\nresponse = \"freeze\"";
    let files = [("old.toml", old), ("new.toml", new)];
    let (exit, text) = said(&files, &["diff", "old.toml", "new.toml"]);
    assert_eq!(exit, Exit::No);
    insta::assert_snapshot!(text);
    let (exit, text) = said(&files, &["diff", "old.toml", "old.toml"]);
    assert_eq!((exit, text.as_str()), (Exit::Done, "no difference\n"));
}

#[test]
fn what_does_not_fit_the_kernel_is_an_error() {
    let rules: String = (0..65)
        .map(|n| {
            format!(
                "[[files.rule]]\npaths = [\"/k{n}\"]\nresponse = \"kill\"\n[[files.rule.unless]]\nexe = \"/bin/x{n}\"\n"
            )
        })
        .collect();
    let (exit, text) = said(
        &[("big.toml", &format!("mode = \"enforce\"\n{rules}"))],
        &["check", "big.toml"],
    );
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(text);
}
