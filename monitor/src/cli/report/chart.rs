//! How the cuts add up over time, as a drawing: a line that steps up with each cut, and the budgets across it.

use jiff::tz::TimeZone;

use super::timeline::{Axis, LEFT, Tick, WIDTH};
use crate::api::report::Report;
use crate::ledger::account::AccountKey;
use crate::ledger::book::Ledger;
use crate::ledger::cut::{Cut, timestamp};
use crate::ledger::tally::number;
use crate::scope::model::Account;

/// The height of the field.
const HEIGHT: f64 = 150.0;
/// The top of the field.
const TOP: f64 = 16.0;

/// A budget's line.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Where.
    pub y: f64,
    /// Where its words stand.
    pub words_y: f64,
    /// What it is.
    pub label: String,
}

/// The whole drawing.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Height of all of it.
    pub height: f64,
    /// The lower edge of the field.
    pub bottom: f64,
    /// The line, as the points of a polyline.
    pub points: String,
    /// Labels of the time.
    pub ticks: Vec<Tick>,
    /// The scale: where, and how much.
    pub scale: Vec<(f64, String)>,
    /// Budgets.
    pub limits: Vec<Limit>,
    /// The highest sum.
    pub peak: f64,
}

/// Draws the sum of a session's cuts over the window of its tally; `None` where nothing counts.
#[must_use]
pub fn draw(report: &Report, axis: Axis, zone: &TimeZone) -> Option<Chart> {
    let tally = report.tally.as_ref()?;
    let within = i64::try_from(tally.within).ok()?.checked_mul(1_000_000_000)?;
    let key = AccountKey {
        account: Account::Session,
        name: report.id.as_str().into(),
    };
    let mut ledger = Ledger::default();
    let mut steps = Vec::new();
    let mut cuts: Vec<Cut> = report.events.iter().filter_map(Cut::of).collect();
    cuts.sort_by_key(|cut| cut.time);
    for cut in &cuts {
        ledger.take(cut, &[]);
        let sum = ledger.sum(&key, within, cut.time);
        steps.push((axis.x(timestamp(cut.time)), number(sum)));
    }
    let peak = steps.iter().map(|(_, sum)| *sum).fold(0.0, f64::max);
    if peak <= 0.0 {
        return None;
    }
    let same = tally
        .budgets
        .iter()
        .filter(|budget| budget.within == tally.within);
    let limits: Vec<(u32, String)> = same
        .map(|budget| {
            let words = format!("{}: {}", budget.weight, budget.response.word());
            (budget.weight, words)
        })
        .collect();
    // A budget far above the line would press it flat.
    let shown = limits
        .iter()
        .filter(|(weight, _)| f64::from(*weight) <= peak * 4.0);
    let highest = shown
        .clone()
        .map(|(weight, _)| f64::from(*weight))
        .fold(peak, f64::max)
        * 1.1;
    let y = |sum: f64| TOP + HEIGHT * (1.0 - sum / highest);
    let mut points = format!("{:.1},{:.1}", LEFT + 10.0, y(0.0));
    let mut before = 0.0;
    for (x, sum) in &steps {
        points += &format!(" {x:.1},{:.1} {x:.1},{:.1}", y(before), y(*sum));
        before = *sum;
    }
    points += &format!(" {:.1},{:.1}", WIDTH - 18.0, y(before));
    let scale = [0.0, peak / 2.0, peak];
    Some(Chart {
        height: TOP + HEIGHT + 30.0,
        bottom: TOP + HEIGHT,
        points,
        ticks: axis.ticks(zone),
        scale: scale.iter().map(|sum| (y(*sum), format!("{sum:.0}"))).collect(),
        limits: shown
            .map(|(weight, label)| Limit {
                y: y(f64::from(*weight)),
                words_y: y(f64::from(*weight)) - 4.0,
                label: label.clone(),
            })
            .collect(),
        peak,
    })
}
