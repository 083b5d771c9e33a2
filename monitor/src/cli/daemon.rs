//! `scopeward daemon`.

use crate::{
    cli::exit::Exit,
    config::file::Config,
    service::{
        daemon::{self, DaemonError},
        stop,
    },
};

/// The service, in the foreground.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Let go of what a daemon that is gone still holds: take its programs out of the kernel, and end
    #[arg(long)]
    pub release: bool,
    /// For the unit's ExecStopPost=: as --release where systemd was told to stop UNIT and `stop` of daemon.toml says so;
    /// otherwise (a restart, an upgrade, a crash, the host going down) sessions stay held
    #[arg(long, value_name = "UNIT", conflicts_with = "release")]
    pub after_stop: Option<String>,
}

/// Runs the service until it is told to end.
///
/// # Errors
/// [`DaemonError`].
pub async fn run(args: &Args, config: &Config) -> Result<Exit, DaemonError> {
    if let Some(unit) = &args.after_stop {
        let ending = stop::Ending::of(unit);
        if !ending.lets_go(config.service.stop) {
            tracing::info!(
                ?ending,
                "sessions that run stay held by the programs in the kernel"
            );
            return Ok(Exit::Done);
        }
    }
    if args.release || args.after_stop.is_some() {
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
