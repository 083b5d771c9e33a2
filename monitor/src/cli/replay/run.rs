//! `scopeward replay FILE --scope …`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use super::{
    decide::{anew, differs},
    lineage::Lineages,
    lines::{Line, Lines},
    owners::Owners,
    summary::{Summary, UsedUp},
};
use crate::{
    cli::{
        exit::Exit,
        failure::CliError,
        render::{
            escape::{escape, escape_lines},
            event::EventRows,
            json,
            output::Output,
        },
        scope::{Setting, report},
    },
    config::scope_files,
    ledger::{book::Ledger, cut::Cut},
    record::event::EventRecord,
    scope::{effective::Effective, model::Account, words::Response},
};

/// Rows that are laid out together.
const CHUNK: u64 = 200;

/// Which of the acts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Show {
    /// Those that are answered otherwise than recorded.
    Changed,
    /// All of them.
    All,
}

/// What to replay, against which scope.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Recorded events, one JSON object a line (`scopeward events --json`, `scopeward run --events`); - for standard
    /// input
    pub file: String,
    /// The scope that decides: a file, a name, or a built-in one (@coding-agent)
    #[arg(long, value_name = "NAME|FILE")]
    pub scope: String,
    /// What `~` stands for, in place of each owner's own home
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// Go on behind a malformed line, which is named all the same
    #[arg(long)]
    pub keep_going: bool,
    /// Which acts are shown: `changed` (of a table the default), or `all` (with --json the default)
    #[arg(long, value_name = "WHICH")]
    pub show: Option<Show>,
    /// NDJSON: each act with its new verdict, then a summary
    #[arg(long)]
    pub json: bool,
}

/// Decides every recorded act anew. The answers go to `output`, complaints to `err`. Ends with [`Exit::No`] where the
/// scope has cuts, with [`Exit::Usage`] where a file cannot be read.
///
/// # Errors
/// [`CliError`] where nothing can be written any more.
pub fn run(
    args: &Args,
    setting: &Setting,
    output: &mut Output<'_>,
    err: &mut dyn Write,
) -> Result<Exit, CliError> {
    let scope = match scope_files::effective(&args.scope, &setting.scope_dir) {
        Ok(scope) => scope,
        Err(error) => {
            err.write_all(report::load_error(&error, setting).as_bytes())?;
            return Ok(Exit::Usage);
        }
    };
    if let Some(home) = args.home.as_deref().filter(|home| !home.is_absolute()) {
        let home = home.display().to_string();
        writeln!(
            err,
            "scopeward: --home takes an absolute path, not {}",
            escape(&home)
        )?;
        return Ok(Exit::Usage);
    }
    if args.file == "-" {
        return replay(io::stdin().lock(), args, &scope, setting, output, err);
    }
    match File::open(Path::new(&args.file)) {
        Ok(file) => replay(
            BufReader::with_capacity(1 << 16, file),
            args,
            &scope,
            setting,
            output,
            err,
        ),
        Err(error) => {
            writeln!(err, "scopeward: failed to read {}: {error}", escape(&args.file))?;
            Ok(Exit::Usage)
        }
    }
}

/// The replay of one file.
pub(super) fn replay(
    from: impl BufRead,
    args: &Args,
    scope: &Effective,
    setting: &Setting,
    output: &mut Output<'_>,
    err: &mut dyn Write,
) -> Result<Exit, CliError> {
    let mut lines = Lines::new(from);
    let mut owners = Owners::new(scope, args.home.as_deref());
    let mut lineages = Lineages::default();
    let mut rows = Rows::new(args);
    let mut summary = Summary::new(scope.name.clone());
    let mut ledger = Ledger::default();
    loop {
        let (number, line) = match lines.next() {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(error) => {
                rows.flush(output)?;
                writeln!(err, "scopeward: failed to read {}: {error}", escape(&args.file))?;
                return Ok(Exit::Usage);
            }
        };
        let event = match line {
            Ok(Line::Event(event)) => event,
            Ok(Line::Missed(missed)) => {
                summary.missed = summary.missed.saturating_add(missed);
                continue;
            }
            Err(malformed) => {
                // What came before it is shown before it.
                rows.flush(output)?;
                writeln!(
                    err,
                    "{}:{number}: {}",
                    escape(&args.file),
                    escape_lines(&malformed.to_string())
                )?;
                if !args.keep_going {
                    return Ok(Exit::Usage);
                }
                summary.malformed += 1;
                continue;
            }
        };
        lineages.saw(&event);
        let above = lineages.above(&event);
        let decided = anew(
            &event,
            owners.of(&event.session.owner).at(event.time),
            &above,
            &setting.capabilities,
        );
        if decided.is_err() {
            summary.undecided = summary.undecided.saturating_add(event.count);
        }
        let now = decided.unwrap_or_else(|_| (*event).clone());
        let changed = differs(&event.verdict, &now.verdict);
        summary.acts = summary.acts.saturating_add(now.count);
        if now.verdict.called_for > Response::Allow {
            summary.cuts = summary.cuts.saturating_add(now.count);
        }
        if changed {
            summary.differences = summary.differences.saturating_add(now.count);
        }
        if let Some(cut) = Cut::of(&now) {
            let steps = ledger.take(&cut, &scope.budgets);
            summary.used_up.extend(
                steps
                    .iter()
                    .map(|step| UsedUp::of(step, scope.budget_id(step.number).to_string(), &now.id)),
            );
        }
        rows.push(&now, changed, output)?;
    }
    rows.flush(output)?;
    summary.set_homes(&owners);
    summary.ledger = ledger.tallies(Account::Session, i64::MIN, &|_| true);
    if args.json {
        json::write(output, &summary)?;
    } else {
        if rows.shown > 0 {
            output.line("")?;
        }
        summary.write(&owners, output)?;
    }
    Ok(if summary.cuts > 0 { Exit::No } else { Exit::Done })
}

/// The acts as they are shown.
struct Rows {
    table: EventRows,
    shown: u64,
    json: bool,
    all: bool,
}

impl Rows {
    fn new(args: &Args) -> Self {
        let show = args
            .show
            .unwrap_or(if args.json { Show::All } else { Show::Changed });
        Self {
            table: EventRows::default(),
            shown: 0,
            json: args.json,
            all: show == Show::All,
        }
    }

    fn push(&mut self, event: &EventRecord, changed: bool, output: &mut Output<'_>) -> Result<(), CliError> {
        if !changed && !self.all {
            return Ok(());
        }
        self.shown += 1;
        if self.json {
            return json::write(output, event);
        }
        self.table.push(output, event)?;
        if self.shown.is_multiple_of(CHUNK) {
            self.table.flush(output)?;
        }
        Ok(())
    }

    fn flush(&mut self, output: &mut Output<'_>) -> Result<(), CliError> {
        self.table.flush(output)?;
        output.flush()
    }
}
