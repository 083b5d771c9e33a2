//! The attack program's command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::technique::Technique;

/// How the program is called.
pub const USAGE: &str = "usage: attack list
       attack storm LOOT FILE SIGN SECONDS
       attack [--loot FILE] [--trials N] [--supervise] [--aside DIR] TECHNIQUE --on PATH [--twin PATH]
       attack [--loot FILE] [--trials N] [--supervise] [--tag TAG] [--aside DIR] TECHNIQUE --service DIR [--twin DIR]
       attack [--loot FILE] [--trials N] [--supervise] [--aside DIR] TECHNIQUE --victim PID [--address N] [--twin]
       attack [--loot FILE] [--trials N] [--supervise] [--tag TAG] TECHNIQUE --to ADDR:PORT --allowed ADDR:PORT [--twin]

A storm forks without end until the file SIGN is there; then each process of it reads FILE.
With --supervise each attempt is a process of its own, so that one that is killed is followed by the next.
`{}` in PATH stands for the number of the attempt. --twin makes each attempt a second time on PATH, or on
the allowed endpoint. The loot file has two slots for each attempt: the attack's and the twin's.
--meet MINE THEIRS makes the file MINE, then waits for the file THEIRS before the first attempt.";

/// What to attack.
pub enum Aim {
    /// A file, and perhaps an unguarded one for the twin.
    File {
        /// The file's path, with `{}` for the attempt's number.
        on: String,
        /// The twin's.
        twin: Option<String>,
        /// A directory to work in.
        aside: PathBuf,
    },
    /// A service on unix sockets.
    Service {
        /// The directory that it is in.
        at: PathBuf,
        /// The twin's.
        twin: Option<PathBuf>,
        /// The first 8 bytes of the payload.
        tag: String,
        /// A directory to work in.
        aside: PathBuf,
    },
    /// Another process.
    Outsider {
        /// Its process id.
        victim: i32,
        /// Where it has eight bytes that can be read.
        address: u64,
        /// Whether to do the benign twin after each attempt.
        twin: bool,
        /// A directory to work in.
        aside: PathBuf,
    },
    /// An endpoint.
    Network {
        /// The endpoint.
        to: SocketAddr,
        /// One that the scope allows.
        allowed: SocketAddr,
        /// Whether to reach the allowed one by the same technique after each attempt.
        twin: bool,
        /// The first 8 bytes of the payload.
        tag: String,
    },
}

/// A parsed command line.
pub struct Order {
    /// What to do.
    pub technique: &'static Technique,
    /// On what.
    pub aim: Aim,
    /// How many attempts; at least 1.
    pub trials: usize,
    /// Whether each attempt is a process of its own.
    pub supervise: bool,
    /// A file to make when ready, and one to wait for before the first attempt.
    pub meet: Option<(PathBuf, PathBuf)>,
    /// The loot file; without one the loot is printed only.
    pub loot: Option<PathBuf>,
}

impl Order {
    /// Parses the arguments after the program's name.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut words = arguments.map(|word| {
            word.into_string()
                .map_err(|_| "an argument is not UTF-8".to_owned())
        });
        let (mut technique, mut loot, mut on, mut file_twin) = (None, None, None, None);
        let (mut to, mut allowed, mut meet, mut service) = (None, None, None, None);
        let (mut victim, mut address) = (None, 0);
        let (mut trials, mut supervise, mut network_twin) = (1, false, false);
        let (mut tag, mut aside) = ("attack".to_owned(), std::env::temp_dir());
        while let Some(word) = words.next() {
            let word = word?;
            let mut value = || {
                words
                    .next()
                    .unwrap_or_else(|| Err(format!("{word} needs a value")))
            };
            match word.as_str() {
                "--loot" => loot = Some(PathBuf::from(value()?)),
                "--aside" => aside = PathBuf::from(value()?),
                "--trials" => trials = value()?.parse().map_err(|error| format!("--trials: {error}"))?,
                "--supervise" => supervise = true,
                "--meet" => meet = Some((PathBuf::from(value()?), PathBuf::from(value()?))),
                "--tag" => tag = value()?,
                "--victim" => victim = Some(value()?.parse().map_err(|error| format!("--victim: {error}"))?),
                "--address" => address = value()?.parse().map_err(|error| format!("--address: {error}"))?,
                "--service" => service = Some(PathBuf::from(value()?)),
                "--on" => on = Some(value()?),
                "--to" => to = Some(value()?.parse().map_err(|error| format!("--to: {error}"))?),
                "--allowed" => {
                    allowed = Some(value()?.parse().map_err(|error| format!("--allowed: {error}"))?);
                }
                "--twin" if to.is_some() || victim.is_some() => network_twin = true,
                "--twin" => file_twin = Some(value()?),
                name => technique = Some(Technique::named(name).ok_or(format!("no technique {name}"))?),
            }
        }
        if let (Some(victim), Some(technique)) = (victim, technique) {
            return Ok(Self {
                technique,
                aim: Aim::Outsider {
                    victim,
                    address,
                    twin: network_twin,
                    aside,
                },
                trials: trials.max(1),
                supervise,
                meet,
                loot,
            });
        }
        let aim = match (on, to, allowed, service) {
            (None, None, None, Some(at)) => Aim::Service {
                at,
                twin: file_twin.map(PathBuf::from),
                tag,
                aside,
            },
            (Some(on), None, None, None) => Aim::File {
                on,
                twin: file_twin,
                aside,
            },
            (None, Some(to), Some(allowed), None) => Aim::Network {
                to,
                allowed,
                twin: network_twin,
                tag,
            },
            _ => return Err("give either --on, or --service, or --to and --allowed".to_owned()),
        };
        let technique = technique.ok_or("no technique given")?;
        Ok(Self {
            technique,
            aim,
            trials: trials.max(1),
            supervise,
            meet,
            loot,
        })
    }
}
