//! Where a command writes, and what the other side can show.

use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::failure::CliError;

/// What the other side can show.
#[derive(Clone, Debug)]
pub struct Look {
    /// The terminal's width in columns; `None` for a file or a pipe: nothing is wrapped there.
    pub width: Option<u16>,
    /// Colours may be used.
    pub colours: bool,
    /// The zone for times.
    pub zone: TimeZone,
    /// The time for "how long ago".
    pub now: Timestamp,
}

impl Look {
    /// Of standard output: a width only on a terminal, colours only there and never with `NO_COLOR`.
    #[must_use]
    pub fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            width: terminal.then(|| comfy_table::Table::new().width().unwrap_or(80).max(40)),
            colours: terminal && !set("NO_COLOR") && !dumb,
            zone: TimeZone::system(),
            now: Timestamp::now(),
        }
    }
}

/// Where a command writes.
pub struct Output<'a> {
    writer: &'a mut dyn Write,
    /// What the other side can show.
    pub look: Look,
}

impl<'a> Output<'a> {
    /// Writes to `writer`, which should be buffered.
    #[must_use]
    pub fn new(writer: &'a mut dyn Write, look: Look) -> Self {
        Self { writer, look }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn line(&mut self, text: &str) -> Result<(), CliError> {
        Ok(writeln!(self.writer, "{text}")?)
    }

    /// Sends what is buffered on its way.
    ///
    /// # Errors
    /// [`CliError::Output`].
    pub fn flush(&mut self) -> Result<(), CliError> {
        Ok(self.writer.flush()?)
    }
}
