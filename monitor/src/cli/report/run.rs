//! Which session, and where the page goes.

use std::path::PathBuf;

use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::report::Report;
use crate::api::types::Incident;
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::json;
use crate::cli::render::output::Output;

use super::{page::render, write_file};

/// What the report is about.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// A session (s-…), or an incident (i-…) of it
    #[arg(value_name = "SESSION|INCIDENT")]
    pub about: String,
    /// Write the page there; - for standard output
    #[arg(long, value_name = "FILE|-", required_unless_present = "json")]
    pub html: Option<PathBuf>,
    /// One JSON object with all that the page is made of, to standard output
    #[arg(long)]
    pub json: bool,
}

/// Writes the report.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let session = match args.about.starts_with("i-") {
        true => {
            let incidents: Vec<Incident> = client.get("/v1/incidents").await?;
            let found = incidents.into_iter().find(|incident| incident.id == args.about);
            // What is no incident is asked for as a session, and the daemon says that there is none.
            found.map_or_else(|| args.about.clone(), |incident| incident.session)
        }
        false => args.about.clone(),
    };
    let report: Report = client
        .get(&format!("/v1/sessions/{}/report", encode(&session)))
        .await?;
    if args.json {
        json::write(output, &report)?;
    }
    let Some(path) = &args.html else {
        return Ok(Exit::Done);
    };
    let page = render(&report, &output.look.zone)?;
    if path.as_os_str() == "-" {
        output.line(&page)?;
    } else {
        write_file(path, &page)?;
    }
    Ok(Exit::Done)
}
