//! `scopeward events`.

use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::client::{Client, LineStream};
use crate::api::moment::parse_moment;
use crate::api::question::{Question, parse_kind, parse_verdict};
use crate::api::types::{ErrorBody, MissedLine};
use crate::cli::exit::Exit;
use crate::cli::failure::CliError;
use crate::cli::render::event::EventRows;
use crate::cli::render::json;
use crate::cli::render::output::Output;
use crate::record::event::EventRecord;
use crate::record::filter::{Filter, Order, Pattern};
use crate::scope::words::{Kind, Response};

/// Rows that are laid out together.
const CHUNK: usize = 200;

/// Which events.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Of this agent (each of these options may be repeated, or take a list with commas)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub agent: Vec<String>,
    /// Of this session
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub session: Vec<String>,
    /// Of sessions that run for this user (name or id)
    #[arg(long, value_name = "USER", value_delimiter = ',')]
    pub owner: Vec<String>,
    /// Of this kind, as file.open
    #[arg(long, value_delimiter = ',', hide_possible_values = true,
          value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::word)))]
    pub kind: Vec<String>,
    /// With this verdict: called for, or applied
    #[arg(long, value_delimiter = ',',
          value_parser = PossibleValuesParser::new(Response::ALL.map(Response::word)))]
    pub verdict: Vec<String>,
    /// Not before this time: 2026-11-22T06:00:00Z, 2026-11-22, "2026-11-22 06:00", or how long ago, as 10m
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    pub until: Option<String>,
    /// With this path as object: the path, a directory above it, or a glob (* and **)
    #[arg(long, value_name = "PATTERN")]
    pub path: Option<String>,
    /// With this remote end: name or address (or the name of the machine that recorded it), or a glob
    #[arg(long, value_name = "PATTERN")]
    pub host: Option<String>,
    /// At most this many, the latest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Stay, and show what happens from now on (after what is stored since --since, where that is given)
    #[arg(long, short)]
    pub follow: bool,
    /// NDJSON, one event record a line
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// As a question to the daemon; times without a zone are in `zone`.
    ///
    /// # Errors
    /// [`CliError`] where a time or a pattern cannot be read.
    pub fn question(&self, now: Timestamp, zone: &TimeZone) -> Result<Question, CliError> {
        let moment = |text: &Option<String>| {
            text.as_deref()
                .map(|text| parse_moment(text, now, zone))
                .transpose()
        };
        let pattern = |text: &Option<String>| text.as_deref().map(Pattern::parse).transpose();
        let limit = Some(self.limit).filter(|limit| *limit > 0 && !self.follow);
        let filter = Filter {
            agent: self.agent.clone(),
            session: self.session.clone(),
            owner: self.owner.clone(),
            // Both lists hold only words that clap has let through.
            kind: self
                .kind
                .iter()
                .filter_map(|word| parse_kind(word).ok())
                .collect(),
            verdict: self
                .verdict
                .iter()
                .filter_map(|word| parse_verdict(word).ok())
                .collect(),
            since: moment(&self.since)?,
            until: moment(&self.until)?,
            path: pattern(&self.path)?,
            host: pattern(&self.host)?,
            limit,
            // The latest ones are asked for, and shown with the earliest of them first.
            order: if limit.is_some() {
                Order::Newest
            } else {
                Order::Oldest
            },
            ..Filter::default()
        };
        Ok(Question {
            filter,
            follow: self.follow,
        })
    }
}

/// Lists events, or follows them.
///
/// # Errors
/// [`CliError`].
pub async fn run(args: &Args, client: &Client, output: &mut Output<'_>) -> Result<Exit, CliError> {
    let question = args.question(output.look.now, &output.look.zone)?;
    let mut stream = client.lines(&format!("/v1/events?{}", question.write())).await?;
    let mut rows = EventRows::default();
    if question.filter.order == Order::Newest {
        let mut lines = Vec::new();
        while let Some(line) = stream.next().await? {
            lines.push(parse(line)?);
        }
        for line in lines.iter().rev() {
            show(line, args.json, &mut rows, output)?;
        }
    } else {
        stream_out(&mut stream, args, &mut rows, output).await?;
    }
    rows.flush(output)?;
    output.flush()?;
    Ok(Exit::Done)
}

async fn stream_out(
    stream: &mut LineStream,
    args: &Args,
    rows: &mut EventRows,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let mut shown = 0_usize;
    loop {
        let line = match stream.next().await {
            Ok(Some(line)) => line,
            Ok(None) if !args.follow => return Ok(()),
            Err(error) if !args.follow => return Err(error.into()),
            // What is followed has no end of its own.
            Ok(None) | Err(_) => return Err(CliError::Ended),
        };
        show(&parse(line)?, args.json, rows, output)?;
        shown += 1;
        // What can be read without waiting is laid out together; nothing waits for more.
        if shown.is_multiple_of(CHUNK) || (args.follow && !stream.has_line()) {
            rows.flush(output)?;
            output.flush()?;
        }
    }
}

/// A line of the stream.
enum Line {
    Event(String, Box<EventRecord>),
    Missed(String, u64),
}

fn parse(line: String) -> Result<Line, CliError> {
    match serde_json::from_str::<EventRecord>(&line) {
        Ok(event) => Ok(Line::Event(line, Box::new(event))),
        Err(error) => match (
            serde_json::from_str::<MissedLine>(&line),
            serde_json::from_str::<ErrorBody>(&line),
        ) {
            (Ok(missed), _) => Ok(Line::Missed(line, missed.missed)),
            (_, Ok(body)) => Err(CliError::Stream(body)),
            _ => Err(error.into()),
        },
    }
}

fn show(line: &Line, as_json: bool, rows: &mut EventRows, output: &mut Output<'_>) -> Result<(), CliError> {
    match line {
        Line::Event(text, _) | Line::Missed(text, _) if as_json => json::write_text(output, text),
        Line::Event(_, event) => rows.push(output, event),
        Line::Missed(_, missed) => {
            rows.flush(output)?;
            output.line(&format!(
                "! {missed} events came faster than they could be shown, and are not stored either"
            ))
        }
    }
}
