//! Many attempts at once, and what they came to.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use serde_json::Value;

use crate::attack::loot::Loot;
use crate::attack::slot::State;
use crate::attack::supervise::slot_of;
use crate::attack::technique::{Content, FileTechnique, Gain, Technique};
use crate::programs;
use crate::scratch::Scratch;
use crate::secret::Secret;
use crate::session::cuts;

/// Files that a technique goes for: one, or one for each trial where each is used up.
pub struct Targets {
    directory: PathBuf,
    technique: FileTechnique,
    trials: usize,
    /// What they hold.
    pub secret: Secret,
}

impl Targets {
    /// Makes the files below `directory` of `scratch`.
    ///
    /// # Errors
    /// Those of writing files.
    pub fn new(
        scratch: &Scratch,
        directory: &str,
        technique: FileTechnique,
        trials: usize,
    ) -> io::Result<Self> {
        let directory = scratch.path(directory);
        std::fs::create_dir_all(&directory)?;
        let targets = Self {
            directory,
            technique,
            trials,
            secret: Secret::new()?,
        };
        for path in targets.paths() {
            scratch.place(&path, technique.content, &targets.secret)?;
        }
        Ok(targets)
    }

    /// The path as the attack program takes it, with `{}` for the trial's number.
    #[must_use]
    pub fn pattern(&self) -> PathBuf {
        self.directory.join(if self.technique.consumes {
            "credential-{}"
        } else {
            "credential"
        })
    }

    /// Every file.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        if !self.technique.consumes {
            return vec![self.pattern()];
        }
        (0..self.trials)
            .map(|trial| self.directory.join(format!("credential-{trial}")))
            .collect()
    }

    /// How many files do not hold what they did.
    #[must_use]
    pub fn damaged(&self) -> usize {
        let whole = match self.technique.content {
            Content::Secret => self.secret.bytes().to_vec(),
            Content::Program => self.secret.program(),
        };
        self.paths()
            .iter()
            .filter(|path| std::fs::read(path).ok().as_ref() != Some(&whole))
            .count()
    }

    /// In how many trials of `loot` something of these files was gained.
    #[must_use]
    pub fn gained(&self, loot: &Loot, twin: bool) -> usize {
        match self.technique.gain {
            Gain::Destroy => self.damaged(),
            Gain::Read => {
                let data = (0..self.trials).map(|trial| loot.slot(slot_of(trial, twin)).data());
                data.filter(|data| self.secret.found_in(data) > 0).count()
            }
        }
    }
}

/// In how many trials the loot holds bytes that are not from `secret`: a fault of the attack program.
#[must_use]
pub fn strange(loot: &Loot, trials: usize, twin: bool, secret: &Secret) -> usize {
    let data = (0..trials).map(|trial| loot.slot(slot_of(trial, twin)).data());
    data.filter(|data| data.first().is_some_and(|byte| *byte != 0) && secret.found_in(data) == 0)
        .count()
}

/// How the attempts of `loot` were answered, most frequent first, as `killed ×49, EPERM ×1`.
#[must_use]
pub fn answers(loot: &Loot, trials: usize, twin: bool) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for trial in 0..trials {
        let slot = loot.slot(slot_of(trial, twin));
        let status = slot.status();
        let word = if libc::WIFSIGNALED(status) {
            match libc::WTERMSIG(status) {
                libc::SIGKILL => "killed".to_owned(),
                libc::SIGALRM => "hung".to_owned(),
                signal => format!("signal {signal}"),
            }
        } else {
            match slot.state() {
                State::Untried => "untried".to_owned(),
                State::Begun => "replaced by a program".to_owned(),
                State::Done => "through".to_owned(),
                State::Refused if slot.errno() > 0 => format!("{:?}", Errno::from_raw(slot.errno())),
                State::Refused => "came back empty".to_owned(),
            }
        };
        *counts.entry(word).or_default() += 1;
    }
    let mut ranked: Vec<(String, usize)> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
        .iter()
        .map(|(word, count)| format!("{word} ×{count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How the cuts among `events` were applied, as `kill fanotify before_act ×50`.
#[must_use]
pub fn recorded(events: &[Value]) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for event in cuts(events) {
        let words = ["applied", "tier", "when"].map(|key| event["verdict"][key].as_str().unwrap_or("?"));
        *counts.entry(words.join(" ")).or_default() += event["count"].as_u64().unwrap_or(1);
    }
    counts
        .iter()
        .map(|(words, count)| format!("{words} ×{count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The attack program's command line for `trials` supervised attempts on files.
#[must_use]
pub fn file_attack(
    technique: &Technique,
    trials: usize,
    loot: &Path,
    aside: &Path,
    on: &Path,
    twin: Option<&Path>,
) -> Vec<OsString> {
    let mut words = common(technique, trials, loot);
    words.extend(["--aside".into(), aside.into(), "--on".into(), on.into()]);
    if let Some(twin) = twin {
        words.extend(["--twin".into(), twin.into()]);
    }
    words
}

/// The words that make two attackers begin together: `mine` and `theirs` are files that do not exist yet.
#[must_use]
pub fn meeting(mine: &Path, theirs: &Path) -> [OsString; 3] {
    ["--meet".into(), mine.into(), theirs.into()]
}

/// The attack program's command line for `trials` supervised attempts on an endpoint, with payloads under `tag`.
#[must_use]
pub fn network_attack(
    technique: &Technique,
    trials: usize,
    loot: &Path,
    tag: &str,
    to: SocketAddr,
    allowed: SocketAddr,
    twin: bool,
) -> Vec<OsString> {
    let mut words = common(technique, trials, loot);
    words.extend(["--tag", tag, "--to"].map(OsString::from));
    words.extend([to.to_string(), "--allowed".to_owned(), allowed.to_string()].map(OsString::from));
    if twin {
        words.push("--twin".into());
    }
    words
}

/// The attack program's command line for `trials` supervised attempts on the service in `at`, with payloads under `tag`.
#[must_use]
pub fn service_attack(
    technique: &Technique,
    trials: usize,
    loot: &Path,
    tag: &str,
    aside: &Path,
    at: &Path,
    twin: Option<&Path>,
) -> Vec<OsString> {
    let mut words = common(technique, trials, loot);
    words.extend(["--tag".into(), tag.into(), "--aside".into(), aside.into()]);
    words.extend(["--service".into(), at.into()]);
    if let Some(twin) = twin {
        words.extend(["--twin".into(), twin.into()]);
    }
    words
}

/// The attack program's command line for `trials` supervised attempts on the process `victim`, which has eight bytes at
/// `address`.
#[must_use]
pub fn outsider_attack(
    technique: &Technique,
    trials: usize,
    loot: &Path,
    aside: &Path,
    (victim, address): (u32, u64),
    twin: bool,
) -> Vec<OsString> {
    let mut words = common(technique, trials, loot);
    words.extend(["--aside".into(), aside.into()]);
    words.extend(["--victim".into(), victim.to_string().into()]);
    words.extend(["--address".into(), address.to_string().into()]);
    if twin {
        words.push("--twin".into());
    }
    words
}

/// How many of `trials` attempts ran to their end.
#[must_use]
pub fn through(loot: &Loot, trials: usize, twin: bool) -> usize {
    let states = (0..trials).map(|trial| loot.slot(slot_of(trial, twin)));
    states
        .filter(|slot| slot.state() == State::Done && libc::WIFEXITED(slot.status()))
        .count()
}

fn common(technique: &Technique, trials: usize, loot: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![
        programs::attack().into(),
        technique.name.into(),
        "--supervise".into(),
    ];
    words.extend([
        "--trials".into(),
        trials.to_string().into(),
        "--loot".into(),
        loot.into(),
    ]);
    words
}
