//! NDJSON: one value a line.

use serde::Serialize;

use crate::cli::failure::CliError;
use crate::cli::render::escape::escape_json;
use crate::cli::render::output::Output;

/// Writes each value on a line of its own.
///
/// # Errors
/// [`CliError::Output`].
pub fn write_all<T: Serialize>(output: &mut Output<'_>, values: &[T]) -> Result<(), CliError> {
    values.iter().try_for_each(|value| write(output, value))
}

/// Writes one value as a line.
///
/// # Errors
/// [`CliError::Output`].
pub fn write(output: &mut Output<'_>, value: &impl Serialize) -> Result<(), CliError> {
    write_text(output, &serde_json::to_string(value)?)
}

/// Writes a line that is JSON already. On a terminal, nothing in it can move the cursor or reorder.
///
/// # Errors
/// [`CliError::Output`].
pub fn write_text(output: &mut Output<'_>, json: &str) -> Result<(), CliError> {
    if output.look.width.is_some() {
        output.line(&escape_json(json))
    } else {
        output.line(json)
    }
}
