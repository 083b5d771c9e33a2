//! Where the bench plays: the daemon's directories and settings, the files that are opened, and the machine's turn.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::bench::scopes::Scope;

/// The same file as the end-to-end tests lock: what loads programs into the kernel, or counts on timing, takes turns.
const TURN: &str = "scopeward-tests.lock";

/// The directory of one bench; removed with the value.
pub struct Stage {
    root: PathBuf,
}

impl Stage {
    /// Lays it out.
    ///
    /// # Errors
    /// A sentence, when the disk is full.
    pub fn build() -> Result<Self, String> {
        let stage = Self {
            root: std::env::temp_dir().join(format!("scopeward-bench-{}", std::process::id())),
        };
        for folder in ["state", "run", "scopes", "files", "guarded", "cuts"] {
            make(&stage.path(folder))?;
        }
        stage.write("files/plain", "plain\n")?;
        stage.write("daemon.toml", &stage.paths())?;
        Ok(stage)
    }

    /// The daemon's settings, as far as they are about places.
    pub fn paths(&self) -> String {
        format!(
            "[paths]\nstate = {:?}\nrun = {:?}\nscopes = {:?}\n",
            self.path("state"),
            self.path("run"),
            self.path("scopes")
        )
    }

    /// `name` below the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes `text` into the file `name`.
    ///
    /// # Errors
    /// A sentence, when the disk is full.
    pub fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|error| unwritable(&path, &error))
    }

    /// Makes `scope` the only one that the next daemon loads.
    ///
    /// # Errors
    /// A sentence, when the directory cannot be written.
    pub fn declare(&self, scope: Option<&Scope>) -> Result<(), String> {
        empty(&self.path("scopes"))?;
        // Each daemon begins with nothing, as the first one did.
        empty(&self.path("state"))?;
        match scope {
            Some(scope) => self.write(&format!("scopes/{}.toml", scope.name), &scope.text),
            None => Ok(()),
        }
    }

    /// An empty directory called `name`, in memory where there is a place for that: a disk would set the pace.
    ///
    /// # Errors
    /// A sentence, when it cannot be made.
    pub fn in_memory(&self, name: &str) -> Result<InMemory, String> {
        let memory = Path::new("/dev/shm");
        let path = if memory.is_dir() {
            memory.join(format!("scopeward-bench-{}-{name}", std::process::id()))
        } else {
            self.path(name)
        };
        make(&path)?;
        Ok(InMemory { path })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        remove(&self.root);
    }
}

/// A directory in memory; removed with the value.
pub struct InMemory {
    path: PathBuf,
}

impl InMemory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// The machine for one measurement; it ends with the value.
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for it.
    ///
    /// # Errors
    /// A sentence, when the file cannot be made or locked.
    pub fn take() -> Result<Self, String> {
        let path = std::env::temp_dir().join(TURN);
        let file = File::create(&path).map_err(|error| unwritable(&path, &error))?;
        file.lock()
            .map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
        Ok(Self { _lock: file })
    }
}

fn make(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| unwritable(path, &error))
}

fn empty(path: &Path) -> Result<(), String> {
    fs::remove_dir_all(path).map_err(|error| unwritable(path, &error))?;
    make(path)
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path) {
        eprintln!("bench: {} is left behind: {error}", path.display());
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
