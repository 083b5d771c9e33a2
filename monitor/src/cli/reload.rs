//! `scopeward reload`.

use crate::api::client::Client;
use crate::api::types::Reloaded;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::{escape, escape_lines};
use crate::cli::render::json;
use crate::cli::render::output::Output;

/// Nothing to choose but the form.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Has the daemon read the scope files again. [`Exit::Usage`] where a file has errors, and nothing was changed.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let reloaded: Reloaded = client.post("/v1/reload", &serde_json::json!({})).await?;
    if args.json {
        json::write(output, &reloaded)?;
    } else {
        show(&reloaded, output)?;
    }
    Ok(if reloaded.faults.is_empty() {
        Exit::Done
    } else {
        Exit::Usage
    })
}

fn show(reloaded: &Reloaded, output: &mut Output<'_>) -> Result<(), CliError> {
    if !reloaded.faults.is_empty() {
        output.line("Nothing was changed; what was in force before stays in force.")?;
        for fault in &reloaded.faults {
            output.line("")?;
            output.line(&format!("{}:", escape(&fault.file)))?;
            output.line(&escape_lines(&fault.error))?;
        }
        return Ok(());
    }
    if reloaded.changed.is_empty() {
        return output.line("The scope files are in force as they are; none has changed.");
    }
    let names: Vec<_> = reloaded.changed.iter().map(|name| escape(name)).collect();
    output.line(&format!("In force as the files are now: {}.", names.join(", ")))
}
