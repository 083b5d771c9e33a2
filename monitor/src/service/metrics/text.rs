//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

/// A text that grows by families.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// What a family's values are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Only grows, until the daemon is started again.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, a sum and a count.
    Histogram,
}

impl Text {
    /// Begins a family: what follows belongs to it.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a string cannot fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
        Family {
            text: &mut self.0,
            name: name.to_owned(),
        }
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A family whose values are being written.
pub(super) struct Family<'t> {
    text: &'t mut String,
    name: String,
}

impl Family<'_> {
    /// A value with its labels.
    pub(super) fn value(&mut self, labels: &[(&str, &str)], value: f64) {
        self.part("", labels, value);
    }

    /// A value of a part of a histogram: `_bucket`, `_sum`, `_count`.
    pub(super) fn part(&mut self, part: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        // Writing to a string cannot fail.
        writeln!(self.text, "{}{part}{labels} {value}", self.name).ok();
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_labels_stay_in_their_quotes() {
        let mut text = Text::default();
        let mut family = text.family("a_total", Kind::Counter, "one\nline");
        family.value(&[("rule", "x\"} 1\nb 2\\")], 3.0);
        assert_eq!(
            text.into_string(),
            "# HELP a_total one\\nline\n# TYPE a_total counter\na_total{rule=\"x\\\"} 1\\nb 2\\\\\"} 3\n"
        );
    }
}
