//! The page: what the template shows, put into words.

use askama::Template;
use jiff::tz::TimeZone;

use super::{
    chart::{self, Chart},
    timeline::{self, Axis, Timeline},
};
use crate::api::report::Report;
use crate::api::types::{Incident, TreeNode};
use crate::cli::incidents::{after, answer_words, bytes, contained, exposed};
use crate::cli::render::escape::{command_line, escape};
use crate::cli::render::event::{act_words, process_words, verdict_words};
use crate::cli::render::time::{clock, local};
use crate::cli::render::words::counted;
use crate::cli::rotate::reached;
use crate::cli::sessions::{owner_words, state_words};

/// Rows of the tables of events and of the arithmetic that are shown.
const ROWS: usize = 300;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    summary: String,
    facts: Vec<(&'static str, String)>,
    timeline: Timeline,
    timeline_words: String,
    chart: Option<Chart>,
    chart_words: String,
    incidents: Vec<IncidentView>,
    rotations: Vec<[String; 5]>,
    decisions: Vec<[String; 4]>,
    tree: Vec<Branch>,
    lines: Vec<[String; 5]>,
    arithmetic: String,
    budgets: Vec<String>,
    events: Vec<[String; 6]>,
    left_out: u64,
    made: String,
    version: String,
}

struct IncidentView {
    id: String,
    facts: Vec<(&'static str, String)>,
}

/// A process of the tree, with how deep it stands.
struct Branch {
    depth: usize,
    name: String,
    command: String,
    state: String,
}

/// The page of a report, with times in `zone`.
///
/// # Errors
/// Where the template cannot be filled, which is a bug.
pub fn render(report: &Report, zone: &TimeZone) -> std::io::Result<String> {
    let axis = Axis::of(report);
    let chart = chart::draw(report, axis, zone);
    let cuts: u64 = report.incidents.iter().map(|incident| incident.cuts).sum();
    let mut tree = Vec::new();
    branches(&report.roots, 0, &mut tree);
    let tally = report.tally.as_ref();
    let shown = report.events.len().min(ROWS);
    Page {
        title: format!("{} · {}", escape(&report.agent), escape(&report.id)),
        summary: summary(report, cuts),
        facts: facts(report, zone),
        timeline: timeline::draw(report, axis, zone),
        timeline_words: format!(
            "{} between {} and {}, by what was done about each, with the exposure windows behind them. The table of \
             events says the same in words.",
            counted(report.events.len() as u64, "event"),
            report.events.first().map_or_else(String::new, |event| clock(event.time, zone)),
            report.events.last().map_or_else(String::new, |event| clock(event.time, zone)),
        ),
        chart_words: chart.as_ref().map_or_else(String::new, |chart| {
            format!("The cuts add up to at most {:.2}. The table of the arithmetic says how.", chart.peak)
        }),
        chart,
        incidents: report
            .incidents
            .iter()
            .map(|incident| incident_view(incident, report, zone))
            .collect(),
        rotations: report
            .rotations
            .iter()
            .map(|entry| {
                let readers: Vec<String> = entry
                    .reads
                    .iter()
                    .map(|read| format!("{} [{}] at {}", read.reader, read.pid, clock(read.time, zone)))
                    .collect();
                let rotated = entry.rotated.as_ref().map_or_else(
                    || "no, waits".to_owned(),
                    |done| format!("{} by {}: {}", local(done.time, zone), done.by, done.note),
                );
                [entry.path.clone(), entry.class.clone(), readers.join("; "), reached(entry), rotated]
                    .map(|text| escape(&text).into_owned())
            })
            .collect(),
        decisions: report
            .decisions
            .iter()
            .map(|decision| {
                let time = local(decision.time, zone);
                [time, decision.by.clone(), decision.what.clone(), decision.reason.clone()]
                    .map(|text| escape(&text).into_owned())
            })
            .collect(),
        tree,
        lines: tally
            .iter()
            .flat_map(|tally| &tally.lines)
            .take(ROWS)
            .map(|line| {
                [
                    line.object.clone(),
                    line.rule.clone(),
                    line.cuts.to_string(),
                    line.weight.to_string(),
                    line.counts.to_string(),
                ]
                .map(|text| escape(&text).into_owned())
            })
            .collect(),
        arithmetic: tally.map_or_else(String::new, |tally| {
            format!(
                "{} × {} % for {} = {}",
                tally.weight,
                tally.percent,
                if tally.kinds == 1 { "1 kind of act".to_owned() } else { format!("{} kinds of acts", tally.kinds) },
                tally.sum
            )
        }),
        budgets: tally
            .iter()
            .flat_map(|tally| &tally.budgets)
            .map(|budget| {
                format!(
                    "{} of {} within {}, then {}",
                    budget.sum,
                    budget.weight,
                    humantime::format_duration(std::time::Duration::from_secs(budget.within)),
                    budget.response.word()
                )
            })
            .collect(),
        events: report
            .events
            .iter()
            .take(ROWS)
            .map(|event| {
                [
                    clock(event.time, zone),
                    verdict_words(&event.verdict),
                    process_words(event),
                    // It is safe to show already.
                    act_words(&event.act, event.count),
                    event.verdict.rule.clone().unwrap_or_default(),
                    event.verdict.reason.clone().unwrap_or_default(),
                ]
                .map(|text| escape(&text).into_owned())
            })
            .collect(),
        left_out: report.left_out + (report.events.len() - shown) as u64,
        made: local(report.made, zone),
        version: report.version.clone(),
    }
    .render()
    .map_err(std::io::Error::other)
}

/// What happened, in a sentence or two.
fn summary(report: &Report, cuts: u64) -> String {
    if report.incidents.is_empty() {
        return "No act of this session was outside its scope.".to_owned();
    }
    let open = report
        .incidents
        .iter()
        .filter(|incident| incident.closed().is_none())
        .count();
    let contained = report
        .incidents
        .iter()
        .filter(|incident| incident.contained.is_some())
        .count();
    let ended = report.incidents.len() - open - contained;
    let mut ways = Vec::new();
    for (count, way) in [
        (contained, "contained"),
        (ended, "over with the session and not contained"),
        (open, "not contained so far"),
    ] {
        if count > 0 {
            ways.push(format!("{count} {way}"));
        }
    }
    let waiting = report
        .rotations
        .iter()
        .filter(|entry| entry.rotated.is_none())
        .count() as u64;
    let rotate = match waiting {
        0 => "No credential waits to be rotated.".to_owned(),
        1 => "1 credential has to be rotated.".to_owned(),
        more => format!("{more} credentials have to be rotated."),
    };
    format!(
        "{} in {}: {}. {rotate}",
        counted(cuts, "cut"),
        counted(report.incidents.len() as u64, "incident"),
        ways.join(", ")
    )
}

fn facts(report: &Report, zone: &TimeZone) -> Vec<(&'static str, String)> {
    let owner = &report.owner;
    let unknown = || "unknown".to_owned();
    let mut facts = vec![
        ("Agent", report.agent.clone()),
        ("Session", report.id.clone()),
        ("Runs for", owner_words(owner)),
        (
            "Login session",
            owner
                .login_session
                .map_or_else(unknown, |login| login.to_string()),
        ),
        ("Terminal", owner.tty.clone().unwrap_or_else(unknown)),
        ("Host", report.host.clone()),
    ];
    if let Some(session) = &report.session {
        facts.push(("Started", local(session.since, zone)));
        facts.push(("State", state_words(&session.status)));
        facts.push(("Mode", crate::cli::sessions::mode_word(session.mode).to_owned()));
        facts.push((
            "Acts",
            format!("{}, of which {}", session.acts, counted(session.cuts, "cut")),
        ));
    }
    facts
        .into_iter()
        .map(|(name, text)| (name, escape(&text).into_owned()))
        .collect()
}

fn incident_view(incident: &Incident, report: &Report, zone: &TimeZone) -> IncidentView {
    let precise = |time| {
        format!(
            "{} {}",
            local(time, zone).split(' ').next().unwrap_or_default(),
            clock(time, zone)
        )
    };
    let secrets: Vec<String> = incident
        .credentials
        .iter()
        .map(|read| {
            format!(
                "{} ({}), by {} [{}]",
                read.path, read.class, read.reader, read.pid
            )
        })
        .collect();
    let endpoints: Vec<String> = incident
        .endpoints
        .iter()
        .map(|reached| match reached.before {
            true => format!("{} (first before the incident)", reached.endpoint),
            false => reached.endpoint.clone(),
        })
        .collect();
    let or_none = |list: Vec<String>| {
        if list.is_empty() {
            "none seen".to_owned()
        } else {
            list.join("; ")
        }
    };
    let detected = incident.detected.as_ref().map_or_else(
        || "no".to_owned(),
        |answer| format!("{}, {}", after(incident.to_detect()), answer_words(answer)),
    );
    let facts = vec![
        (
            "First cut",
            format!("{}: {}", precise(incident.began), incident.first),
        ),
        ("Detected", detected),
        (
            "Contained",
            match incident.to_contain() {
                Some(_) => format!("{}, {}", after(incident.to_contain()), contained(incident)),
                None => contained(incident),
            },
        ),
        ("Exposure window", exposed(incident, report.made)),
        ("Cuts", format!("{}, weight {}", incident.cuts, incident.weight)),
        ("Credentials read", or_none(secrets)),
        ("Bytes that left", bytes(incident)),
        ("Endpoints reached", or_none(endpoints)),
    ];
    IncidentView {
        id: incident.id.clone(),
        facts: facts
            .into_iter()
            .map(|(name, text)| (name, escape(&text).into_owned()))
            .collect(),
    }
}

fn branches(nodes: &[TreeNode], depth: usize, into: &mut Vec<Branch>) {
    for node in nodes {
        let exe = node.exe.as_deref().unwrap_or("?");
        let mut state = Vec::new();
        if node.cuts > 0 {
            state.push(counted(node.cuts, "cut"));
        }
        if !node.alive {
            state.push("ended".to_owned());
        }
        into.push(Branch {
            depth: depth + 1,
            name: format!("{} [{}]", escape(exe.rsplit('/').next().unwrap_or(exe)), node.pid),
            command: command_line(&node.argv),
            state: state.join(", "),
        });
        branches(&node.children, depth + 1, into);
    }
}
