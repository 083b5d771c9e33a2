//! `scopeward tree SESSION`.

use crate::api::client::Client;
use crate::api::question::encode;
use crate::api::types::{Tree, TreeNode};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::event::link_words;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::cli::render::words::counted;
use crate::cli::sessions::{mode_word, owner_words, state_words};

/// Which session.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The session's id
    pub session: String,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

/// Shows the processes of a session.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let tree: Tree = client
        .get(&format!("/v1/sessions/{}/tree", encode(&args.session)))
        .await?;
    if args.json {
        json::write(output, &tree)?;
        return Ok(Exit::Done);
    }
    let session = &tree.session;
    let (state, owner) = (state_words(&session.status), owner_words(&session.owner));
    let words = [
        &session.id,
        &session.agent,
        &mode_word(session.mode).to_owned(),
        &state,
        &format!("for {owner}"),
    ];
    output.line(&words.map(|word| escape(word)).join("  "))?;
    for root in &tree.roots {
        output.line(&words_of(root))?;
        show_children(root, "", output)?;
    }
    Ok(Exit::Done)
}

fn show_children(node: &TreeNode, indent: &str, output: &mut Output<'_>) -> Result<(), CliError> {
    for (index, child) in node.children.iter().enumerate() {
        let last = index + 1 == node.children.len();
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        output.line(&format!("{indent}{branch}{}", words_of(child)))?;
        show_children(child, &format!("{indent}{below}"), output)?;
    }
    Ok(())
}

fn words_of(node: &TreeNode) -> String {
    let mut words = link_words(node.exe.as_deref().unwrap_or("?"), node.pid, &node.argv);
    if node.cuts > 0 {
        words.push_str(&format!("  ({})", counted(node.cuts, "cut")));
    }
    if !node.alive {
        words.push_str("  (ended)");
    }
    words
}
