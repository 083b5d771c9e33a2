//! A developer's day in a session of `@coding-agent`: real tools, and files with names that secrets have too. No cut.

use std::path::Path;
use std::process::Command;

use scopeward_tests::requirement::{Need, require, say_skipped, take_turn, test_name};
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::{Ended, Session, cuts};

use crate::removal::{loose_repository, npm_project};

/// Files of a project whose names say secret, and which hold none.
const NAMES: [&str; 9] = [
    "token.rs",
    "tokenizer.py",
    "secret_sharing.py",
    "credentials.rs",
    "password_reset.html",
    "test_api_key.py",
    "passwords.md",
    ".env.example",
    "id_rsa.pub",
];

/// `script` in a session of `@coding-agent`, which has to do its work without a cut.
fn honest(scratch: &Scratch, name: &str, script: &str) -> Ended {
    let ended = Session::new(scratch, Path::new("@coding-agent"))
        .events_to(&scratch.path(name))
        .run(&["bash", "-ec", script])
        .expect("run");
    assert!(ended.status.success(), "{name}: {}", ended.stderr);
    let found: Vec<_> = cuts(&ended.events).collect();
    assert!(found.is_empty(), "{name}: {found:#?}");
    assert!(!ended.events.is_empty(), "{name}: the session was seen");
    ended
}

fn is_there(program: &str, words: &[&str]) -> bool {
    let there = Command::new(program)
        .args(words)
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        say_skipped(
            &test_name(),
            &format!("{program} {} does not work here", words.join(" ")),
        );
    }
    there
}

#[test]
fn cargo_npm_git_and_pip_at_work_are_no_cut() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let work = scratch.path("work");
    std::fs::create_dir(&work).expect("make a directory");
    let at = work.display();

    // The secret that the twin leaves alone: with it the same session is cut.
    std::fs::write(work.join("deploy.pem"), "secret").expect("write");
    let ended = Session::new(&scratch, Path::new("@coding-agent"))
        .events_to(&scratch.path("control"))
        .run(&["cat", &format!("{at}/deploy.pem")])
        .expect("run");
    assert_eq!(ended.cut_count(), 1, "{:#?}", ended.events);

    let repository = loose_repository(&work);
    honest(
        &scratch,
        "gc",
        &format!("git -C {} gc --quiet --prune=now", repository.display()),
    );

    let names = NAMES.map(|name| format!("echo nothing secret >{name}; cat {name} >&2"));
    honest(
        &scratch,
        "names",
        &format!(
            "mkdir {at}/names; cd {at}/names; git init --quiet; {}; grep -r secret . >&2; git add -A; \
             git -c user.name=t -c user.email=t@example.org commit --quiet -m names; git grep secret >&2",
            names.join("; ")
        ),
    );

    // The toolchain's own programs: a shim of rustup would look for its settings in the test's home.
    let cargo = Path::new(env!("CARGO"));
    let bin = cargo.parent().expect("cargo lies in a directory").display();
    if is_there(env!("CARGO"), &["--version"]) {
        let ended = honest(
            &scratch,
            "cargo",
            &format!(
                "export PATH={bin}:$PATH CARGO_HOME={at}/cargo-home; unset CARGO_TARGET_DIR RUSTC_WRAPPER; cd {at}; \
                 cargo new --quiet app; cargo new --quiet --lib app/token; cd app; \
                 cargo add --quiet --offline --path token; cargo build --offline --quiet; ./target/debug/app"
            ),
        );
        assert!(ended.stdout.contains("Hello, world!"), "{}", ended.stdout);
    }

    if is_there("npm", &["--version"]) {
        let (module, script) = npm_project(&work);
        honest(&scratch, "npm", &script);
        assert!(!module.join("d0/stale").exists(), "it was installed anew");
    }

    if is_there("python3", &["-m", "pip", "--version"]) {
        let ended = honest(
            &scratch,
            "pip",
            &format!(
                "cd {at}; python3 -c '{WHEEL}'; python3 -m pip install --quiet --no-index --no-cache-dir \
                 --disable-pip-version-check --root-user-action=ignore --target site passwords-1.0-py3-none-any.whl; \
                 PYTHONPATH=site python3 -c 'import passwords; print(passwords.WORD)'"
            ),
        );
        assert!(ended.stdout.contains("installed"), "{}", ended.stdout);
    }
}

/// Makes a wheel of a package with such a name.
const WHEEL: &str = r#"
import zipfile
with zipfile.ZipFile("passwords-1.0-py3-none-any.whl", "w") as wheel:
    info = "passwords-1.0.dist-info/"
    wheel.writestr("passwords/__init__.py", "from passwords.token import WORD\n")
    wheel.writestr("passwords/token.py", "WORD = \"installed\"\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: passwords\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "".join(name + ",,\n" for name in wheel.namelist()) + info + "RECORD,,\n")
"#;
