//! What somebody still has to read, and so is not to be unlinked yet.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::record::segment::SegmentFile;

/// What one reader still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The first segment that it has not read to the end.
    pub segment: u64,
    /// At most so many of the newest bytes are kept for it.
    pub bytes: u64,
}

/// The holds of all readers, by name. Cheap to clone; all clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Holds(Arc<Mutex<BTreeMap<String, Hold>>>);

impl Holds {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Hold>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the reader `name` needs from now on.
    pub fn set(&self, name: &str, hold: Hold) {
        self.lock().insert(name.to_owned(), hold);
    }

    /// The reader `name` is gone.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Whether somebody still needs segment `number` of `segments` (oldest first), within what is kept for them.
    #[must_use]
    pub fn keep(&self, segments: &[SegmentFile], number: u64) -> bool {
        let from_here: u64 = segments
            .iter()
            .filter(|segment| segment.number >= number)
            .map(|segment| segment.bytes)
            .sum();
        self.lock()
            .values()
            .any(|hold| number >= hold.segment && from_here <= hold.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_is_needed_stays_within_its_bytes() {
        let segment = |number| SegmentFile {
            number,
            path: format!("events-{number}.db").into(),
            bytes: 10,
            modified: SystemTime::now(),
        };
        let segments: Vec<_> = (1..=5).map(segment).collect();
        let kept = |holds: &Holds| {
            (1..=5)
                .filter(|number| holds.keep(&segments, *number))
                .collect::<Vec<_>>()
        };
        let holds = Holds::default();
        assert_eq!(kept(&holds), Vec::<u64>::new());
        holds.set(
            "a",
            Hold {
                segment: 3,
                bytes: 100,
            },
        );
        assert_eq!(kept(&holds), [3, 4, 5]);
        holds.set(
            "b",
            Hold {
                segment: 1,
                bytes: 40,
            },
        );
        assert_eq!(kept(&holds), [2, 3, 4, 5], "40 bytes are four segments");
        holds.remove("b");
        holds.set(
            "a",
            Hold {
                segment: 4,
                bytes: 15,
            },
        );
        assert_eq!(kept(&holds), [5]);
    }
}
