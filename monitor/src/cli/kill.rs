//! `scopeward kill SESSION --reason …`.

use crate::api::client::Client;
use crate::api::permissions::Change;
use crate::cli::change::{self, ChangeArgs};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::output::Output;

/// Which session, and why.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,
}

/// Kills every process of a session.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    change::run(Change::Kill, &args.change, client, output).await
}
