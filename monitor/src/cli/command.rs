//! Every command and option of `scopeward`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::cli::{
    agents, completions, cuts, daemon, doctor, events, export, freeze, grant, grants, incidents, kill, man,
    pending, reload, replay, report, rotate, run, scope, sessions, status, thaw, top, tree, verify, why,
};
use crate::config::file::{Config, ConfigError, VARIABLE};

/// Holds AI agents on this host to their declared scope.
#[derive(Debug, Parser)]
#[command(name = "scopeward", version, max_term_width = 120)]
#[command(
    after_help = "Exit codes: 0 done, 1 the answer is \"no\" or \"violations\", 2 usage or scope-file error, \
    3 needs privileges, 4 the daemon is not running, 5 the kernel cannot give what was asked."
)]
pub struct Cli {
    /// The daemon's settings, in place of /etc/scopeward/daemon.toml
    #[arg(long, global = true, value_name = "FILE", env = VARIABLE, hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The daemon's socket, in place of the one in its run directory
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "SCOPEWARD_SOCKET",
        hide_env_values = true
    )]
    pub socket: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command as an agent session, held to a scope from its very first instruction
    Run(run::Args),
    // Questions to the daemon, and changes by hand.
    /// The daemon, what holds each kind of act here, sessions, events, losses
    Status(status::Args),
    /// The agents: for whom they run, since when, with how many cuts
    Agents(agents::Args),
    /// The sessions: who runs, for whom, since when, in what state, with how many cuts
    Sessions(sessions::Args),
    /// The processes of a session
    Tree(tree::Args),
    /// Acts from the store, or live with --follow
    Events(events::Args),
    /// The ledger: how the cuts add up against the budgets, and the arithmetic
    Cuts(cuts::Args),
    /// The incidents: from the first cut to containment, with the exposure window
    Incidents(incidents::Args),
    /// Credentials that were read outside sanctioned use; marks one as rotated
    Rotate(rotate::Args),
    /// One self-contained page about a session or an incident: timeline, processes, cuts, exposure, what to rotate
    Report(report::Args),
    /// Why an act was answered as it was, and what would have allowed it
    Why(why::Args),
    /// Exporters: what is delivered, what waits, what went wrong; or send a test event
    Export(export::Args),
    /// What waits for a person: who asks, for what, since when, and what happens when nobody decides
    Pending(pending::Args),
    /// Live: what runs, what waits for a person, and keys to decide
    Top(top::Args),
    /// Approve, for a while, what an event was about: bound to that very file, program or endpoint, and recorded
    Grant(grant::Args),
    /// The grants that hold: what, for how much longer, how often used, by whom
    Grants(grants::Args),
    /// Take a grant back
    Revoke(grants::RevokeArgs),
    /// Stop every process of a session until a person decides
    Freeze(freeze::Args),
    /// Let a frozen session go on
    Thaw(thaw::Args),
    /// Kill every process of a session
    Kill(kill::Args),
    /// Have the daemon read the scope files again: all that have changed, or none; exits 2 where one has errors
    Reload(reload::Args),

    // What needs no daemon.
    /// The service, in the foreground
    Daemon(daemon::Args),
    /// Validate, show and compare scope files
    Scope(scope::ScopeArgs),
    /// What this kernel can enforce, what is missing, and what would change it; exits 5 where agents cannot be held
    Doctor(doctor::Args),
    /// Walk over the chain of the stored record, and name what was changed, removed or reordered; exits 1 where something was
    Verify(verify::Args),
    /// Decide recorded acts anew, against another scope; exits 1 where it has cuts
    Replay(replay::Args),
    /// What a shell needs to complete this command line
    Completions(completions::Args),
    /// The man pages
    Man(man::Args),
}

impl Cli {
    /// The daemon's settings.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref())
    }

    /// The daemon's settings; those that this user may not read are the default ones.
    ///
    /// # Errors
    /// [`ConfigError`] where they are wrong.
    pub fn settings(&self) -> Result<Config, ConfigError> {
        match self.config() {
            Err(ConfigError::Read { source, .. })
                if self.config.is_none() && source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                Ok(Config::default())
            }
            config => config,
        }
    }

    /// The daemon's socket: the one that was named, or the one in the run directory of the [`settings`](Self::settings).
    ///
    /// # Errors
    /// [`ConfigError`] where the settings are wrong.
    pub fn socket(&self) -> Result<PathBuf, ConfigError> {
        match &self.socket {
            Some(socket) => Ok(socket.clone()),
            None => Ok(self.settings()?.paths.socket()),
        }
    }
}
