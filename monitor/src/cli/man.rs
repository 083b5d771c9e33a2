//! `scopeward man [DIR]`.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::{Cli, exit::Exit, failure::CliError, render::output::Output};

/// Where to.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Write scopeward.1 and a page for every command into this directory, which is made; without it, scopeward.1 goes to
    /// standard output
    pub directory: Option<PathBuf>,
}

/// Writes the pages.
///
/// # Errors
/// [`CliError`].
pub fn run(args: &Args, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    let Some(directory) = &args.directory else {
        output.line(page(command)?.1.trim_end())?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(directory)?;
    for (name, text) in pages(command)? {
        std::fs::write(directory.join(name), text)?;
    }
    Ok(Exit::Done)
}

/// The page of a command, and those of its own commands.
fn pages(command: clap::Command) -> std::io::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for own in command.get_subcommands().filter(|own| own.get_name() != "help") {
        let name = format!("{}-{}", command.get_name(), own.get_name());
        // Clap wants a name that lives as long as the program, which ends after this.
        let name: &'static str = Box::leak(name.into_boxed_str());
        all.extend(pages(own.clone().name(name))?);
    }
    all.insert(0, page(command)?);
    Ok(all)
}

fn page(command: clap::Command) -> std::io::Result<(String, String)> {
    let man = Man::new(command)
        .manual("Scopeward")
        .source(concat!("scopeward ", env!("CARGO_PKG_VERSION")))
        // A date would make every build another one.
        .date("");
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_of_its_own() {
        let mut command = Cli::command();
        command.build();
        let expected = command
            .get_subcommands()
            .filter(|own| own.get_name() != "help")
            .count();
        let pages = pages(command).unwrap();
        assert_eq!(pages[0].0, "scopeward.1");
        assert!(
            pages.len() > expected,
            "{} pages for {expected} commands",
            pages.len()
        );
        for (name, text) in &pages {
            assert!(text.contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(pages.iter().any(|(name, _)| name == "scopeward-scope-check.1"));
    }
}
