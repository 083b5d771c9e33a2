//! The kernels of the matrix: which packages (locked with their checksums), and those packages unpacked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{mirror, programs, vmlinux};
use crate::apt::{self, Archive};
use crate::process;

/// The matrix: one kernel of each series.
pub const SERIES: [&str; 5] = ["5.10", "6.1", "6.12", "6.18", "7.3"];

/// Where the locked names are, below the root of the checkout.
const LOCK: &str = "xtask/kernels.lock";

const HEAD: &str = "\
# The kernels that `cargo xtask vm` boots and `cargo xtask btf-check` reads: series, architecture, package, version and
# SHA-256 of the package. Written by `cargo xtask vm --relock`.
";

/// One locked package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    series: String,
    architecture: String,
    name: String,
    version: String,
    sha256: String,
}

/// An unpacked kernel.
#[derive(Debug)]
pub struct Kernel {
    /// The folder with all that its packages hold, and `vmlinux`.
    pub folder: PathBuf,
    /// Its own version.
    pub version: String,
}

/// Fetches what the lock names for `series` and `architecture`, unless it is there.
///
/// # Errors
/// A sentence, when it is not there and cannot be had.
pub fn ensure(root: &Path, store: &Path, series: &str, architecture: &str) -> Result<Kernel, String> {
    let lock = read_lock(root)?;
    let packages: Vec<&Package> = lock
        .iter()
        .filter(|package| package.series == series && package.architecture == architecture)
        .collect();
    if packages.is_empty() {
        return Err(format!(
            "{LOCK} names no kernel {series} for {architecture}: `cargo xtask vm --relock`"
        ));
    }
    let version = packages[0].version.clone();
    let folder = store.join(format!("kernels/{series}-{architecture}"));
    let stamp: String = packages.iter().map(|package| line(package)).collect();
    if fs::read_to_string(folder.join("complete")).is_ok_and(|text| text == stamp) {
        return Ok(Kernel { folder, version });
    }
    let broken = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(broken)?;
    }
    fs::create_dir_all(&folder).map_err(broken)?;
    fetch(store, &packages, &folder)?;
    unpack_kernel(store, &folder)?;
    fs::write(folder.join("complete"), stamp).map_err(broken)?;
    Ok(Kernel { folder, version })
}

impl Kernel {
    /// The kernel proper.
    pub fn vmlinux(&self) -> PathBuf {
        self.folder.join("vmlinux")
    }
}

fn fetch(store: &Path, packages: &[&Package], folder: &Path) -> Result<(), String> {
    let architecture = &packages[0].architecture;
    let lists = store.join(format!("lists-{architecture}"));
    let scratch = store.join("packages");
    let wanted: Vec<(&str, &str)> = packages
        .iter()
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();
    eprintln!("vm: fetching {} {}", wanted[0].0, wanted[0].1);
    let get = |anew| mirror::archive(&lists, architecture, anew)?.download(&wanted, &scratch);
    // Lists of some time ago name packages that have been replaced.
    get(false).or_else(|_| get(true)).map_err(|reason| {
        let reason = reason.lines().next().unwrap_or_default();
        format!("{reason} (where Debian no longer has it: `cargo xtask vm --relock`)")
    })?;
    let broken = |error: std::io::Error| format!("cannot use {}: {error}", scratch.display());
    for package in packages {
        let start = format!("{}_", package.name);
        let file = fs::read_dir(&scratch)
            .map_err(broken)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(&start))
            })
            .ok_or_else(|| format!("apt left no file of {}", package.name))?;
        let sum = process::read(Command::new("sha256sum").arg(&file))?;
        if !sum.starts_with(&package.sha256) {
            return Err(format!(
                "{} is not what {LOCK} says: its SHA-256 differs",
                file.display()
            ));
        }
        process::read(Command::new("dpkg-deb").arg("-x").arg(&file).arg(folder))?;
        fs::remove_file(&file).map_err(broken)?;
    }
    Ok(())
}

fn unpack_kernel(store: &Path, folder: &Path) -> Result<(), String> {
    let boot = fs::read_dir(folder.join("boot")).into_iter().flatten().flatten();
    let image = boot
        .map(|entry| entry.path())
        .chain(module_folder(folder).map(|modules| modules.join("vmlinuz")))
        .find(|path| {
            path.is_file()
                && path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz"))
        })
        .ok_or_else(|| format!("there is no vmlinuz in {}", folder.display()))?;
    vmlinux::extract(&image, &folder.join("vmlinux"), |name| {
        programs::unpacker(store, name)
    })
}

/// The folder of the one kernel's modules in an unpacked package.
pub fn module_folder(folder: &Path) -> Option<PathBuf> {
    let places = ["lib/modules", "usr/lib/modules"].map(|place| fs::read_dir(folder.join(place)));
    let entries = places.into_iter().flatten().flatten().flatten();
    entries.map(|entry| entry.path()).find(|path| path.is_dir())
}

/// Writes the newest packages of each series into the lock.
///
/// # Errors
/// A sentence, when the archive cannot be reached or lacks a series.
pub fn relock(root: &Path, store: &Path) -> Result<(), String> {
    let mut text = HEAD.to_owned();
    for architecture in ["amd64", "arm64"] {
        let archive = mirror::archive(&store.join(format!("lists-{architecture}")), architecture, true)?;
        for series in SERIES {
            for package in newest(&archive, series, architecture)? {
                text.push_str(&line(&package));
            }
        }
    }
    let path = root.join(LOCK);
    fs::write(&path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    print!("{text}");
    Ok(())
}

fn newest(archive: &Archive, series: &str, architecture: &str) -> Result<Vec<Package>, String> {
    let mut paragraphs = archive.describe(&format!("linux-image-{series}.*-cloud-{architecture}"))?;
    paragraphs.retain(|paragraph| apt::field(paragraph, "Version").starts_with(&format!("{series}.")));
    let first = paragraphs
        .into_iter()
        .reduce(|best, other| if is_newer(&other, &best) { other } else { best })
        .ok_or_else(|| format!("Debian has no cloud kernel {series} for {architecture}"))?;
    let version = apt::field(&first, "Version");
    let image = apt::field(&first, "Package");
    let release = image.trim_start_matches("linux-image-");
    // From 7.0 the image is a package of packages.
    let parts = ["linux-binary", "linux-base", "linux-modules"].map(|part| format!("{part}-{release}"));
    let depends = apt::field(&first, "Depends");
    let split = parts.iter().all(|part| depends.contains(part.as_str()));
    let names = if split {
        parts.to_vec()
    } else {
        vec![image.to_owned()]
    };
    names
        .iter()
        .map(|name| {
            let found = archive.describe(name)?;
            let exact = found
                .iter()
                .find(|paragraph| apt::field(paragraph, "Version") == version)
                .ok_or_else(|| format!("Debian has no {name} {version}"))?;
            Ok(Package {
                series: series.to_owned(),
                architecture: architecture.to_owned(),
                name: name.clone(),
                version: version.to_owned(),
                sha256: apt::field(exact, "SHA256").to_owned(),
            })
        })
        .collect()
}

fn is_newer(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|paragraph| apt::field(paragraph, "Version"));
    let compared = Command::new("dpkg")
        .args(["--compare-versions", one, "gt", other])
        .status();
    compared.is_ok_and(|status| status.success())
}

fn read_lock(root: &Path) -> Result<Vec<Package>, String> {
    let path = root.join(LOCK);
    let text =
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse(&text)
}

fn parse(text: &str) -> Result<Vec<Package>, String> {
    let lines = text.lines().enumerate();
    let wanted = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    wanted
        .map(|(number, line)| match line.split(' ').collect::<Vec<_>>().as_slice() {
            [series, architecture, name, version, sha256] if sha256.len() == 64 => Ok(Package {
                series: (*series).to_owned(),
                architecture: (*architecture).to_owned(),
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                sha256: (*sha256).to_owned(),
            }),
            _ => Err(format!(
                "{LOCK}:{}: not `series architecture package version sha256`: `cargo xtask vm --relock` writes it anew",
                number + 1
            )),
        })
        .collect()
}

fn line(package: &Package) -> String {
    let Package {
        series,
        architecture,
        name,
        version,
        sha256,
    } = package;
    format!("{series} {architecture} {name} {version} {sha256}\n")
}

#[cfg(test)]
mod tests {
    use super::{line, parse};

    #[test]
    fn a_lock_is_read_as_it_is_written_and_a_broken_line_is_named() {
        let sum = "0123456789abcdef".repeat(4);
        let text = format!("# words\n6.1 amd64 linux-image-6.1.0-50-cloud-amd64 6.1.176-1 {sum}\n");
        let read = parse(&text);
        assert_eq!(
            read.as_deref().map(|packages| line(&packages[0])),
            Ok(text[8..].to_owned())
        );
        let broken = parse("# words\n6.1 amd64 linux-image").err();
        assert!(broken.is_some_and(|why| why.contains(":2:")));
    }
}
