//! The command: which boots, in which order, and what came of them.

use std::path::Path;

use super::boot::{self, Outcome, Work};
use super::built::{Built, build_tests};
use super::counting::{self, Counts};
use super::profile::Profile;
use super::table::Table;
use super::{kernels, qemu, store};
use crate::build;

/// What every run of all tests boots, to hold the table of docs/kernel-support.md against it. Two boots, because one
/// emulated processor is slow.
const PER_CHANGE: [(&str, Profile); 2] = [("6.12", Profile::Stock), ("6.1", Profile::NoBpf)];

/// Kernels on which nothing is held, and what is asked there for the table.
const REFUSED: [&str; 1] = ["5.10"];
const QUESTIONS: &str = "for what in 'doctor' 'run -- true'; do \
    line=$(scopeward $what 2>&1 | grep -m 1 .); scopeward $what >/tmp/said 2>&1; code=$?; \
    echo \"${what%% *}: $line (exit code $code)\"; done";

/// What to boot, and what to run there.
struct Order {
    series: Vec<String>,
    profiles: Vec<Profile>,
    work: Work,
}

/// `cargo xtask vm` with these words.
///
/// # Errors
/// A sentence, when a word is not known, a kernel cannot be had, or a boot found something wrong.
pub fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    let store = store::directory(root);
    if words == ["--relock"] {
        return kernels::relock(root, &store);
    }
    let order = parse(words)?;
    let binary = build::release(root)?;
    let built = build_tests(root)?;
    let mut table = Table::read(root)?;
    let mut counts = Counts::read(root)?;
    let mut lines = Vec::new();
    let mut failed = false;
    for series in &order.series {
        let refused = matches!(order.work, Work::Table) && REFUSED.contains(&series.as_str());
        let profiles = if refused {
            &[Profile::Stock]
        } else {
            order.profiles.as_slice()
        };
        for &profile in profiles {
            let name = format!("{series} {}", profile.name());
            eprintln!("vm: {name}");
            let questions = Work::Shell(QUESTIONS.to_owned());
            let work = if refused { &questions } else { &order.work };
            let outcome = boot::boot(root, &store, (series, profile), &binary, &built, work);
            let kept = outcome
                .and_then(|outcome| keep((&mut table, &mut counts), &order.work, (series, profile), outcome));
            failed |= !matches!(&kept, Ok(outcome) if outcome.good);
            lines.push(match kept {
                Ok(outcome) => format!("{name}: {}", outcome.line),
                Err(reason) => format!("{name}: FAILED: {reason}"),
            });
        }
    }
    match order.work {
        Work::Table => table.write(root)?,
        Work::Count => {
            counts.write(root)?;
            let breaches = counts.breaches(root)?;
            failed |= !breaches.is_empty();
            lines.extend(breaches);
        }
        Work::Tests(_) | Work::Shell(_) => {}
    }
    println!("{}", lines.join("\n"));
    if failed {
        Err("a kernel was not what it should be".to_owned())
    } else {
        Ok(())
    }
}

/// Prints or notes what a machine came to.
fn keep(
    (table, counts): (&mut Table, &mut Counts),
    asked: &Work,
    (series, profile): (&str, Profile),
    outcome: Outcome,
) -> Result<Outcome, String> {
    match asked {
        Work::Shell(_) => print!("{}", outcome.said),
        Work::Table if REFUSED.contains(&series) => table.take_refusal(series, &outcome.said),
        Work::Table => table.take(series, profile.tier(), &outcome.rows)?,
        Work::Count => counts.take(profile.tier(), &outcome.said)?,
        Work::Tests(_) => {}
    }
    Ok(outcome)
}

/// What the machines add to a run of all tests.
#[derive(Default)]
pub struct Sum {
    /// Tests that passed in one.
    pub passed: usize,
    /// Tests that failed, and machines that were not what they should be.
    pub failed: usize,
    /// What could not run, each with its reason.
    pub skipped: Vec<String>,
}

/// The boots of every run of all tests: [`PER_CHANGE`], with `binary`. A kernel that cannot be had is skipped; a cell that is
/// not what the committed table says is a failure.
///
/// # Errors
/// A sentence, when the tests do not compile.
pub fn per_change(root: &Path, binary: &Path) -> Result<Sum, String> {
    let store = store::directory(root);
    let table = Table::read(root)?;
    let mut sum = Sum::default();
    let mut built = None;
    for (series, profile) in PER_CHANGE {
        let name = format!("Linux {series} {} in a machine", profile.name());
        let can = qemu::command(&store).and_then(|_| kernels::ensure(root, &store, series, "amd64"));
        if let Err(reason) = can {
            let reason = reason.lines().next().unwrap_or_default();
            sum.skipped.push(format!("{name}: {reason}"));
            continue;
        }
        if built.is_none() {
            built = Some(build_tests(root)?);
        }
        let Some(built) = &built else { continue };
        match compared(root, &store, (series, profile), binary, built, &table) {
            Ok((outcome, differences)) => {
                println!("{name}: {}", outcome.line);
                for difference in &differences {
                    println!("  {difference}");
                }
                sum.passed += outcome.passed;
                sum.failed += outcome.failed + usize::from(!differences.is_empty());
                let skipped = outcome.skipped.iter().map(|reason| format!("{name}: {reason}"));
                sum.skipped.extend(skipped);
            }
            Err(reason) => {
                println!("{name}: FAILED: {reason}");
                sum.failed += 1;
            }
        }
    }
    Ok(sum)
}

/// A boot, and what it measured otherwise than `table`.
fn compared(
    root: &Path,
    store: &Path,
    (series, profile): (&str, Profile),
    binary: &Path,
    built: &Built,
    table: &Table,
) -> Result<(Outcome, Vec<String>), String> {
    let outcome = boot::boot(root, store, (series, profile), binary, built, &Work::Table)?;
    let differences = table.differences(series, profile.tier(), &outcome.rows)?;
    Ok((outcome, differences))
}

fn parse(words: &[&str]) -> Result<Order, String> {
    let mut order = Order {
        series: Vec::new(),
        profiles: Vec::new(),
        work: Work::Tests(None),
    };
    let mut rest = words.iter();
    while let Some(&word) = rest.next() {
        let alone = match word {
            "--table" => Some(Work::Table),
            "--count" => Some(Work::Count),
            _ => None,
        };
        if let Some(work) = alone {
            order.work = work;
            continue;
        }
        let value = rest.next().ok_or_else(|| format!("`{word}` needs a value"))?;
        match word {
            "--kernel" if kernels::SERIES.contains(value) => order.series.push((*value).to_owned()),
            "--kernel" => {
                return Err(format!(
                    "no kernel {value}: there are {}",
                    kernels::SERIES.join(", ")
                ));
            }
            "--profile" => order.profiles.push(Profile::named(value).ok_or_else(|| {
                let names = Profile::NAMED.map(Profile::name).join(", ");
                format!("no profile {value}: there are {names}")
            })?),
            "--run" => order.work = Work::Tests(Some((*value).to_owned())),
            "--sh" => order.work = Work::Shell((*value).to_owned()),
            _ => {
                return Err(format!(
                    "vm does not know `{word}`: --kernel, --profile, --run, --sh, --table, --count, --relock"
                ));
            }
        }
    }
    if order.series.is_empty() {
        order.series = match order.work {
            Work::Count => vec![counting::SERIES.to_owned()],
            _ => kernels::SERIES.map(str::to_owned).to_vec(),
        };
    }
    if order.profiles.is_empty() {
        order.profiles = match order.work {
            Work::Table | Work::Count => Profile::TIERS.to_vec(),
            Work::Tests(_) | Work::Shell(_) => Profile::ALL.to_vec(),
        };
    }
    Ok(order)
}
