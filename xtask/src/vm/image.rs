//! The first file system of a machine: the init, the programs under test and what they call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::newc::Archive;
use crate::process;

/// Programs of this host that tests call, taken along with their libraries; a test whose program is missing says so.
const TOOLS: [&str; 34] = [
    "bash", "cat", "chmod", "chown", "cp", "dash", "date", "dd", "echo", "env", "false", "grep", "head",
    "id", "ip", "ln", "ls", "mkdir", "mount", "mv", "nohup", "python3", "readlink", "rm", "script", "seq",
    "setpriv", "setsid", "sh", "sleep", "tail", "touch", "true", "umount",
];

/// What of Python's library its start needs.
const PYTHON_PARTS: [&str; 3] = ["", "encodings", "collections"];

/// Small files that a system has.
const FILES: [(&str, &str); 5] = [
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n",
    ),
    ("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    (
        "/etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files dns\n",
    ),
    (
        "/etc/os-release",
        "ID=guest\nPRETTY_NAME=\"A virtual machine of cargo xtask vm\"\n",
    ),
];

/// Files to put in, by their path there: where they are here.
#[derive(Default)]
pub struct Contents {
    programs: BTreeMap<String, PathBuf>,
    plain: BTreeMap<String, Vec<u8>>,
}

impl Contents {
    /// Everything that is the same for all machines: tools and small files.
    pub fn of_host() -> Self {
        let mut contents = Self::default();
        for tool in TOOLS {
            if let Some(path) = own_program(tool) {
                contents.program(&format!("/usr/bin/{tool}"), &path);
            }
        }
        contents.program_if("/usr/sbin/ip", process::find_program("ip"));
        for (path, text) in FILES {
            contents.plain(path, text.as_bytes().to_vec());
        }
        contents.python();
        contents
    }

    /// Puts in the program `from` as `path`, with the libraries it names.
    pub fn program(&mut self, path: &str, from: &Path) {
        self.programs.insert(path.to_owned(), from.to_owned());
    }

    /// Puts in a file with this content.
    pub fn plain(&mut self, path: &str, content: Vec<u8>) {
        self.plain.insert(path.to_owned(), content);
    }

    fn program_if(&mut self, path: &str, from: Option<PathBuf>) {
        if let Some(from) = from {
            self.program(path, &from);
        }
    }

    fn python(&mut self) {
        let Some(library) = python_library() else { return };
        for part in PYTHON_PARTS {
            let entries = fs::read_dir(library.join(part)).into_iter().flatten().flatten();
            for path in entries.map(|entry| entry.path()) {
                if path.extension().is_some_and(|extension| extension == "py")
                    && let (Ok(content), Some(place)) = (fs::read(&path), path.to_str())
                {
                    self.plain(place, content);
                }
            }
        }
    }

    /// The whole file system, as an archive. `scratch` is a folder for stripped copies.
    ///
    /// # Errors
    /// A sentence naming the file that cannot be read.
    pub fn pack(&self, scratch: &Path) -> Result<Vec<u8>, String> {
        let mut archive = Archive::default();
        for (link, target) in [
            ("bin", "usr/bin"),
            ("sbin", "usr/sbin"),
            ("lib", "usr/lib"),
            ("lib64", "usr/lib64"),
        ] {
            archive.link(link, target);
        }
        for folder in [
            "/usr/lib64",
            "/root",
            "/proc",
            "/sys",
            "/tmp",
            "/run",
            "/var/lib",
            "/etc/scopeward",
        ] {
            archive.directory(folder);
        }
        archive.device("/dev/console", 5, 1);
        archive.device("/dev/null", 1, 3);
        let mut libraries = BTreeSet::new();
        for (path, from) in &self.programs {
            libraries.extend(libraries_of(from)?);
            archive.file(path, 0o755, &stripped(from, scratch)?);
        }
        for library in libraries {
            let content = fs::read(&library).map_err(|error| format!("{}: {error}", library.display()))?;
            let named = library.display().to_string();
            // As on this host, /lib and /lib64 are links into /usr.
            let place = if named.starts_with("/usr/") {
                named
            } else {
                format!("/usr{named}")
            };
            archive.file(&place, 0o755, &content);
        }
        for (path, content) in &self.plain {
            archive.file(path, 0o644, content);
        }
        Ok(archive.finish())
    }
}

/// The program `name`: the distribution's own where the first on the path is a script that looks for another (pyenv and the
/// like).
fn own_program(name: &str) -> Option<PathBuf> {
    let found = process::find_program(name)?;
    let own = Path::new("/usr/bin").join(name);
    Some(if is_elf(&found) || !is_elf(&own) {
        found
    } else {
        own
    })
}

fn is_elf(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"\x7fELF"
}

/// Where Python keeps its own modules.
fn python_library() -> Option<PathBuf> {
    let program = own_program("python3")?;
    let words = ["-I", "-S", "-c", "import os;print(os.path.dirname(os.__file__))"];
    let said = process::read(Command::new(program).args(words)).ok()?;
    Some(PathBuf::from(said.trim()))
}

/// The shared libraries of the program at `path`, its loader included; none where it is no ELF program.
fn libraries_of(path: &Path) -> Result<Vec<PathBuf>, String> {
    let said = process::capture(Command::new("ldd").arg(path))?;
    let text = String::from_utf8_lossy(&said.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect())
}

/// The program's bytes, without what only a debugger reads where it has much of that.
fn stripped(path: &Path, scratch: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size < 2_000_000 || process::find_program("strip").is_none() {
        return fs::read(path).map_err(unreadable);
    }
    let copy = scratch.join("stripped");
    process::read(
        Command::new("strip")
            .arg("--strip-debug")
            .arg("-o")
            .arg(&copy)
            .arg(path),
    )?;
    fs::read(&copy).map_err(unreadable)
}
