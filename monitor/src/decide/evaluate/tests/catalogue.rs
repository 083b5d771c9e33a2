//! The credential catalogue and the built-in scopes.

use std::{collections::HashSet, path::Path};

use crate::{
    decide::{
        act_facts::{ActFacts, FileFacts},
        evaluate::evaluate,
    },
    scope::{
        builtin,
        effective::Effective,
        extends::ScopeFile,
        merge::effective,
        sets::credentials::classes,
        tests::effective_of,
        words::{Access, Response},
    },
};

fn home(scope: &str) -> Effective {
    let file = ScopeFile::builtin(scope)
        .unwrap()
        .unwrap_or_else(|errors| panic!("{errors}"));
    effective(&file, &|_| None)
        .unwrap()
        .resolve(Path::new("/home/dev"))
}

fn asked(scope: &Effective, path: &str, access: Access, exe: &str) -> Response {
    let lineage = [
        "/home/dev/.local/share/claude/versions/2.1.150".to_owned(),
        "/usr/bin/bash".to_owned(),
    ];
    let file = FileFacts {
        path,
        guarded_as: None,
        access: &[access],
        exe,
        lineage: &lineage,
    };
    evaluate(scope, &ActFacts::File(file)).response
}

#[test]
fn every_class_is_whole() {
    let mut ids = HashSet::new();
    for class in classes() {
        assert!(ids.insert(class.id), "{} stands twice", class.id);
        assert!(
            !class.paths.is_empty() && (class.read || class.write),
            "{}",
            class.id
        );
        assert_eq!(
            class.response == Response::Allow,
            class.exempt_of.is_some(),
            "{}",
            class.id
        );
        assert!(!class.guard || class.response > Response::Allow, "{}", class.id);
        if let Some(of) = &class.exempt_of {
            assert!(
                classes().iter().any(|known| known.id == of),
                "{} is carved out of {of}",
                class.id
            );
        }
        for reader in &class.readers {
            assert!(
                !reader.exe.is_empty(),
                "{} has a reader without a program",
                class.id
            );
        }
    }
    assert!(ids.len() >= 45, "{} classes", ids.len());
}

#[test]
fn every_builtin_scope_reads() {
    for one in builtin::all() {
        let scope = home(one.name);
        assert_eq!(scope.name, one.name);
        assert_eq!(scope.matches.is_empty(), !one.agent);
    }
}

#[test]
fn foreign_readers_of_secrets_die() {
    let scope = home("claude-code");
    for path in [
        "/home/dev/.ssh/id_ed25519",
        "/home/dev/.aws/credentials",
        "/home/dev/.aws/sso/cache/abc.json",
        "/home/dev/.config/gcloud/application_default_credentials.json",
        "/home/dev/.azure/msal_token_cache.json",
        "/home/dev/.kube/config",
        "/home/dev/.docker/config.json",
        "/home/dev/.git-credentials",
        "/home/dev/.config/gh/hosts.yml",
        "/home/dev/.gnupg/private-keys-v1.d/ABC.key",
        "/home/dev/.mozilla/firefox/x.default/logins.json",
        "/home/dev/.config/google-chrome/Default/Login Data",
        "/home/dev/.config/chromium/Default/Cookies",
        "/home/dev/.bitcoin/wallet.dat",
        "/home/dev/.config/solana/id.json",
        "/home/dev/.local/share/keyrings/login.keyring",
        "/home/dev/.password-store/work/mail.gpg",
        "/home/dev/.vault-token",
        "/home/dev/.cargo/credentials.toml",
        "/home/dev/.pgpass",
        "/home/dev/.codex/auth.json",
        "/home/dev/.claude/.credentials.json",
        "/etc/shadow",
        "/etc/ssh/ssh_host_ed25519_key",
        "/tmp/krb5cc_1000",
    ] {
        assert_eq!(
            asked(&scope, path, Access::Read, "/usr/bin/cat"),
            Response::Kill,
            "cat {path}"
        );
        assert_eq!(
            asked(&scope, path, Access::Read, "/usr/bin/python3.11"),
            Response::Kill,
            "python {path}"
        );
    }
    assert_eq!(
        asked(
            &scope,
            "/home/dev/.ssh/authorized_keys",
            Access::Write,
            "/usr/bin/bash"
        ),
        Response::Kill
    );
}

#[test]
fn honest_work_goes_on() {
    let scope = home("claude-code");
    let claude = "/home/dev/.local/share/claude/versions/2.1.150";
    for (path, access, exe) in [
        ("/home/dev/.ssh/id_ed25519", Access::Read, "/usr/bin/ssh"),
        ("/home/dev/.ssh/id_ed25519.pub", Access::Read, "/usr/bin/cat"),
        ("/home/dev/.ssh/known_hosts", Access::Read, "/usr/bin/cat"),
        ("/home/dev/.ssh/known_hosts", Access::Write, "/usr/bin/ssh"),
        ("/home/dev/.ssh/config", Access::Read, "/usr/bin/ssh"),
        ("/home/dev/.gitconfig", Access::Read, "/usr/bin/git"),
        ("/home/dev/.npmrc", Access::Read, "/usr/bin/node"),
        (
            "/home/dev/.npmrc",
            Access::Read,
            "/home/dev/.nvm/versions/node/v22.0.0/bin/node",
        ),
        ("/home/dev/.bashrc", Access::Read, "/usr/bin/bash"),
        (
            "/home/dev/.config/pip/pip.conf",
            Access::Read,
            "/usr/bin/python3.11",
        ),
        (
            "/home/dev/.git-credentials",
            Access::Read,
            "/usr/lib/git-core/git-credential-store",
        ),
        ("/home/dev/.config/gh/hosts.yml", Access::Read, "/usr/bin/gh"),
        (
            "/home/dev/.cargo/credentials.toml",
            Access::Read,
            "/home/dev/.rustup/toolchains/stable-x86_64-unknown-linux-gnu/bin/cargo",
        ),
        ("/home/dev/.claude/.credentials.json", Access::Read, claude),
        ("/home/dev/.claude/.credentials.json", Access::Write, claude),
        ("/etc/shadow", Access::Read, "/usr/bin/sudo"),
        ("/etc/passwd", Access::Read, "/usr/bin/cat"),
        ("/etc/ssl/certs/ca.pem", Access::Read, "/usr/bin/curl"),
        (
            "/usr/lib/python3/dist-packages/certifi/cacert.pem",
            Access::Read,
            "/usr/bin/python3.11",
        ),
        ("/home/dev/src/app/.env.example", Access::Read, "/usr/bin/cat"),
        ("/home/dev/src/app/main.rs", Access::Write, claude),
    ] {
        assert_eq!(
            asked(&scope, path, access, exe),
            Response::Allow,
            "{exe} on {path}"
        );
    }
    for (path, access, exe) in [
        ("/home/dev/src/app/.env", Access::Read, "/usr/bin/python3.11"),
        ("/home/dev/.netrc", Access::Read, "/usr/bin/python3.11"),
        ("/home/dev/.npmrc", Access::Read, "/usr/bin/cat"),
        ("/home/dev/.bashrc", Access::Write, "/usr/bin/bash"),
        ("/home/dev/.bash_history", Access::Read, "/usr/bin/grep"),
        ("/home/dev/src/app/.mcp.json", Access::Write, claude),
    ] {
        assert_eq!(
            asked(&scope, path, access, exe),
            Response::Flag,
            "{exe} on {path}"
        );
    }
}

#[test]
fn an_agent_that_runs_as_root_may_read_its_own_home() {
    let scope = effective_of("extends = [\"@coding-agent\"]");
    let at = |home: &str| {
        asked(
            &scope.resolve(Path::new(home)),
            "/root/notes",
            Access::Read,
            "/usr/bin/cat",
        )
    };
    assert_eq!(at("/root"), Response::Allow);
    assert_eq!(at("/home/dev"), Response::Flag);
}

#[test]
fn a_response_of_its_own_covers_the_guarded_classes_only() {
    let scope = effective_of("[[files.rule]]\npaths = [\"@credentials\"]\nresponse = \"deny\"")
        .resolve(Path::new("/home/dev"));
    let cat = |path| asked(&scope, path, Access::Read, "/usr/bin/cat");
    assert_eq!(cat("/home/dev/.ssh/id_rsa"), Response::Deny);
    assert_eq!(cat("/home/dev/.ssh/id_rsa.pub"), Response::Allow);
    assert_eq!(cat("/srv/app/.env"), Response::Allow);
    assert_eq!(
        asked(&scope, "/home/dev/.ssh/id_rsa", Access::Read, "/usr/bin/ssh"),
        Response::Allow
    );
    assert_eq!(
        scope.files.class_of("/home/dev/.ssh/id_rsa"),
        Some("ssh-private-keys")
    );
    assert_eq!(
        scope.files.class_of("/home/dev/.ssh/id_rsa.pub"),
        Some("ssh-public-keys")
    );
    assert_eq!(scope.files.class_of("/srv/x"), None);
}

#[test]
fn a_sanctioned_use_written_in_the_rule_replaces_the_catalogues() {
    let text = "[[files.rule]]\npaths = [\"@credentials\"]\nresponse = \"kill\"\n[[files.rule.unless]]\nexe = \"/usr/bin/ssh\"\n\
                ancestor = \"/usr/bin/git\"\npaths = [\"~/.ssh/id_*\"]";
    let scope = effective_of(text).resolve(Path::new("/home/dev"));
    let by = |path, exe, above: &str| {
        let lineage = [above.to_owned()];
        let file = FileFacts {
            path,
            guarded_as: None,
            access: &[Access::Read],
            exe,
            lineage: &lineage,
        };
        evaluate(&scope, &ActFacts::File(file)).response
    };
    assert_eq!(
        by("/home/dev/.ssh/id_rsa", "/usr/bin/ssh", "/usr/bin/git"),
        Response::Allow
    );
    assert_eq!(
        by("/home/dev/.ssh/id_rsa", "/usr/bin/ssh", "/usr/bin/bash"),
        Response::Kill
    );
    assert_eq!(
        by("/home/dev/.config/gh/hosts.yml", "/usr/bin/gh", "/usr/bin/bash"),
        Response::Allow
    );
}
