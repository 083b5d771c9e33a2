//! `scopeward daemon`.

use crate::{
    cli::exit::Exit,
    config::file::Config,
    service::daemon::{self, DaemonError},
};

/// The service, in the foreground.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Let go of what a daemon that is gone still holds: take its programs out of the kernel, and end
    #[arg(long)]
    pub release: bool,
}

/// Runs the service until it is told to end.
///
/// # Errors
/// [`DaemonError`].
pub async fn run(args: &Args, config: &Config) -> Result<Exit, DaemonError> {
    if args.release {
        let removed = daemon::release(&config.paths.run)?;
        let text = if removed == 0 {
            "nothing is held"
        } else {
            "the kernel's programs and maps are released"
        };
        tracing::info!(removed, text);
        return Ok(Exit::Done);
    }
    daemon::run(config).await?;
    Ok(Exit::Done)
}
