//! The order of a run: the scope, the held command, who holds it, the release, the end.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{
    libc,
    unistd::{getegid, geteuid, setegid, seteuid},
};

use super::{
    Args,
    choose::{Choice, choose},
    failure::RunError,
    held::{ExecError, Held, Start},
    holder::{Enrolment, HoldError, Holder, Remaining},
    in_process::InProcess,
    reasons::Reasons,
    signals::Signals,
    telling::{Telling, sentence},
    terminal::Terminal,
    through_daemon::ThroughDaemon,
    user::RunAs,
    wait::{End, Supervisor},
};
use crate::{
    api::{client::Client, types::ScopeChoice},
    cli::{Cli, render::escape::escape, report, sessions::mode_word},
};

/// How long the command's end may wait for what is still to be told.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who will hold the command.
pub(super) struct Way {
    /// Nobody holds it once this process is gone.
    pub(super) dies_with_supervisor: bool,
    /// Begins to hold; only called once the command is forked, since it may start threads.
    pub(super) open: Box<dyn FnOnce() -> Result<Box<dyn Holder>, HoldError>>,
}

/// Runs `scopeward run`, and returns the exit status. To be called while this process has no threads; it leaves the
/// signals that it supervises with blocked, so little should be done afterwards.
#[must_use]
pub fn run(args: &Args, cli: &Cli) -> u8 {
    let scope_dir = cli.config().unwrap_or_default().paths.scopes;
    with(args, &scope_dir, || way(cli)).unwrap_or_else(|error| {
        // Nobody is left to tell where standard error is closed; the exit code still says it.
        drop(io::stderr().write_all(error.text().as_bytes()));
        error.status()
    })
}

/// The daemon, where one answers.
fn way(cli: &Cli) -> Result<Way, RunError> {
    let socket = cli.socket()?;
    match UnixStream::connect(&socket) {
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            if !geteuid().is_root() {
                return Err(RunError::Nobody { socket });
            }
            let paths = cli.config().unwrap_or_default().paths;
            Ok(Way {
                dies_with_supervisor: true,
                open: Box::new(move || Ok(Box::new(InProcess::new(paths.run, paths.scopes)?))),
            })
        }
        // What else is wrong with the socket is said when the daemon is asked.
        _ => Ok(Way {
            dies_with_supervisor: false,
            open: Box::new(move || Ok(Box::new(ThroughDaemon::new(Client::new(socket))?))),
        }),
    }
}

/// Runs the command, held by what `way` finds; scopes and fragments are found by name in `scope_dir`. Returns the exit
/// status.
///
/// # Errors
/// [`RunError`]; the command has not run then. Errors of the scope come first: they are the caller's to mend whoever
/// holds the command.
pub(super) fn with(
    args: &Args,
    scope_dir: &Path,
    way: impl FnOnce() -> Result<Way, RunError>,
) -> Result<u8, RunError> {
    let choice = choose(args.scope.as_deref(), &args.command, scope_dir)?;
    let way = way()?;
    let user = RunAs::caller_of_sudo()?;
    let events = args
        .events
        .as_deref()
        .map(|path| open_events(path, user.as_ref()))
        .transpose()?;
    // Before the command runs: a report that cannot be written is known at once.
    let report = args
        .report
        .as_deref()
        .map(|path| open_as(path, user.as_ref()))
        .transpose()?;
    let signals = Signals::block()?;
    let terminal = Terminal::save();
    let reasons = Reasons::new(user.as_ref());
    let start = Start {
        variable: reasons.as_ref().ok().map(Reasons::variable),
        user: user.as_ref(),
        signals: &signals,
        dies_with_supervisor: way.dies_with_supervisor,
    };
    let held = Held::spawn(&args.command, &start)?;
    let mut holder = (way.open)()?;
    let enrolment = holder.enrol(held.pid(), &choice.scope, args.mode)?;
    let telling = Arc::new(Mutex::new(Telling::new(
        held.pid(),
        events,
        Box::new(io::stderr()),
    )));
    match reasons {
        Ok(reasons) => telling
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep_reasons(reasons),
        Err(error) => tell(
            &telling,
            &format!("{} is not set: {error}", super::reasons::VARIABLE),
        ),
    }
    holder.follow(Arc::clone(&telling))?;
    for line in introduction(&choice, &enrolment) {
        tell(&telling, &line);
    }
    let released = held.release();
    let (child, mut frozen) = (released.pid(), || holder.frozen());
    let end = Supervisor::new(child, &signals, &mut frozen).wait()?;
    if let (End::Signalled(_), Some(terminal)) = (end, &terminal) {
        terminal.restore(child);
    }
    let refused = released.exec_error();
    let remaining = remaining(end, refused.as_ref(), args);
    let by_hand = holder.finish(remaining, PATIENCE);
    telling
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .end_reasons();
    if let Some(line) = last_line(&telling, end, refused.as_ref(), by_hand) {
        tell(&telling, &line);
    }
    if let Some(file) = report
        && let Err(why) = write_report(&mut *holder, file)
    {
        tell(&telling, &format!("failed to write the report: {}", escape(&why)));
    }
    match refused {
        Some(error) => Err(RunError::Exec(error)),
        None => Ok(end.status()),
    }
}

/// Where the events go. Under sudo the file is opened as the calling user: what lies at its path may have been put
/// there by an agent of that user, and is not to be overwritten with root's rights.
fn open_events(path: &Path, user: Option<&RunAs>) -> Result<Box<dyn Write + Send>, RunError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdout()));
    }
    Ok(Box::new(open_as(path, user)?))
}

/// A file to write to, opened as the calling user.
fn open_as(path: &Path, user: Option<&RunAs>) -> Result<File, RunError> {
    let wrong = |error: io::Error| RunError::Events {
        path: path.to_owned(),
        error,
    };
    let (uid, gid) = (geteuid(), getegid());
    if let Some(user) = user {
        setegid(user.gid)
            .and_then(|()| seteuid(user.uid))
            .map_err(|error| wrong(error.into()))?;
    }
    let opened = File::create(path);
    seteuid(uid)
        .and_then(|()| setegid(gid))
        .map_err(|error| wrong(error.into()))?;
    opened.map_err(wrong)
}

/// Writes the page about the session that has ended.
fn write_report(holder: &mut dyn Holder, mut file: File) -> Result<(), String> {
    let report = holder.report().map_err(|error| error.to_string())?;
    let page = report::render(&report, &jiff::tz::TimeZone::system()).map_err(|error| error.to_string())?;
    file.write_all(page.as_bytes()).map_err(|error| error.to_string())
}

/// What is said before the command runs: which scope, where nobody has named one, and what it cannot hold.
fn introduction(choice: &Choice, enrolment: &Enrolment) -> Vec<String> {
    let mut lines = Vec::new();
    let scope = escape(&enrolment.scope);
    if choice.by_default {
        let name = if enrolment.built_in {
            format!("@{scope} (built in)")
        } else {
            scope.to_string()
        };
        lines.push(format!("held to {name}, mode {}", mode_word(enrolment.mode)));
    }
    let shown = match &choice.scope {
        ScopeChoice::Inline { file, .. } => escape(file).into_owned(),
        ScopeChoice::Named(_) | ScopeChoice::Matching => scope.into_owned(),
    };
    match enrolment.warnings.as_slice() {
        [] => {}
        [one] => lines.push(format!("{shown}: {}", escape(one))),
        more if !choice.by_default => lines.push(format!(
            "{shown}: this host decides {} things of it late or not at all: scopeward scope check {shown}",
            more.len()
        )),
        // Whoever named no scope is not asked to mend one.
        _ => {}
    }
    lines
}

/// What has to be waited for after the end.
fn remaining(end: End, refused: Option<&ExecError>, args: &Args) -> Remaining {
    if args.events.is_some() || args.report.is_some() {
        Remaining::Events
    } else if refused.is_some_and(|error| error.errno == libc::EPERM) {
        Remaining::Denial
    } else if refused.is_none() && end.status() == 128 + 9 {
        Remaining::Kill
    } else {
        Remaining::Nothing
    }
}

/// Why the command was killed, or not let run, where Scopeward did that. A command that ends with 137 by itself is a
/// shell or the like whose own command was killed.
fn last_line(
    telling: &Mutex<Telling>,
    end: End,
    refused: Option<&ExecError>,
    by_hand: Option<String>,
) -> Option<String> {
    let telling = telling.lock().unwrap_or_else(PoisonError::into_inner);
    match end {
        End::Signalled(libc::SIGKILL) => telling
            .root_killed()
            .map(sentence)
            .or_else(|| by_hand.map(|why| format!("the session was killed: {}", escape(&why))))
            .or_else(|| telling.killed().map(sentence)),
        End::Exited(137) => telling.killed().map(sentence),
        _ => refused.and(telling.root_denied()).map(sentence),
    }
}

fn tell(telling: &Mutex<Telling>, line: &str) {
    telling.lock().unwrap_or_else(PoisonError::into_inner).say(line);
}
