//! `scopeward grants` and `scopeward revoke GRANT`.

use jiff::Timestamp;

use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::types::{ChangeRequest, Grant, GrantState, Object};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::grant_stats;
use crate::cli::render::escape::escape;
use crate::cli::render::output::Output;
use crate::cli::render::time::{age, clock};
use crate::cli::render::words::counted;
use crate::cli::render::{json, table};
use crate::cli::sessions::owner_words;
use crate::scope::words::Access;

/// Which grants.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Those that are over as well, as far as they are remembered
    #[arg(long, short)]
    pub all: bool,
    /// How many were given, how fast, by whom and how often they were used; from the store
    #[arg(long)]
    pub stats: bool,
    /// With --stats: since when, as 7d or 2026-11-22
    #[arg(long, value_name = "TIME", requires = "stats")]
    pub since: Option<String>,
    /// NDJSON, one grant a line
    #[arg(long)]
    pub json: bool,
}

/// Lists the grants.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    if args.stats {
        return grant_stats::run(args.since.as_deref(), args.json, client, output).await;
    }
    let mut grants: Vec<Grant> = client.get("/v1/grants").await?;
    grants.retain(|grant| args.all || grant.state == GrantState::Live);
    if args.json {
        json::write_all(output, &grants)?;
        return Ok(Exit::Done);
    }
    let zone = output.look.zone.clone();
    let heads = ["GRANT", "AGENT", "MAY", "LEFT", "USED", "BY"];
    let mut rows = table::table(&output.look, &heads);
    let now = Timestamp::now();
    for grant in &grants {
        let left = match grant.state {
            GrantState::Live => age(now, grant.until),
            state => format!("{} ({})", state.word(), clock(grant.until, &zone)),
        };
        rows.add_row([
            table::text(&grant.id),
            table::text(&grant.agent),
            table::text(&object_words(&grant.object)),
            table::text(&left),
            table::number(grant.uses),
            table::text(&owner_words(&grant.by)),
        ]);
    }
    table::keep_whole(&mut rows, &[0]);
    table::fit(&mut rows);
    table::write(output, &rows)?;
    Ok(Exit::Done)
}

/// What a grant lets a session do, as `connect to 203.0.113.7:443/tcp`; escaped.
#[must_use]
pub fn object_words(object: &Object) -> String {
    match object {
        Object::File {
            access, path, inode, ..
        } => {
            let words: Vec<&str> = access
                .iter()
                .map(|one| match one {
                    Access::Read => "read",
                    Access::Write => "write",
                })
                .collect();
            format!("{} {} (inode {inode})", words.join(" and "), escape(path))
        }
        Object::Program { path, inode, .. } => format!("execute {} (inode {inode})", escape(path)),
        Object::Endpoint {
            address,
            port,
            protocol,
        } => {
            let at = std::net::SocketAddr::new(*address, *port);
            let protocol = match protocol {
                6 => "tcp".to_owned(),
                17 => "udp".to_owned(),
                132 => "sctp".to_owned(),
                other => other.to_string(),
            };
            format!("connect to {at}/{protocol}")
        }
    }
}

/// Which grant to take back.
#[derive(Clone, Debug, clap::Args)]
pub struct RevokeArgs {
    /// The grant's id
    pub grant: String,
    /// Why; it is recorded
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// The grant afterwards, as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Takes a grant back: the next act is answered as the scope says.
///
/// # Errors
/// [`CliError`].
pub async fn revoke(args: &RevokeArgs, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let target = format!("/v1/grants/{}/revoke", encode(&args.grant));
    let body = ChangeRequest {
        reason: args.reason.clone(),
    };
    let grant: Grant = client.post(&target, &body).await?;
    if args.json {
        json::write(output, &grant)?;
    } else {
        output.line(&format!(
            "{}: taken back after {}",
            escape(&grant.id),
            counted(grant.uses, "use")
        ))?;
    }
    Ok(Exit::Done)
}
