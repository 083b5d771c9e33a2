//! A directory of the test's own: a fake home, guarded files, benign ones, room for the attackers.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::attack::technique::Content;
use crate::secret::Secret;

/// The directory, removed with the value.
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// A new directory with `home`, `guarded`, `benign`, `inside` and `outside` in it.
    ///
    /// # Errors
    /// Those of making directories.
    pub fn new() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("scopeward-test-").tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        for name in ["home", "guarded", "benign", "inside", "outside"] {
            std::fs::create_dir(directory.path().join(name))?;
        }
        Ok(Self { directory })
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
