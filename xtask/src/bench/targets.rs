//! What the project promises, held against what was measured.

use serde_json::{Value, json};

/// One promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What it is about.
    pub what: String,
    /// What was promised.
    pub promised: String,
    /// What was measured.
    pub measured: String,
    /// Whether it is kept.
    pub met: bool,
}

impl Target {
    /// A figure that must not be above `limit`; shown with `digits` behind the point and `unit`.
    pub fn at_most(what: &str, measured: f64, limit: f64, digits: usize, unit: &str) -> Self {
        Self {
            what: what.to_owned(),
            promised: format!("at most {limit:.digits$}{unit}"),
            measured: format!("{measured:.digits$}{unit}"),
            met: measured <= limit,
        }
    }

    /// A ratio to the time without a monitor that must not be above `limit`.
    pub fn ratio(what: &str, measured: f64, limit: f64) -> Self {
        Self {
            what: what.to_owned(),
            promised: format!("at most ×{limit:.2}"),
            measured: format!("×{measured:.3}"),
            met: measured <= limit,
        }
    }

    /// Two counts that must be the same.
    pub fn all(what: &str, counted: u64, of: u64) -> Self {
        Self {
            what: what.to_owned(),
            promised: "all".to_owned(),
            measured: format!("{counted} of {of}"),
            met: counted == of && of > 0,
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "what": self.what, "promised": self.promised, "measured": self.measured, "met": self.met })
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_target_is_met_up_to_its_limit() {
        assert!(Target::ratio("a", 1.15, 1.15).met);
        assert!(!Target::ratio("a", 1.151, 1.15).met);
        assert!(Target::all("b", 3, 3).met);
        assert!(!Target::all("b", 2, 3).met && !Target::all("b", 4, 3).met && !Target::all("b", 0, 0).met);
        assert_eq!(
            Target::at_most("c", 0.26, 0.5, 2, " ms").promised,
            "at most 0.50 ms"
        );
    }
}
