//! Asks the daemon, shows, takes keys.

use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::draw::draw;
use super::keys::{Next, press};
use super::view::{Decision, View};
use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::types::{ChangeRequest, Grant, GrantRequest, SessionInfo};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::grant::thaw;
use crate::cli::render::output::Look;
use crate::cli::sessions::state_words;

/// How often the daemon is asked.
const ASK: Duration = Duration::from_secs(1);
/// How long a key may take to be seen.
const BEAT: Duration = Duration::from_millis(100);
/// For how long `a` approves.
const APPROVED_SECONDS: u64 = 600;

/// How it is shown.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {}

/// Shows what runs and what waits until a key ends it.
///
/// # Errors
/// [`CliError`] where there is no terminal, or no daemon.
pub async fn run(_args: &Args, client: &Client, look: &Look) -> Result<Exit, CliError> {
    use std::io::IsTerminal as _;
    if look.width.is_none() || !std::io::stdin().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    let mut view = View::new(look.colours);
    // Before the screen changes: where no daemon answers, a line says so.
    ask(&mut view, client).await?;
    view.message = String::new();
    let mut terminal = ratatui::try_init()?;
    let done = shown(&mut terminal, &mut view, client).await;
    ratatui::try_restore()?;
    done?;
    Ok(Exit::Done)
}

async fn shown(terminal: &mut DefaultTerminal, view: &mut View, client: &Client) -> Result<(), CliError> {
    let mut asked = Instant::now();
    loop {
        terminal.draw(|frame| draw(frame, view))?;
        if event::poll(BEAT)?
            && let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            match press(view, key) {
                Next::Show => {}
                Next::Quit => return Ok(()),
                Next::Decide(decision) => {
                    view.message = match decide(&decision, client).await {
                        Ok(said) => said,
                        Err(error) => error.to_string(),
                    };
                    asked = Instant::now() - ASK;
                }
            }
        }
        if asked.elapsed() >= ASK {
            asked = Instant::now();
            if let Err(error) = ask(view, client).await {
                // A daemon that is being restarted comes back.
                view.message = error.to_string();
            }
        }
    }
}

async fn ask(view: &mut View, client: &Client) -> Result<(), CliError> {
    let status = client.get("/v1/status").await?;
    let sessions = client.get("/v1/sessions").await?;
    let pending = client.get("/v1/pending").await?;
    view.take(status, sessions, pending);
    Ok(())
}

async fn decide(decision: &Decision, client: &Client) -> Result<String, CliError> {
    let about = decision.about();
    let change = async |verb: &str, reason: &str| -> Result<SessionInfo, CliError> {
        let target = format!("/v1/sessions/{}/{verb}", encode(&about.session));
        let reason = reason.to_owned();
        Ok(client.post(&target, &ChangeRequest { reason }).await?)
    };
    let session = match decision {
        Decision::Approve(_) => {
            let request = GrantRequest {
                event: about.event.clone(),
                seconds: APPROVED_SECONDS,
                reason: Some("approved in scopeward top".to_owned()),
                ..GrantRequest::default()
            };
            let grant: Grant = client.post("/v1/grants", &request).await?;
            let session = thaw(&grant, client).await?;
            return Ok(format!(
                "{} given; {}: {}",
                grant.id,
                session.id,
                state_words(&session.status)
            ));
        }
        Decision::Deny(_) => change("kill", "denied in scopeward top").await?,
        Decision::Thaw(_) => change("thaw", "thawed in scopeward top").await?,
    };
    Ok(format!("{}: {}", session.id, state_words(&session.status)))
}
