//! The file as a whole: found, read, checked.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::api::ApiSettings;
use crate::config::export::ExportTable;
use crate::config::exports;
use crate::config::limits::Limits;
use crate::config::metrics::MetricsSettings;
use crate::config::paths::Paths;
use crate::config::service::ServiceSettings;
use crate::config::store::StoreSettings;
use crate::scope::pattern::PathPattern;

/// Where the file is, unless another one is named.
pub const DEFAULT_FILE: &str = "/etc/scopeward/daemon.toml";
/// The environment variable that names another one.
pub const VARIABLE: &str = "SCOPEWARD_CONFIG";
/// What holds without a file, as a commented file.
pub const DEFAULTS: &str = include_str!("default.toml");

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where things are.
    pub paths: Paths,
    /// What is kept.
    pub store: StoreSettings,
    /// Who may ask.
    pub api: ApiSettings,
    /// Bounds.
    pub limits: Limits,
    /// Where events go besides the store.
    pub export: Vec<ExportTable>,
    /// The file that was named; `None` for the one in its usual place.
    #[serde(skip)]
    pub named: Option<PathBuf>,
    /// What changed scope files and a stop do.
    pub service: ServiceSettings,
    /// Where the metrics are served.
    pub metrics: MetricsSettings,
}

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not what it should be; says the line, and shows it.
    #[error("understand {}: {message}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with line and excerpt; several mistakes on lines of their own.
        message: String,
    },
}

impl Config {
    /// Reads `file`, which must be there; without one, [`DEFAULT_FILE`], which need not. (The CLI fills `file` from
    /// `--config` and [`VARIABLE`].)
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                named: file.map(Path::to_owned),
                ..Self::parse(&text, path)?
            }),
            Err(error) if error.kind() == ErrorKind::NotFound && file.is_none() => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// What belongs to the daemon by these settings, besides the scopes: its state, its run directory, this file.
    #[must_use]
    pub fn own(&self) -> Vec<PathPattern> {
        let file = self.named.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        vec![
            PathPattern::Tree(self.paths.state.display().to_string()),
            PathPattern::Tree(self.paths.run.display().to_string()),
            PathPattern::Exact(file.display().to_string()),
        ]
    }

    /// Reads the same file again.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read_again(&self) -> Result<Self, ConfigError> {
        Self::load(self.named.as_deref())
    }

    /// Reads `text`; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError::Content`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let content = |message| ConfigError::Content {
            path: path.to_owned(),
            message,
        };
        // Before anything is shown: an excerpt must not show a secret.
        let secrets = exports::secrets(text);
        if !secrets.is_empty() {
            return Err(content(secrets.join("\n")));
        }
        let config: Self =
            toml::from_str(text).map_err(|error| content(error.to_string().trim_end().to_owned()))?;
        let groups = [
            ("store", config.store.mistakes()),
            ("limits", config.limits.mistakes()),
            ("metrics", config.metrics.mistakes()),
        ];
        let mistakes = groups.into_iter().flat_map(|(group, mistakes)| {
            mistakes.into_iter().map(move |(key, what)| {
                let line =
                    line_of(text, group, key).map_or_else(String::new, |line| format!("line {line}: "));
                format!("{line}[{group}] {key} {what}")
            })
        });
        let mut mistakes: Vec<_> = mistakes.collect();
        mistakes.extend(exports::mistakes(text, &config.export));
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(content(mistakes.join("\n")))
        }
    }
}

/// The line (from 1) where `key` of `[group]` stands.
fn line_of(text: &str, group: &str, key: &str) -> Option<usize> {
    let table = toml::de::DeTable::parse(text).ok()?;
    let group = table.get_ref().get(group)?.get_ref().as_table()?;
    let span = group.get_key_value(key)?.0.span();
    Some(text.get(..span.start)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("daemon.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_commented_file_says_what_holds() {
        assert_eq!(parse(DEFAULTS), Ok(Config::default()));
        let uncommented: Vec<_> = DEFAULTS
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .collect();
        let settings = uncommented
            .iter()
            .filter(|line| line.starts_with('[') || line.contains(" = "));
        let settings: Vec<_> = settings
            .filter(|line| !line.starts_with("commented") && !line.contains("for none by default"))
            .copied()
            .collect();
        assert_eq!(parse(&settings.join("\n")), Ok(Config::default()));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, parts) in [
            ("[paths]\nstat = \"/x\"\n", ["line 2", "unknown field `stat`"]),
            ("[store]\n\nmax-age = \"soon\"\n", ["line 3", "no length of time"]),
            ("[paths]\nrun = \"run\"\n", ["line 2", "not an absolute path"]),
            (
                "[limits]\nring = \"3MiB\"\nquota = 0\n",
                ["line 2: [limits] ring", "line 3: [limits] quota"],
            ),
            (
                "[metrics]\nlisten = \"0.0.0.0:9469\"\n",
                ["line 2: [metrics] listen", "127.0.0.1"],
            ),
            ("[service]\nstop = \"maybe\"\n", ["line 2", "`release` or `hold`"]),
            ("colour = 1\n", ["line 1", "unknown field `colour`"]),
        ] {
            let error = parse(text).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn a_named_file_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Config::load(Some(&dir.path().join("none.toml"))).is_err());
    }
}
