//! Debian's mirror as this host's own apt settings name it, with the suites that hold the kernels of the matrix.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::apt::{self, Archive};
use crate::process;

/// Suites that hold a kernel of the matrix.
const SUITES: [&str; 4] = ["bullseye", "bookworm", "trixie", "trixie-backports"];

/// What Debian signs its archives with.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The archive of all [`SUITES`] for `architecture`, listed in `folder`: as it was listed there before, or now.
///
/// # Errors
/// A sentence, when this host is no Debian, or its mirror cannot be reached.
pub fn archive(folder: &Path, architecture: &str, anew: bool) -> Result<Archive, String> {
    let lists = fs::read_dir(folder.join("lists")).into_iter().flatten().flatten();
    let packages = lists.filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"));
    if !anew && packages.count() >= SUITES.len() {
        return Ok(Archive::already_listed_in(folder, architecture));
    }
    let mirror = address()?;
    let keys = if Path::new(KEYS).is_file() {
        format!("[signed-by={KEYS}] ")
    } else {
        String::new()
    };
    let sources: String = SUITES
        .iter()
        .map(|suite| format!("deb {keys}{mirror} {suite} main\n"))
        .collect();
    eprintln!("vm: listing Debian's kernels for {architecture} at this host's own mirror");
    Archive::listed_from(folder, &sources, architecture)
}

/// Where this host gets its own release from.
///
/// # Errors
/// A sentence, when this host is no Debian.
pub fn address() -> Result<String, String> {
    if !apt::available() {
        return Err("this host has no apt to fetch Debian's kernels with".to_owned());
    }
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = |name: &str| {
        let line = release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    if value("ID") != "debian" {
        return Err("this host is no Debian, so its apt names no mirror with Debian's kernels".to_owned());
    }
    let targets = process::read(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(CODENAME) $(COMPONENT) $(REPO_URI)",
    ]))?;
    let own = value("VERSION_CODENAME");
    mirror_of(&targets, &own).ok_or_else(|| format!("this host's apt sources name no mirror for {own}"))
}

/// The mirror of the suite `own` among lines of suite, component and address.
fn mirror_of(targets: &str, own: &str) -> Option<String> {
    targets.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [suite, "main", address] if *suite == own => Some((*address).to_owned()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::mirror_of;

    #[test]
    fn the_mirror_is_that_of_the_hosts_own_release() {
        let targets = "bookworm-security main http://mirror.example/security/\n\
                       bookworm non-free http://mirror.example/elsewhere/\n\
                       bookworm main http://mirror.example/debian/\n";
        assert_eq!(
            mirror_of(targets, "bookworm").as_deref(),
            Some("http://mirror.example/debian/")
        );
        assert_eq!(mirror_of(targets, "trixie"), None);
    }
}
