//! Debian's archive: packages unpacked into a folder as anybody, or installed as root.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// What every system has that can run a Rust toolchain; never unpacked, since a second C library beside
/// the system's would break more than it helps.
const GIVEN: [&str; 6] = ["libc6", "libgcc-s1", "libstdc++6", "gcc", "libc6-dev", "binutils"];

/// The archive as this host knows it, or as freshly listed in a folder of ours.
pub struct Archive {
    options: Vec<OsString>,
}

/// Whether this host has apt and dpkg at all.
pub fn available() -> bool {
    ["apt-get", "apt-cache", "dpkg-deb"]
        .iter()
        .all(|name| process::find_program(name).is_some())
}

impl Archive {
    /// The archive by the lists that the host already has.
    pub fn of_host() -> Self {
        Self { options: Vec::new() }
    }

    /// The archive by lists fetched now into `folder`; needs no root, and leaves the host's lists alone.
    ///
    /// # Errors
    /// A sentence, when the folder cannot be written or the archive not be reached.
    pub fn listed_in(folder: &Path) -> Result<Self, String> {
        fs::create_dir_all(folder.join("lists/partial"))
            .and_then(|()| fs::create_dir_all(folder.join("cache/archives/partial")))
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        let archive = Self {
            options: lists_in(folder),
        };
        if let Err(reason) = process::read(archive.command("apt-get").args(["-q", "update"])) {
            // A host's own hook that needs root makes it fail after the lists have come.
            let lists = fs::read_dir(folder.join("lists")).into_iter().flatten().flatten();
            let came = lists
                .map(|entry| entry.file_name())
                .any(|name| name.to_string_lossy().contains("_Packages"));
            if !came {
                return Err(reason);
            }
        }
        Ok(archive)
    }

    /// The archive by the lists that `listed_from` fetched into `folder` some time ago.
    pub fn already_listed_in(folder: &Path, architecture: &str) -> Self {
        let mut options = lists_in(folder);
        let sources = folder.join("sources.list");
        let option = |name: &str, value: &OsStr| {
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            [OsString::from("-o"), word]
        };
        options.extend(option("Dir::Etc::sourcelist", sources.as_os_str()));
        for (name, value) in [
            ("Dir::Etc::sourceparts", "-"),
            ("Dir::Etc::preferences", "-"),
            ("Dir::Etc::preferencesparts", "-"),
            ("APT::Architecture", architecture),
            ("APT::Architectures", architecture),
            ("Acquire::Languages", "none"),
            // Some hosts (container images) keep none, and would index all lists for every question.
            ("Dir::Cache::pkgcache", "pkgcache.bin"),
            ("Dir::Cache::srcpkgcache", "srcpkgcache.bin"),
            ("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false"),
        ] {
            options.extend(option(name, OsStr::new(value)));
        }
        Self { options }
    }

    /// The archive of `sources` (lines as in a `sources.list`) for `architecture`, listed now into `folder`.
    ///
    /// # Errors
    /// A sentence, when the folder cannot be written or a source not be reached.
    pub fn listed_from(folder: &Path, sources: &str, architecture: &str) -> Result<Self, String> {
        fs::create_dir_all(folder.join("lists/partial"))
            .and_then(|()| fs::create_dir_all(folder.join("cache/archives/partial")))
            .and_then(|()| fs::write(folder.join("sources.list"), sources))
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        let archive = Self::already_listed_in(folder, architecture);
        process::read(archive.command("apt-get").args(["-q", "update"]))?;
        Ok(archive)
    }

    /// The paragraphs that describe every version of the packages whose names fit `pattern`.
    ///
    /// # Errors
    /// apt's own words.
    pub fn describe(&self, pattern: &str) -> Result<Vec<String>, String> {
        let found = process::read(self.command("apt-cache").args(["pkgnames"]))?;
        let names: Vec<&str> = found.lines().filter(|name| fits(name, pattern)).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let shown = process::read(self.command("apt-cache").arg("show").args(names))?;
        let paragraphs = shown.split("\n\n").filter(|text| !text.trim().is_empty());
        Ok(paragraphs.map(str::to_owned).collect())
    }

    /// Downloads the files of `packages` (name, version) into `folder`.
    ///
    /// # Errors
    /// A sentence, when the archive does not have one of them.
    pub fn download(&self, packages: &[(&str, &str)], folder: &Path) -> Result<(), String> {
        fs::create_dir_all(folder).map_err(|error| format!("cannot use {}: {error}", folder.display()))?;
        let names = packages.iter().map(|(name, version)| format!("{name}={version}"));
        process::read(
            self.command("apt-get")
                .arg("download")
                .args(names)
                .current_dir(folder),
        )
        .map(drop)
    }

    /// The version that would be installed of each of `packages` and of everything they need beyond a
    /// bare system, by name.
    ///
    /// # Errors
    /// A sentence naming the first package that the archive does not have.
    pub fn closure(&self, packages: &[&str]) -> Result<BTreeMap<String, String>, String> {
        let mut versions = BTreeMap::new();
        let mut waiting: Vec<String> = packages.iter().map(|&name| name.to_owned()).collect();
        while !waiting.is_empty() {
            let shown = process::read(
                self.command("apt-cache")
                    .args(["show", "--no-all-versions"])
                    .args(&waiting),
            )?;
            let mut needed = Vec::new();
            for stanza in shown.split("\n\n").filter(|stanza| !stanza.trim().is_empty()) {
                versions.insert(
                    field(stanza, "Package").to_owned(),
                    field(stanza, "Version").to_owned(),
                );
                needed.extend(first_choices(field(stanza, "Depends")));
            }
            needed.retain(|name| !versions.contains_key(name) && !GIVEN.contains(&name.as_str()));
            needed.sort();
            needed.dedup();
            waiting = needed;
        }
        Ok(versions)
    }

    /// Downloads `packages` into `scratch` and unpacks them under `root`.
    ///
    /// # Errors
    /// A sentence, when the archive no longer has a listed version, or the disk is full.
    pub fn unpack(
        &self,
        packages: &BTreeMap<String, String>,
        scratch: &Path,
        root: &Path,
    ) -> Result<(), String> {
        let broken = |error: std::io::Error| format!("cannot use {}: {error}", scratch.display());
        fs::create_dir_all(scratch).map_err(broken)?;
        let wanted: Vec<(&str, &str)> = packages
            .iter()
            .map(|(name, version)| (name.as_str(), version.as_str()))
            .collect();
        self.download(&wanted, scratch)?;
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(scratch).map_err(broken)? {
            files.push(entry.map_err(broken)?.path());
        }
        for file in files {
            process::read(Command::new("dpkg-deb").arg("-x").arg(&file).arg(root))?;
            fs::remove_file(&file).map_err(broken)?;
        }
        Ok(())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Without the sandbox option apt warns that its own user cannot write to our folder.
        command
            .env("LC_ALL", "C")
            .args(["-o", "APT::Sandbox::User=root"])
            .args(&self.options);
        command
    }
}

/// The value of the field `name` in a paragraph about a package.
pub fn field<'a>(paragraph: &'a str, name: &str) -> &'a str {
    let lines = paragraph
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    lines.unwrap_or_default()
}

/// The options that keep lists and packages in `folder`.
fn lists_in(folder: &Path) -> Vec<OsString> {
    let option = |name: &str, part: &str| {
        let mut word = OsString::from(format!("{name}="));
        word.push(folder.join(part));
        [OsString::from("-o"), word]
    };
    [
        option("Dir::State::lists", "lists"),
        option("Dir::Cache", "cache"),
    ]
    .concat()
}

/// Whether `name` is `pattern`, in which one `*` stands for anything.
fn fits(name: &str, pattern: &str) -> bool {
    let Some((start, end)) = pattern.split_once('*') else {
        return name == pattern;
    };
    name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
}

/// Installs the package of each of `programs` (name, package) that is not on this host.
///
/// # Errors
/// Those of [`install`].
pub fn ensure(programs: &[(&str, &str)], why: &str) -> Result<(), String> {
    let missing = programs
        .iter()
        .filter(|(program, _)| process::find_program(program).is_none());
    let packages: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        Ok(())
    } else {
        install(&packages, why)
    }
}

/// Installs `packages` on this host, saying `why`.
///
/// # Errors
/// A sentence with the command to type, when this is not root or the host has no apt; apt's own words
/// when it fails.
pub fn install(packages: &[&str], why: &str) -> Result<(), String> {
    let list = packages.join(" ");
    if !available() {
        return Err(format!(
            "{why}: install {list} (these are Debian's names) with this system's package manager"
        ));
    }
    if !process::is_root()? {
        return Err(format!(
            "{why}: run `sudo apt-get install {list}`, or this as root"
        ));
    }
    eprintln!("setup: installing {list}: {why}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C")
            .arg("-q");
        command
    };
    let install = || {
        process::read(
            apt()
                .args(["install", "-y", "--no-install-recommends"])
                .args(packages),
        )
    };
    // A fresh machine has no lists, an old one has lists of versions that are gone.
    if install().is_err() {
        process::read(apt().arg("update"))?;
        install()?;
    }
    Ok(())
}

/// The first alternative of each entry of a `Depends` field, without versions and architectures.
fn first_choices(depends: &str) -> impl Iterator<Item = String> {
    let entries = depends.split(',').map(|entry| {
        entry
            .trim()
            .split([' ', '|', ':', '('])
            .next()
            .unwrap_or_default()
    });
    entries.filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{first_choices, fits};

    #[test]
    fn a_star_stands_for_anything_and_without_one_the_name_is_exact() {
        assert!(fits(
            "linux-image-6.1.0-50-cloud-amd64",
            "linux-image-6.1.*-cloud-amd64"
        ));
        assert!(!fits(
            "linux-image-6.1.0-50-cloud-amd64-dbg",
            "linux-image-6.1.*-cloud-amd64"
        ));
        assert!(!fits(
            "linux-image-6.12.1-cloud-amd64",
            "linux-image-6.1.*-cloud-amd64"
        ));
        assert!(!fits("zstd-dbg", "zstd"));
    }

    #[test]
    fn a_depends_field_is_read_by_first_alternative_and_bare_name() {
        let field = "libc6 (>= 2.34), libstd-rust-web-dev (= 1.96.0+dfsg1-1), gcc | c-compiler, python3:any";
        let names: Vec<String> = first_choices(field).collect();
        assert_eq!(names, ["libc6", "libstd-rust-web-dev", "gcc", "python3"]);
        assert_eq!(first_choices("").count(), 0);
    }
}
