//! What the machine is to do, as `cargo xtask vm` wrote it into the initramfs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// Where the plan lies in the initramfs.
pub const PLACE: &str = "/plan.json";

/// All that a machine does in one boot.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The word before each line of the report: nothing else that the machine writes can be taken for it.
    pub nonce: String,
    /// Kernel modules to load, in this order.
    pub modules: Vec<PathBuf>,
    /// Programs to run, one after another.
    pub steps: Vec<Step>,
    /// Directories whose files (of one line each) belong to the report.
    pub results: Vec<PathBuf>,
}

/// One program to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// What the report calls it.
    pub name: String,
    /// The program's path.
    pub program: PathBuf,
    /// Whether it is a test program: then each of its tests runs by itself.
    pub is_test: bool,
    /// Its arguments; those of a test program say which tests.
    pub arguments: Vec<String>,
    /// Its environment, besides `PATH` and `HOME`.
    pub environment: BTreeMap<String, String>,
    /// How long it may take; each test, if it is a test program.
    pub bound: Duration,
}

impl Plan {
    /// Reads the plan at `path`.
    ///
    /// # Errors
    /// Those of reading; `InvalidData` where something is missing.
    pub fn read(path: &Path) -> io::Result<Self> {
        let plan: Value = serde_json::from_slice(&std::fs::read(path)?)?;
        let steps = list(&plan, "steps")?.iter().map(Step::parse);
        Ok(Self {
            nonce: text(&plan, "nonce")?,
            modules: strings(&plan, "modules")?
                .into_iter()
                .map(PathBuf::from)
                .collect(),
            steps: steps.collect::<io::Result<_>>()?,
            results: strings(&plan, "results")?
                .into_iter()
                .map(PathBuf::from)
                .collect(),
        })
    }
}

impl Step {
    fn parse(step: &Value) -> io::Result<Self> {
        let environment = step["environment"]
            .as_object()
            .ok_or_else(|| missing("environment"))?;
        let pairs = environment
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
        Ok(Self {
            name: text(step, "name")?,
            program: text(step, "program")?.into(),
            is_test: step["is_test"] == true,
            arguments: strings(step, "arguments")?,
            environment: pairs.collect(),
            bound: Duration::from_secs(step["seconds"].as_u64().ok_or_else(|| missing("seconds"))?),
        })
    }
}

fn text(of: &Value, key: &str) -> io::Result<String> {
    of[key].as_str().map(str::to_owned).ok_or_else(|| missing(key))
}

fn strings(of: &Value, key: &str) -> io::Result<Vec<String>> {
    let words = list(of, key)?.iter().map(|word| word.as_str().map(str::to_owned));
    words.collect::<Option<_>>().ok_or_else(|| missing(key))
}

fn list<'a>(of: &'a Value, key: &str) -> io::Result<&'a Vec<Value>> {
    of[key].as_array().ok_or_else(|| missing(key))
}

fn missing(key: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the plan has no proper `{key}`"),
    )
}
