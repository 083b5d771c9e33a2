//! `scopeward scope diff`.

use std::io::{self, Write};

use super::{Setting, check::line, report};
use crate::{
    cli::exit::Exit,
    config::scope_files,
    scope::diff::{Change, Direction, diff},
};

/// Compares two scopes; [`Exit::No`] where they differ.
pub(super) fn run(
    old: &str,
    new: &str,
    json: bool,
    setting: &Setting,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let (old, new) = (
        scope_files::effective(old, &setting.scope_dir),
        scope_files::effective(new, &setting.scope_dir),
    );
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            for error in [old.err(), new.err()].into_iter().flatten() {
                err.write_all(report::load_error(&error, setting).as_bytes())?;
            }
            return Ok(Exit::Usage);
        }
    };
    let changes = diff(&old, &new);
    if json {
        for change in &changes {
            line(out, change)?;
        }
    } else {
        text(&changes, out)?;
    }
    Ok(if changes.is_empty() { Exit::Done } else { Exit::No })
}

fn text(changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    if changes.is_empty() {
        return writeln!(out, "no difference");
    }
    let mut section = "";
    for change in changes {
        if change.section != section {
            section = change.section;
            writeln!(out, "[{section}]")?;
        }
        let sign = match change.direction {
            Direction::Tighter => "tighter",
            Direction::Looser => "looser",
            Direction::Other => "",
        };
        writeln!(out, "  {sign:8} {}", change.sentence)?;
    }
    Ok(())
}
