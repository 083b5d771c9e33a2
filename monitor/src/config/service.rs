//! `[service]`: what changed scope files and a stop do.

use serde::Deserialize;

/// When changed scope files come in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reload {
    /// Each by itself, within about a second; one with errors leaves what was in force before.
    #[default]
    Automatic,
    /// When somebody asks (`systemctl reload scopeward`, `scopeward reload`, SIGHUP): all that have changed, or none.
    Asked,
}

/// What `systemctl stop` means for sessions that run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// They are let go: the programs come out of the kernel.
    #[default]
    Release,
    /// They stay held by the programs in the kernel, until `scopeward daemon --release`.
    Hold,
}

/// The settings of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceSettings {
    /// When changed scope files come in force.
    pub reload: Reload,
    /// What `systemctl stop` means for sessions that run. A crash, a restart or an upgrade never lets go of any.
    pub stop: Stop,
}
