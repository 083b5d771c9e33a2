//! The files of every package, as they lie on a host.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::sbom;
use crate::process;

/// From the checkout to the host.
const FILES: [(&str, &str); 15] = [
    (
        "monitor/package/scopeward.service",
        "usr/lib/systemd/system/scopeward.service",
    ),
    (
        "monitor/package/scopeward.socket",
        "usr/lib/systemd/system/scopeward.socket",
    ),
    (
        "monitor/package/scopeward.sysusers",
        "usr/lib/sysusers.d/scopeward.conf",
    ),
    (
        "monitor/package/scopeward.tmpfiles",
        "usr/lib/tmpfiles.d/scopeward.conf",
    ),
    ("monitor/src/config/default.toml", "etc/scopeward/daemon.toml"),
    (
        "monitor/package/scopes/claude-code.toml",
        "etc/scopeward/scopes/claude-code.toml",
    ),
    (
        "monitor/package/scopes/codex.toml",
        "etc/scopeward/scopes/codex.toml",
    ),
    (
        "monitor/package/scopeward.rules.yml",
        "usr/share/doc/scopeward/prometheus-alerts.yml",
    ),
    ("README.md", "usr/share/doc/scopeward/README.md"),
    ("CHANGELOG.md", "usr/share/doc/scopeward/CHANGELOG.md"),
    ("docs/operations.md", "usr/share/doc/scopeward/operations.md"),
    ("docs/threat-model.md", "usr/share/doc/scopeward/threat-model.md"),
    (
        "docs/scope-reference.md",
        "usr/share/doc/scopeward/scope-reference.md",
    ),
    ("LICENSE-MIT", "usr/share/doc/scopeward/LICENSE-MIT"),
    ("LICENSE-APACHE", "usr/share/doc/scopeward/LICENSE-APACHE"),
];

/// From a shell to where it looks for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/scopeward"),
    ("zsh", "usr/share/zsh/vendor-completions/_scopeward"),
    ("fish", "usr/share/fish/vendor_completions.d/scopeward.fish"),
];

/// Lays the tree anew at `tree`, with `program` in it.
///
/// # Errors
/// A sentence, when a file is missing, or the program does not write its pages.
pub fn lay(root: &Path, program: &Path, tree: &Path) -> Result<(), String> {
    if tree.exists() {
        fs::remove_dir_all(tree).map_err(|error| format!("cannot remove {}: {error}", tree.display()))?;
    }
    let bytes =
        |path: &Path| fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    put(tree, "usr/bin/scopeward", &bytes(program)?, 0o755)?;
    for (from, to) in FILES {
        put(tree, to, &bytes(&root.join(from))?, 0o644)?;
    }
    for (shell, to) in COMPLETIONS {
        let text = process::read(Command::new(program).args(["completions", shell]))?;
        put(tree, to, text.as_bytes(), 0o644)?;
    }
    let pages = tree.join("usr/share/man/man1");
    process::run(Command::new(program).arg("man").arg(&pages))?;
    for page in fs::read_dir(&pages).into_iter().flatten().flatten() {
        // Without a name and a time inside, so that it is the same each time.
        process::run(Command::new("gzip").args(["-9n"]).arg(page.path()))?;
    }
    put(
        tree,
        "usr/share/doc/scopeward/sbom.cdx.json",
        sbom::of(root)?.as_bytes(),
        0o644,
    )
}

fn put(tree: &Path, to: &str, bytes: &[u8], mode: u32) -> Result<(), String> {
    let path = tree.join(to);
    let made = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&path, bytes))
        .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(mode)));
    made.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
