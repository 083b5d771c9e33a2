//! Why a run did not come about: words for people, an exit code for scripts.

use std::{io, path::PathBuf};

use super::{
    held::{ExecError, SpawnError},
    holder::HoldError,
    user::UserError,
};
use crate::{
    api::client::ClientError,
    cli::{
        exit::Exit,
        render::escape::escape_lines,
        scope::{Setting, report},
    },
    config::scope_files::LoadError,
    scope::capability::Capabilities,
};

/// Why the command did not run, or is not waited for.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings.
    #[error("failed to {0}")]
    Config(#[from] crate::config::file::ConfigError),
    /// The scope.
    #[error("failed to {0}")]
    Scope(#[from] LoadError),
    /// Nobody can hold the command.
    #[error("nothing can hold the command: no scopeward daemon answers on {}, and this is not root", socket.display())]
    Nobody {
        /// The daemon's socket.
        socket: PathBuf,
    },
    /// The daemon or this process does not hold it.
    #[error("{0}")]
    Hold(#[from] HoldError),
    /// The calling user.
    #[error("failed to {0}")]
    User(#[from] UserError),
    /// The events cannot be written there.
    #[error("failed to open {}: {error}", path.display())]
    Events {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no process for the command.
    #[error("failed to {0}")]
    Spawn(#[from] SpawnError),
    /// The program.
    #[error("{0}")]
    Exec(ExecError),
    /// The signals.
    #[error("failed to wait for the command: {0}")]
    Wait(#[from] nix::Error),
}

impl RunError {
    /// The exit status.
    #[must_use]
    pub const fn status(&self) -> u8 {
        let exit = match self {
            Self::Exec(error) => return error.status(),
            Self::Config(_) | Self::Scope(_) => Exit::Usage,
            Self::Nobody { .. } => Exit::NotRunning,
            Self::Hold(error) => hold(error),
            Self::User(_) | Self::Events { .. } | Self::Spawn(_) | Self::Wait(_) => Exit::No,
        };
        exit as u8
    }

    fn remedy(&self) -> &str {
        match self {
            Self::Nobody { .. } => {
                "start the daemon (systemctl start scopeward), or run this as root (sudo scopeward run …: the command still runs as you)"
            }
            Self::Hold(
                HoldError::Scope { remedy, .. }
                | HoldError::Privileges { remedy, .. }
                | HoldError::Unsupported { remedy, .. },
            ) => remedy,
            Self::Hold(HoldError::Daemon(ClientError::Refused { body, .. })) => &body.remedy,
            _ => "",
        }
    }

    /// What standard error gets: one sentence and what to do about it; for a scope, all its errors with their
    /// excerpts.
    #[must_use]
    pub fn text(&self) -> String {
        if let Self::Scope(error @ LoadError::Scope(_)) = self {
            let setting = Setting {
                colour: on_stderr(),
                ..Setting::of_this_process(Capabilities::tracepoint(true))
            };
            return report::load_error(error, &setting);
        }
        let mut text = format!("scopeward: {}\n", escape_lines(&self.to_string()));
        for line in self.remedy().lines() {
            text += &format!("  {}\n", escape_lines(line));
        }
        text
    }
}

fn on_stderr() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::IsTerminal::is_terminal(&io::stderr()) && !plain
}

const fn hold(error: &HoldError) -> Exit {
    match error {
        HoldError::Scope { .. } => Exit::Usage,
        HoldError::Privileges { .. } | HoldError::Daemon(ClientError::Denied { .. }) => Exit::Privileges,
        HoldError::Unsupported { .. } => Exit::Unsupported,
        HoldError::Daemon(ClientError::NotRunning { .. }) => Exit::NotRunning,
        // What is asked for is a scope, so one that is not found is a wrong word on the command line.
        HoldError::Daemon(ClientError::Refused { status, .. }) => match status.as_u16() {
            400 | 404 | 422 => Exit::Usage,
            403 => Exit::Privileges,
            501 => Exit::Unsupported,
            _ => Exit::No,
        },
        HoldError::Daemon(ClientError::Protocol { .. }) | HoldError::Failed(_) => Exit::No,
    }
}
