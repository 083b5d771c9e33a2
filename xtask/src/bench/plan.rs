//! How much is measured.

use std::time::Duration;

/// What the caller wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Under a minute, for CI: shows that everything can be measured, and whether a figure is far off.
    pub quick: bool,
    /// Also writes docs/bench.md.
    pub keep: bool,
    /// A missed target is a failure.
    pub strict: bool,
    only: Vec<String>,
}

impl Wish {
    /// # Errors
    /// A sentence, for a word that is no option.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let mut wish = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--quick" => wish.quick = true,
                "--keep" => wish.keep = true,
                "--strict" => wish.strict = true,
                "--only" => {
                    let chapters = words.next().ok_or("--only needs the names of chapters")?;
                    wish.only = chapters.split(',').map(str::to_owned).collect();
                }
                other => return Err(format!("bench has no option {other}: {}", super::USAGE)),
            }
        }
        Ok(wish)
    }

    /// Whether this chapter is to be measured.
    pub fn wants(&self, chapter: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == chapter)
    }
}

/// How much of everything.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The core that measured programs are kept on.
    pub core: usize,
    /// Rounds of the overhead table; each has one sample of every setting.
    pub rounds: usize,
    /// Length of one sample of one act.
    pub sample: Duration,
    /// How long others get, in all, to take their programs out of the kernel.
    pub patience: Duration,
    /// Sessions that are held while processes outside are measured.
    pub sessions: usize,
    /// Rules of the small and of the large scope.
    pub rules: [usize; 2],
    /// Files of the tree that the fixed workload reads.
    pub files: usize,
    /// Programs that it starts.
    pub execs: usize,
    /// Length of the flood outside sessions.
    pub flood: Duration,
    /// Length of one step of the ramp of new objects.
    pub step: Duration,
    /// Attempts of the flood of violations.
    pub violations: u64,
    /// Processes that are killed, for each way.
    pub deaths: usize,
    /// Cuts whose way to the CLI is timed.
    pub alerts: usize,
    /// Starts of a daemon and of a session.
    pub starts: usize,
}

impl Plan {
    /// The plan for a wish.
    pub fn of(wish: &Wish) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let full = Self {
            core: cores - 1,
            rounds: 5,
            sample: Duration::from_millis(200),
            patience: Duration::from_secs(60),
            sessions: 50,
            rules: [10, 10_000],
            files: 20_000,
            execs: 2_000,
            flood: Duration::from_secs(14),
            step: Duration::from_millis(1_500),
            violations: 200_000,
            deaths: 1_000,
            alerts: 1_000,
            starts: 15,
        };
        if !wish.quick {
            return full;
        }
        Self {
            rounds: 3,
            sample: Duration::from_millis(30),
            patience: Duration::from_secs(3),
            sessions: 10,
            rules: [10, 1_000],
            files: 2_000,
            execs: 200,
            flood: Duration::from_secs(2),
            step: Duration::from_millis(300),
            violations: 20_000,
            deaths: 100,
            alerts: 200,
            starts: 5,
            ..full
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Wish;

    #[test]
    fn options_are_read_and_others_refused() {
        let wish = Wish::parse(&["--quick", "--only", "deaths,alerts"]).unwrap();
        assert!(wish.quick && !wish.strict && wish.wants("alerts") && !wish.wants("overhead"));
        assert!(Wish::parse(&[]).unwrap().wants("overhead"));
        assert!(Wish::parse(&["--fast"]).is_err());
        assert!(Wish::parse(&["--only"]).is_err());
    }
}
