//! What `scopeward scope` takes.

use std::io::{self, Write};

use clap::{Args, Subcommand};

use super::{Setting, check, diff, show};
use crate::cli::exit::Exit;

/// Validate, show and compare scope files.
#[derive(Args, Clone, Debug)]
pub struct ScopeArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ScopeCommand,
}

/// The subcommands of `scopeward scope`.
#[derive(Clone, Debug, Subcommand)]
pub enum ScopeCommand {
    /// Validate scope files: every error and warning, with its line and what to write instead; exits 2 on errors
    Check {
        /// Files, names of scopes in the scope directory, or built-in ones (`@coding-agent`)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// One JSON object a line for each finding, then one for each file
        #[arg(long)]
        json: bool,
    },
    /// Show the scope that holds: fragments merged, sets expanded, every rule with its name
    Show {
        /// A scope's name, a file, or a built-in one (`@coding-agent`)
        #[arg(value_name = "NAME|FILE", required_unless_present_any = ["set", "builtin"])]
        scope: Option<String>,
        /// Show a named set instead: `@credentials`, `@metadata`, …
        #[arg(long, value_name = "@SET", conflicts_with_all = ["scope", "builtin"])]
        set: Option<String>,
        /// List the built-in agents and fragments instead
        #[arg(long, conflicts_with = "scope")]
        builtin: bool,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Say in plain sentences what changes from one scope to another; exits 1 where anything does
    Diff {
        /// The scope that holds now: a file, a name, or a built-in one
        old: String,
        /// The scope that is to hold
        new: String,
        /// One JSON object a line for each change
        #[arg(long)]
        json: bool,
    },
}

/// Runs `scopeward scope`. Answers go to `out`, complaints to `err`; `check` answers with its findings.
///
/// # Errors
/// Only those of writing to `out` and `err`.
pub fn run(
    args: &ScopeArgs,
    setting: &Setting,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    match &args.command {
        ScopeCommand::Check { files, json } => check::run(files, *json, setting, out),
        ScopeCommand::Show {
            set: Some(set), json, ..
        } => show::set(set, *json, out, err),
        ScopeCommand::Show {
            builtin: true, json, ..
        } => show::builtin(*json, out),
        ScopeCommand::Show { scope, json, .. } => {
            show::scope(scope.as_deref().unwrap_or_default(), *json, setting, out, err)
        }
        ScopeCommand::Diff { old, new, json } => diff::run(old, new, *json, setting, out, err),
    }
}
