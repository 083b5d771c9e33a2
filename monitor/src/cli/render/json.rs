//! NDJSON: one value a line.

use serde::Serialize;

use crate::cli::failure::CliError;
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
    output.line(&serde_json::to_string(value)?)
}
