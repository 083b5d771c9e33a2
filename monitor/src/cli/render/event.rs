//! Events as rows that can be written one after the other, with columns that do not move.

use comfy_table::{Cell, ColumnConstraint, Table, Width};

use crate::cli::failure::CliError;
use crate::cli::render::escape::{command_line, escape};
use crate::cli::render::output::{Look, Output};
use crate::cli::render::table::{bare, fit, text, verdict, write};
use crate::cli::render::time::{clock, day};
use crate::cli::sessions::owner_words;
use crate::record::event::{ActRecord, DecisionRecord, EventRecord, VerdictRecord};
use crate::scope::words::{Response, Tier};

/// From this width on, the agent and the process have columns of their own.
const WIDE: u16 = 120;

/// Writes events as they come: a line for each new day, the heads once, a row an event.
#[derive(Debug, Default)]
pub struct EventRows {
    day: Option<String>,
    pending: Vec<[Cell; 6]>,
}

impl EventRows {
    /// Adds an event; it is written with the next [`EventRows::flush`], or before the next day's first one.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn push(&mut self, output: &mut Output<'_>, event: &EventRecord) -> Result<(), CliError> {
        let zone = output.look.zone.clone();
        let today = day(event.time, &zone);
        let terminal = output.look.width.is_some();
        if self.day.as_ref() != Some(&today) {
            self.flush(output)?;
            let first = self.day.is_none();
            if terminal {
                output.line(&format!(
                    "{today} ({})",
                    zone.to_offset_info(event.time).abbreviation()
                ))?;
            }
            if first {
                let heads = ["TIME", "EVENT", "VERDICT", "AGENT", "PROCESS", "ACT"].map(Cell::new);
                self.pending.push(heads);
            }
            self.day = Some(today.clone());
        }
        // A line of a pipe stands alone; on a terminal, the day stands above.
        let time = clock(event.time, &zone);
        let time = if terminal { time } else { format!("{today} {time}") };
        let act = act_words(&event.act, event.count);
        let narrow = output.look.width.is_some_and(|width| width < WIDE);
        let act = if narrow {
            format!("{} {act}", escape(&process_words(event)))
        } else {
            act
        };
        self.pending.push([
            Cell::new(time),
            text(&event.id),
            verdict(&verdict_words(&event.verdict), event.verdict.called_for),
            text(&event.session.agent),
            text(&process_words(event)),
            Cell::new(act),
        ]);
        Ok(())
    }

    /// Writes what is pending.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn flush(&mut self, output: &mut Output<'_>) -> Result<(), CliError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let table = rows(&output.look, std::mem::take(&mut self.pending));
        write(output, &table)?;
        output.flush()
    }
}

/// Columns of the same width for every table, so that tables continue each other.
fn rows(look: &Look, rows: Vec<[Cell; 6]>) -> Table {
    let mut table = bare(look);
    let wide = look.width.is_none_or(|width| width >= WIDE);
    for [time, id, verdict, agent, process, act] in rows {
        if wide {
            table.add_row([time, id, verdict, agent, process, act]);
        } else {
            table.add_row([time, id, verdict, act]);
        }
    }
    fit(&mut table);
    let exact = |width| ColumnConstraint::Absolute(Width::Fixed(width));
    let least = |width| ColumnConstraint::LowerBoundary(Width::Fixed(width));
    let constraints = match (look.width, wide) {
        (Some(width), true) => {
            vec![
                exact(14),
                exact(28),
                exact(14),
                exact(15),
                exact(18),
                exact(width - 89),
            ]
        }
        (Some(width), false) => vec![
            exact(14),
            exact(28),
            exact(14),
            exact(width.saturating_sub(56).max(10)),
        ],
        (None, _) => vec![least(25), least(28), least(14), least(15), least(18), least(1)],
    };
    table.set_constraints(constraints);
    table
}

/// What was done, in short: `kill`, or `would kill` where a scope only observes.
#[must_use]
pub fn verdict_words(verdict: &VerdictRecord) -> String {
    let VerdictRecord {
        called_for, applied, ..
    } = verdict;
    if called_for == applied || verdict.tier == Tier::Daemon {
        applied.word().to_owned()
    } else if *applied <= Response::Flag {
        format!("would {}", called_for.word())
    } else {
        format!("{} for {}", applied.word(), called_for.word())
    }
}

/// The process that acted, as `cat[4212]`.
#[must_use]
pub fn process_words(event: &EventRecord) -> String {
    let process = &event.process;
    let exe = process.exe.as_deref().and_then(|exe| exe.rsplit('/').next());
    let name = exe
        .or_else(|| process.lineage.last().map(String::as_str))
        .unwrap_or("?");
    format!("{name}[{}]", process.pid)
}

/// The act in one line, safe to show.
#[must_use]
pub fn act_words(act: &ActRecord, count: u64) -> String {
    let mut words = vec![act.kind.word().to_owned()];
    if !act.access.is_empty() {
        let access = act.access.iter().map(|access| match access {
            crate::scope::words::Access::Read => "read",
            crate::scope::words::Access::Write => "write",
        });
        words.push(format!("({})", access.collect::<Vec<_>>().join("+")));
    }
    words.extend(act.path.as_deref().map(|path| escape(path).into_owned()));
    words.extend(act.to.as_deref().map(|path| format!("→ {}", escape(path))));
    words.extend(
        act.guarded_as
            .as_deref()
            .map(|pattern| format!("[guarded: {}]", escape(pattern))),
    );
    words.extend(endpoint_words(act));
    words.extend(
        act.borrowed
            .as_deref()
            .filter(|path| !path.is_empty())
            .map(|path| format!("[with {}]", escape(path))),
    );
    words.extend(
        act.protocol
            .as_deref()
            .map(|protocol| escape(protocol).into_owned()),
    );
    words.extend(act.family.as_deref().map(|family| escape(family).into_owned()));
    words.extend(act.call.as_deref().map(|call| escape(call).into_owned()));
    words.extend(act.target_pid.map(|pid| format!("on process {pid}")));
    words.extend(act.status.map(|status| format!("status {status}")));
    words.extend(act.decision.as_deref().map(decision_words));
    if count > 1 {
        words.push(format!("×{count}"));
    }
    words.join(" ")
}

/// What was decided, as `g-0123456789 until 06:10:00 by dev: looked at it`.
fn decision_words(decision: &DecisionRecord) -> String {
    let mut words: Vec<String> = decision
        .grant
        .iter()
        .map(|grant| escape(grant).into_owned())
        .collect();
    words.extend(decision.until.map(|until| format!("until {until:.0}")));
    words.extend(decision.uses.map(|uses| format!("used {uses}×")));
    let by = decision.by.as_ref().map(owner_words);
    words.push(format!("by {}", escape(by.as_deref().unwrap_or("nobody"))));
    let words = words.join(" ");
    match &decision.reason {
        Some(reason) => format!("{words}: {}", escape(reason)),
        None => words,
    }
}

/// The remote end, as `203.0.113.7:443 (api.example.org)`.
fn endpoint_words(act: &ActRecord) -> Option<String> {
    let address = match (act.address, act.port) {
        (Some(address), Some(port)) => Some(std::net::SocketAddr::new(address, port).to_string()),
        (Some(address), None) => Some(address.to_string()),
        (None, port) => port.map(|port| format!(":{port}")),
    };
    let name = act.name.as_deref().map(escape);
    match (address, name) {
        (Some(address), Some(name)) => Some(format!("{address} ({name})")),
        (Some(address), None) => Some(address),
        (None, name) => name.map(std::borrow::Cow::into_owned),
    }
}

/// A process of a chain, as `cat[4212] cat /home/dev/.netrc`.
#[must_use]
pub fn link_words(exe: &str, pid: u32, argv: &[String]) -> String {
    let name = escape(exe.rsplit('/').next().unwrap_or(exe));
    let pid = if pid == 0 {
        String::new()
    } else {
        format!("[{pid}]")
    };
    format!("{name}{pid}  {}", command_line(argv))
        .trim_end()
        .to_owned()
}
