//! `scopeward completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, exit::Exit, failure::CliError, render::output::Output};

/// For which shell.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The shell
    pub shell: Shell,
}

/// Writes the completions, as the shell reads them.
///
/// # Errors
/// [`CliError`].
pub fn run(args: &Args, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "scopeward", &mut text);
    output.line(String::from_utf8_lossy(&text).trim_end())?;
    Ok(Exit::Done)
}
