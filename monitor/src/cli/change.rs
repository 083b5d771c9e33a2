//! What freeze, thaw and kill have in common: a session, a reason, an answer.

use crate::api::client::Client;
use crate::api::permissions::Change;
use crate::api::question::encode;
use crate::api::types::{ChangeRequest, SessionInfo};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::sessions::state_words;

/// Which session, and why.
#[derive(Clone, Debug, clap::Args)]
pub struct ChangeArgs {
    /// The session's id
    pub session: String,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The session afterwards, as one JSON object
    #[arg(long)]
    pub json: bool,
}

fn counted_processes(count: u64) -> String {
    if count == 1 {
        "1 process".to_owned()
    } else {
        format!("{count} processes")
    }
}

/// Asks the daemon for `change`, and says how the session stands then.
///
/// # Errors
/// [`CliError`].
pub async fn run(
    change: Change,
    args: &ChangeArgs,
    client: &Client,
    output: &mut Output<'_>,
) -> Result<Exit, CliError> {
    let target = format!("/v1/sessions/{}/{}", encode(&args.session), change.word());
    let session: SessionInfo = client
        .post(
            &target,
            &ChangeRequest {
                reason: args.reason.clone(),
            },
        )
        .await?;
    if args.json {
        json::write(output, &session)?;
    } else {
        let (id, agent) = (escape(&session.id), escape(&session.agent));
        let state = state_words(&session.status);
        output.line(&format!(
            "{id} ({agent}): {}; {} in it",
            escape(&state),
            counted_processes(session.processes)
        ))?;
    }
    Ok(Exit::Done)
}
