//! Secrets: read from where they are kept when a destination is opened, so that a changed one is taken at the next.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::export::outcome::Trouble;
use crate::export::settings::Secret;

/// Where systemd puts a unit's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

impl Secret {
    /// The file that holds it.
    ///
    /// # Errors
    /// [`Trouble`]: it is not there, or can be read by everybody.
    pub fn path(&self) -> Result<PathBuf, Trouble> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Credential(name) => {
                let directory = std::env::var_os(CREDENTIALS).ok_or_else(|| {
                    Trouble::new(format!(
                        "the credential {name} is not there: the unit has no LoadCredential= for it"
                    ))
                })?;
                PathBuf::from(directory).join(name)
            }
        };
        let mode = std::fs::metadata(&path)
            .map_err(|error| unreadable(&path, &error))?
            .mode();
        if mode & 0o007 == 0 {
            Ok(path)
        } else {
            let path = path.display();
            Err(Trouble::new(format!(
                "everybody can read the secret {path}: chmod o-rwx {path}"
            )))
        }
    }

    /// The secret, without its final newline.
    ///
    /// # Errors
    /// [`Trouble`]: it cannot be read, is empty, or can be read by everybody.
    pub fn read(&self) -> Result<String, Trouble> {
        let path = self.path()?;
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() || text.contains(['\n', '\r']) {
            let path = path.display();
            return Err(Trouble::new(format!(
                "the secret {path} is empty, or has several lines"
            )));
        }
        Ok(text.to_owned())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(format!("cannot read the secret {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_one_line_that_not_everybody_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let secret = Secret::File(path.clone());
        let error = |secret: &Secret| secret.read().unwrap_err().why;
        assert!(error(&secret).contains("cannot read"));
        for (content, mode, expected) in [
            ("hunter2\n", 0o600, Ok("hunter2")),
            ("hunter2", 0o640, Ok("hunter2")),
            ("hunter2\n", 0o644, Err("everybody")),
            ("\n", 0o600, Err("empty")),
            ("a\nb\n", 0o600, Err("several lines")),
        ] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match expected {
                Ok(text) => assert_eq!(secret.read().unwrap(), text),
                Err(part) => {
                    let error = error(&secret);
                    assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
                }
            }
        }
    }
}
