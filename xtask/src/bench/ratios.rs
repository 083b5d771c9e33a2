//! The samples of the overhead table as ratios: each against the mean of the two without a monitor around it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::bench::load::Acts;
use crate::bench::plan::Plan;
use crate::bench::statistics::Spread;
use crate::bench::targets::Target;
use crate::bench::{Found, report};

/// What is running while an act is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Nothing, as in the samples that all are held against: what differs here is noise.
    Control,
    /// No monitor, but programs that do nothing at the places of its own: the least that these places cost.
    Empty,
    /// A daemon that holds nobody.
    Idle,
    /// A daemon that holds sessions to a few rules; the act is done outside.
    FewRules,
    /// The same with many rules.
    ManyRules,
    /// The act is done in a session, and allowed.
    InsideFew,
    /// The same with many rules.
    InsideMany,
}

impl Setting {
    const ALL: [Self; 7] = [
        Self::Control,
        Self::Empty,
        Self::Idle,
        Self::FewRules,
        Self::ManyRules,
        Self::InsideFew,
        Self::InsideMany,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Empty => "empty_programs",
            Self::Idle => "outside_idle",
            Self::FewRules => "outside_few_rules",
            Self::ManyRules => "outside_many_rules",
            Self::InsideFew => "inside_few_rules",
            Self::InsideMany => "inside_many_rules",
        }
    }

    fn title(self, plan: &Plan) -> String {
        let [few, many] = plan.rules;
        let sessions = plan.sessions;
        match self {
            Self::Control => "no monitor again (noise)".to_owned(),
            Self::Empty => "empty programs at the same hooks".to_owned(),
            Self::Idle => "outside, daemon idle".to_owned(),
            Self::FewRules => format!("outside, {sessions} sessions, {few} rules"),
            Self::ManyRules => format!("outside, {sessions} sessions, {many} rules"),
            Self::InsideFew => format!("in a session, {few} rules"),
            Self::InsideMany => format!("in a session, {many} rules"),
        }
    }
}

/// The most that each act may cost outside sessions; `None`: no more than noise.
const LIMITS: [(&str, &str, Option<f64>); 7] = [
    ("getppid", "getppid", Some(1.15)),
    ("open_close", "open + close", Some(1.15)),
    ("failed_open", "failed open", Some(1.4)),
    ("tcp_connect", "TCP socket + connect", Some(1.1)),
    ("udp_connect", "UDP socket + connect + close", Some(1.1)),
    ("udp_reconnect", "UDP connect alone", Some(1.1)),
    ("fork_exec", "fork + exec + wait", None),
];

/// The least that is called noise, whatever the control says.
const NOISE: f64 = 0.02;

/// All samples of the table.
#[derive(Default)]
pub struct Ratios {
    ratios: BTreeMap<(String, Setting), Vec<f64>>,
    costs: BTreeMap<(String, Setting), Vec<f64>>,
    baseline: BTreeMap<String, Vec<f64>>,
    /// Samples during which others traced the kernel too.
    pub disturbed: usize,
    /// How long others are still waited for.
    pub patience: Duration,
}

impl Ratios {
    /// No samples yet, and the time for which others are waited for.
    pub fn new(patience: Duration) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }

    /// Adds a sample without a monitor.
    pub fn add_baseline(&mut self, acts: &Acts) {
        for (name, nanos) in acts {
            self.baseline.entry(name.clone()).or_default().push(*nanos);
        }
    }

    /// Adds a sample, and those without a monitor around it.
    pub fn add(&mut self, setting: Setting, before: &Acts, acts: &Acts, after: &Acts) {
        for (name, nanos) in acts {
            let (Some(before), Some(after)) = (before.get(name), after.get(name)) else {
                continue;
            };
            let without = f64::midpoint(*before, *after);
            let key = (name.clone(), setting);
            self.ratios.entry(key.clone()).or_default().push(nanos / without);
            self.costs.entry(key).or_default().push(nanos - without);
        }
    }

    fn ratio(&self, act: &str, setting: Setting) -> Option<Spread> {
        Spread::of(self.ratios.get(&(act.to_owned(), setting))?)
    }

    fn cost(&self, act: &str, setting: Setting) -> Option<Spread> {
        Spread::of(self.costs.get(&(act.to_owned(), setting))?)
    }

    /// How far the control was off 1, at most.
    fn noise(&self, act: &str) -> f64 {
        let control = self.ratio(act, Setting::Control);
        control.map_or(NOISE, |spread| {
            (spread.max - 1.0).max(1.0 - spread.min).max(NOISE)
        })
    }

    /// The table, the figures, and the targets.
    pub fn found(&self, plan: &Plan) -> Found {
        Found {
            figures: self.figures(),
            text: self.text(plan),
            targets: self.targets(plan),
        }
    }

    fn figures(&self) -> Value {
        let mut acts = Map::new();
        for (act, ..) in LIMITS {
            let mut settings = Map::new();
            let baseline = self.baseline.get(act).and_then(|values| Spread::of(values));
            settings.insert(
                "without_nanos".to_owned(),
                baseline.map_or(Value::Null, |spread| spread.json()),
            );
            for setting in Setting::ALL {
                if let (Some(ratio), Some(cost)) = (self.ratio(act, setting), self.cost(act, setting)) {
                    let both = json!({ "ratio": ratio.json(), "cost_nanos": cost.json() });
                    settings.insert(setting.key().to_owned(), both);
                }
            }
            acts.insert(act.to_owned(), Value::Object(settings));
        }
        json!({ "acts": acts, "disturbed_samples": self.disturbed })
    }

    fn text(&self, plan: &Plan) -> String {
        let mut header = vec!["act".to_owned(), "no monitor".to_owned()];
        header.extend(Setting::ALL.map(|setting| setting.title(plan)));
        let rows: Vec<Vec<String>> = LIMITS
            .iter()
            .map(|(act, title, _)| {
                let baseline = self.baseline.get(*act).and_then(|values| Spread::of(values));
                let mut row = vec![
                    (*title).to_owned(),
                    baseline.map_or_else(String::new, |spread| report::nanos(spread.median)),
                ];
                row.extend(Setting::ALL.map(|setting| self.cell(act, setting)));
                row
            })
            .collect();
        let disturbed = match self.disturbed {
            0 => "Nobody else traced the kernel meanwhile.".to_owned(),
            count => {
                format!("**Others traced the kernel during {count} samples, so these ratios are too low.**")
            }
        };
        format!(
            "## What an act costs\n\nTime of one act as a ratio to the same act with no monitor: median (least to greatest) of {} \
             rounds, and the median difference. Each sample is {} ms long and stands between two without a monitor. {disturbed}\n\n{}",
            plan.rounds,
            plan.sample.as_millis(),
            report::table(&header, &rows)
        )
    }

    fn cell(&self, act: &str, setting: Setting) -> String {
        match (self.ratio(act, setting), self.cost(act, setting)) {
            (Some(ratio), Some(cost)) => format!(
                "×{:.3} ({:.3} to {:.3}) {}",
                ratio.median,
                ratio.min,
                ratio.max,
                report::signed_nanos(cost.median)
            ),
            _ => String::new(),
        }
    }

    fn targets(&self, plan: &Plan) -> Vec<Target> {
        let mut targets = Vec::new();
        for (act, title, limit) in LIMITS {
            for setting in [Setting::Idle, Setting::ManyRules] {
                if let Some(ratio) = self.ratio(act, setting) {
                    let limit = limit.unwrap_or(1.0 + self.noise(act));
                    targets.push(Target::ratio(
                        &format!("{title}, {}", setting.title(plan)),
                        ratio.median,
                        limit,
                    ));
                }
            }
        }
        let [few, many] = plan.rules;
        for (less, more, place) in [
            (Setting::FewRules, Setting::ManyRules, "outside"),
            (Setting::InsideFew, Setting::InsideMany, "in a session"),
        ] {
            for (act, title, _) in LIMITS {
                if let (Some(less), Some(more)) = (self.ratio(act, less), self.ratio(act, more)) {
                    let what = format!("{title}, {place}: {many} rules against {few}");
                    targets.push(Target::ratio(
                        &what,
                        more.median / less.median,
                        1.0 + self.noise(act),
                    ));
                }
            }
        }
        targets
    }
}

#[cfg(test)]
mod tests {
    use super::{Acts, Ratios, Setting};

    fn acts(nanos: f64) -> Acts {
        Acts::from([("getppid".to_owned(), nanos)])
    }

    #[test]
    fn a_sample_is_held_against_those_around_it() {
        let mut ratios = Ratios::default();
        ratios.add(Setting::Idle, &acts(90.0), &acts(120.0), &acts(110.0));
        let (ratio, cost) = (
            ratios.ratio("getppid", Setting::Idle).unwrap(),
            ratios.cost("getppid", Setting::Idle).unwrap(),
        );
        assert!((ratio.median - 1.2).abs() < 1e-9 && (cost.median - 20.0).abs() < 1e-9);
        assert!(ratios.ratio("getppid", Setting::Control).is_none());
        ratios.add(Setting::Control, &acts(100.0), &acts(95.0), &acts(100.0));
        assert!((ratios.noise("getppid") - 0.05).abs() < 1e-9);
    }
}
