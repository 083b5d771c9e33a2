//! Medians, extremes, quantiles.

use serde_json::{Value, json};

/// The figures of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the values are below it.
    pub median: f64,
    /// 99 of 100 values are not above it.
    pub p99: f64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// How many values there were.
    pub count: usize,
}

impl Spread {
    /// Of `values`; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: quantile(&sorted, 0.5)?,
            p99: quantile(&sorted, 0.99)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            count: sorted.len(),
        })
    }

    /// Every value times `factor`.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            median: self.median * factor,
            p99: self.p99 * factor,
            min: self.min * factor,
            max: self.max * factor,
            count: self.count,
        }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "median": self.median, "p99": self.p99, "min": self.min, "max": self.max, "count": self.count })
    }
}

/// The value at `part` (0 to 1) of the way through `sorted`, between two values where it falls between them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a list, not negative"
)]
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (
        sorted.get(place.floor() as usize)?,
        sorted.get(place.ceil() as usize)?,
    );
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_spread_knows_its_middle_and_its_ends() {
        let spread = Spread::of(&[3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!(
            (spread.median, spread.min, spread.max, spread.count),
            (2.5, 1.0, 10.0, 4)
        );
        let hundred: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(Spread::of(&hundred).unwrap().p99, 99.0);
        assert_eq!(Spread::of(&[]), None);
    }
}
