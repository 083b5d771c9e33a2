//! A directory of the test's own: a fake home, guarded files, benign ones, room for the attackers.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use crate::attack::technique::Content;
use crate::programs;
use crate::secret::Secret;

/// The directory, removed with the value, together with whatever a daemon of it left in the kernel.
pub struct Scratch {
    directory: TempDir,
    held: AtomicBool,
}

impl Scratch {
    /// A new directory with `home`, `guarded`, `benign`, `inside` and `outside` in it, and what a daemon needs:
    /// `state`, `run`, `scopes`, `daemon.toml`.
    ///
    /// # Errors
    /// Those of making directories.
    pub fn new() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("scopeward-test-").tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        for name in [
            "home", "guarded", "benign", "inside", "outside", "state", "run", "scopes",
        ] {
            std::fs::create_dir(directory.path().join(name))?;
        }
        let scratch = Self {
            directory,
            held: AtomicBool::new(false),
        };
        let [state, run, scopes] = ["state", "run", "scopes"].map(|name| scratch.path(name));
        scratch.write(
            "daemon.toml",
            format!("[paths]\nstate = {state:?}\nrun = {run:?}\nscopes = {scopes:?}\n"),
        )?;
        Ok(scratch)
    }

    /// `name` below the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes `text` into the file `name`, and returns its path.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let path = self.path(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// `scopeward` with the settings of this directory, so that no test meets another's daemon or the host's.
    ///
    /// # Panics
    /// Where there is no `scopeward` program; tests ask for it first.
    #[must_use]
    pub fn scopeward<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let program = programs::scopeward().expect("the test requires the scopeward program");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("SCOPEWARD_CONFIG", self.path("daemon.toml"));
        command
            .env("HOME", self.path("home"))
            .env_remove("SUDO_UID")
            .stdin(Stdio::null());
        command
    }

    /// Notes that a daemon of this directory may leave programs in the kernel, so that they go with the directory.
    pub fn note_daemon(&self) {
        self.held.store(true, Ordering::Relaxed);
    }

    /// The name of the directory of this version's pins for this directory's daemon.
    ///
    /// # Panics
    /// Never: the mark has a colon.
    #[must_use]
    pub fn pins_name(&self) -> String {
        let layout = scopeward_abi::layout::MARK.rsplit(|byte| *byte == b':').next();
        let layout = String::from_utf8_lossy(layout.expect("the mark has a colon")).into_owned();
        let of = scopeward_abi::hash::forward(self.path("run").as_os_str().as_encoded_bytes());
        format!("v{layout}-{of:016x}")
    }

    /// The directories of pins that daemons of this directory left, of whichever version.
    #[must_use]
    pub fn pins(&self) -> Vec<PathBuf> {
        let name = self.pins_name();
        let of = name.rsplit_once('-').map_or("", |(_, of)| of);
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let bpffs = mounts.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let at = fields.next()?;
            (fields.next()? == "bpf").then_some(at)
        });
        let mut found: Vec<PathBuf> = bpffs
            .filter_map(|at| std::fs::read_dir(Path::new(at).join("scopeward")).ok())
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with(of))
            .collect();
        // A file system that is mounted twice shows them twice.
        found.sort_by_key(|path| path.file_name().map(OsStr::to_owned));
        found.dedup_by_key(|path| path.file_name().map(OsStr::to_owned));
        found
    }

    /// A file with a secret at `path`.
    ///
    /// # Errors
    /// Those of writing.
    pub fn place(&self, path: &Path, content: Content, secret: &Secret) -> io::Result<()> {
        match content {
            Content::Secret => std::fs::write(path, secret.bytes()),
            Content::Program => {
                std::fs::write(path, secret.program())?;
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            }
        }
    }
}

impl Drop for Scratch {
    /// Also where a test fails: sessions that nobody releases stay held for as long as the machine runs. `--release`
    /// goes by this directory's own `run`, and takes nobody else's pins.
    fn drop(&mut self) {
        if !self.held.load(Ordering::Relaxed) {
            return;
        }
        match self.scopeward(&["daemon", "--release"]).output() {
            Ok(output) if output.status.success() => {}
            other => eprintln!(
                "failed to release what {} holds: {other:?}",
                self.path("run").display()
            ),
        }
        // Other daemons may have found this bpffs and pinned there: then neither call succeeds, and it stays.
        let bpffs = self.path("run/bpf");
        if std::fs::remove_dir(bpffs.join("scopeward")).is_ok()
            && let Err(error) = nix::mount::umount(&bpffs)
        {
            eprintln!("failed to unmount {}: {error}", bpffs.display());
        }
    }
}
