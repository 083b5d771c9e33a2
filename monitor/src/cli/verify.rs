//! `scopeward verify`.

use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::render::words::counted;
use crate::record::signer::{self, PUBLIC_FILE};
use crate::record::verify::{Kept, Report, verify};

/// Which store, and against what.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The public key, in place of the one that lies beside the store: one that was kept elsewhere shows that the store was
    /// not signed anew by somebody else
    #[arg(long, value_name = "HEX")]
    pub key: Option<String>,
    /// A record whose place was kept elsewhere, as NUMBER:LINK; may be given several times
    #[arg(long, value_name = "NUMBER:LINK", value_parser = kept)]
    pub head: Vec<Kept>,
    /// The store's directory, in place of the one in the daemon's settings
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

fn kept(text: &str) -> Result<Kept, String> {
    let wrong = || "NUMBER:LINK, as scopeward verify and the `chain` of an event have them".to_owned();
    let (number, link) = text.split_once(':').ok_or_else(wrong)?;
    let number = number.parse().map_err(|_| wrong())?;
    let digits = link.len() >= 8 && link.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits
        .then(|| Kept {
            number,
            link: link.to_owned(),
        })
        .ok_or_else(wrong)
}

/// Walks over the chain of the stored record; needs no daemon.
///
/// # Errors
/// [`CliError`] where the store cannot be read at all.
pub fn run(args: &Args, store: &Path, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let store = args.store.as_deref().unwrap_or(store);
    let unreadable = |source| CliError::Store {
        path: store.to_owned(),
        source,
    };
    let key = match &args.key {
        Some(text) => signer::parse_public(text.trim()).ok_or_else(|| {
            unreadable(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "--key is not a public key of 64 hexadecimal digits",
            ))
        })?,
        None => signer::public_key(store).map_err(unreadable)?,
    };
    let report = verify(store, &key, &args.head).map_err(unreadable)?;
    let exit = if report.findings.is_empty() {
        Exit::Done
    } else {
        Exit::No
    };
    if args.json {
        json::write(output, &report)?;
        return Ok(exit);
    }
    show(
        &report,
        args.key.is_some(),
        &signer::hex(key.as_bytes()),
        store,
        output,
    )?;
    Ok(exit)
}

fn show(
    report: &Report,
    given: bool,
    key: &str,
    store: &Path,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let removed = match report.removed {
        0 => String::new(),
        removed => format!(", {} removed by retention", counted(removed, "segment")),
    };
    let read = format!(
        "{} in {}{removed}",
        counted(report.records, "record"),
        counted(report.segments, "segment")
    );
    if report.findings.is_empty() {
        output.line(&format!(
            "{read}: every one stands where it was written, as it was written."
        ))?;
    } else {
        output.line(&format!("{read}; what does not fit:"))?;
        for finding in &report.findings {
            output.line(&format!("  {}", escape(finding)))?;
        }
        if report.more > 0 {
            output.line(&format!("  and {} more", report.more))?;
        }
    }
    if report.unchained > 0 {
        output.line(&format!(
            "{} without a chain: nothing can be said about what is in there.",
            counted(report.unchained, "segment")
        ))?;
    }
    if report.last > 0 {
        output.line(&format!(
            "Kept elsewhere, this shows later that nothing up to now was exchanged: --head {}:{}",
            report.last,
            report.link.get(..32).unwrap_or(&report.link)
        ))?;
    }
    let from = if given {
        "as given".to_owned()
    } else {
        format!(
            "from {}; keep it elsewhere and give it with --key",
            store.join(PUBLIC_FILE).display()
        )
    };
    output.line(&format!("Key: {key} ({from})"))
}
