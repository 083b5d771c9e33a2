//! The timeline as a drawing: a lane for each response, a mark for each event, the exposure windows behind them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::api::report::Report;
use crate::cli::render::event::{act_words, process_words};
use crate::cli::render::time::clock;
use crate::scope::words::Response;

/// The width of the drawing, in its own units.
pub const WIDTH: f64 = 960.0;
/// Left of it stand the names of the lanes.
pub const LEFT: f64 = 78.0;
/// Right of it is a margin, for labels that hang over.
const RIGHT: f64 = 18.0;
/// The height of a lane.
const LANE: f64 = 30.0;
/// The top of the first lane.
pub const TOP: f64 = 26.0;

/// A time span and its place on the drawing.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    from: i128,
    span: i128,
}

/// A label below the axis.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Where.
    pub x: f64,
    /// The time.
    pub label: String,
    /// `start`, `middle` or `end`: so that it does not hang over the edge.
    pub anchor: &'static str,
}

/// A lane.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Its name.
    pub name: &'static str,
    /// Its middle.
    pub y: f64,
}

/// A mark.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// Where.
    pub y: f64,
    /// The class of its shape: `allow`, `flag`, `deny`, `freeze`, `kill`.
    pub class: &'static str,
    /// What it is, in one line.
    pub title: String,
}

/// An exposure window.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its left edge.
    pub x: f64,
    /// Its width.
    pub width: f64,
    /// What it is.
    pub title: String,
}

/// The whole drawing.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Height of all of it.
    pub height: f64,
    /// The lower edge of the lanes.
    pub bottom: f64,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Labels.
    pub ticks: Vec<Tick>,
    /// Marks.
    pub marks: Vec<Mark>,
    /// Exposure windows.
    pub spans: Vec<Span>,
}

impl Axis {
    /// From the first thing that a report tells of to the last; at least a hundredth of a second.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let events = report.events.iter().map(|event| event.time);
        let incidents = report
            .incidents
            .iter()
            .flat_map(|incident| [Some(incident.began), Some(incident.last), incident.closed()]);
        let decisions = report.decisions.iter().map(|decision| decision.time);
        let times: Vec<i128> = events
            .chain(incidents.flatten())
            .chain(decisions)
            .map(Timestamp::as_nanosecond)
            .collect();
        let made = report.made.as_nanosecond();
        let from = times.iter().copied().min().unwrap_or(made);
        let to = times.iter().copied().max().unwrap_or(made);
        let span = (to - from).max(10_000_000);
        Self { from, span }
    }

    /// The place of a time.
    #[must_use]
    pub fn x(self, time: Timestamp) -> f64 {
        let part = (time.as_nanosecond() - self.from) as f64 / self.span as f64;
        LEFT + 10.0 + part.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT - 20.0)
    }

    /// Five labels.
    #[must_use]
    pub fn ticks(self, zone: &TimeZone) -> Vec<Tick> {
        (0..5_u32)
            .map(|number| {
                let offset = self.span * i128::from(number) / 4;
                let time = Timestamp::from_nanosecond(self.from + offset).unwrap_or_default();
                Tick {
                    x: self.x(time),
                    label: clock(time, zone),
                    anchor: match number {
                        0 => "start",
                        4 => "end",
                        _ => "middle",
                    },
                }
            })
            .collect()
    }
}

/// The place of a response among the lanes, the strongest on top.
const fn lane(response: Response) -> u8 {
    match response {
        Response::Kill => 0,
        Response::Freeze => 1,
        Response::Deny => 2,
        Response::Flag => 3,
        Response::Allow => 4,
    }
}

fn y(response: Response) -> f64 {
    TOP + LANE * (f64::from(lane(response)) + 0.5)
}

/// Draws the events and incidents of a report.
#[must_use]
pub fn draw(report: &Report, axis: Axis, zone: &TimeZone) -> Timeline {
    let lanes = [
        (Response::Kill, "killed"),
        (Response::Freeze, "frozen"),
        (Response::Deny, "denied"),
        (Response::Flag, "flagged"),
        (Response::Allow, "reached"),
    ];
    let bottom = TOP + LANE * 5.0;
    let marks = report.events.iter().map(|event| Mark {
        x: axis.x(event.time),
        y: y(event.verdict.applied),
        class: event.verdict.applied.word(),
        title: format!(
            "{} {}: {} {}",
            clock(event.time, zone),
            event.verdict.applied.word(),
            process_words(event),
            act_words(&event.act, event.count)
        ),
    });
    let by_hand = report.decisions.iter().filter_map(|decision| {
        let response = [Response::Kill, Response::Freeze]
            .into_iter()
            .find(|response| response.word() == decision.what)?;
        Some(Mark {
            x: axis.x(decision.time),
            y: y(response),
            class: response.word(),
            title: format!(
                "{} {} by {}: {}",
                clock(decision.time, zone),
                decision.what,
                decision.by,
                decision.reason
            ),
        })
    });
    let spans = report.incidents.iter().map(|incident| {
        let left = axis.x(incident.began);
        let right = axis.x(incident.closed().unwrap_or(report.made));
        Span {
            x: left,
            width: (right - left).max(2.0),
            title: format!(
                "exposure window of {}, from {} to {}",
                incident.id,
                clock(incident.began, zone),
                incident
                    .closed()
                    .map_or_else(|| "now".to_owned(), |closed| clock(closed, zone))
            ),
        }
    });
    Timeline {
        height: bottom + 30.0,
        bottom,
        lanes: lanes
            .into_iter()
            .map(|(response, name)| Lane { name, y: y(response) })
            .collect(),
        ticks: axis.ticks(zone),
        marks: marks.chain(by_hand).collect(),
        spans: spans.collect(),
    }
}
