//! Which of many patterns can fit a path: looked up by what most patterns fix, so that a thousand patterns about a thousand
//! files are not a million comparisons.

use std::collections::HashMap;

use scopeward_abi::object::Match;

use crate::scope::pattern::PathPattern;

/// Patterns with what they lead to, by what a path must be called to fit.
pub(super) struct Candidates<'p> {
    patterns: &'p [(PathPattern, Match)],
    by_path: HashMap<&'p str, Vec<usize>>,
    by_name: HashMap<&'p str, Vec<usize>>,
    others: Vec<usize>,
}

impl<'p> Candidates<'p> {
    pub(super) fn new(patterns: &'p [(PathPattern, Match)]) -> Self {
        let (mut by_path, mut by_name) = (
            HashMap::<&str, Vec<usize>>::new(),
            HashMap::<&str, Vec<usize>>::new(),
        );
        let mut others = Vec::new();
        for (place, (pattern, _)) in patterns.iter().enumerate() {
            match pattern {
                PathPattern::Exact(path) => by_path.entry(path).or_default().push(place),
                PathPattern::UnderDir { name, .. } | PathPattern::Anywhere { name, .. }
                    if name.is_exact() =>
                {
                    by_name.entry(name.prefix()).or_default().push(place);
                }
                _ => others.push(place),
            }
        }
        Self {
            patterns,
            by_path,
            by_name,
            others,
        }
    }

    /// What the patterns that fit `path` lead to, in the patterns' order.
    pub(super) fn fitting(&self, path: &str) -> impl Iterator<Item = &'p Match> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut places: Vec<usize> = [self.by_path.get(path), self.by_name.get(name), Some(&self.others)]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .filter(|place| self.patterns[*place].0.matches(path))
            .collect();
        places.sort_unstable();
        places.into_iter().map(|place| &self.patterns[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is looked up is what trying every pattern gives.
    #[test]
    fn no_pattern_that_fits_is_missed() {
        let texts = [
            "/a/b",
            "/a/**",
            "/a/*",
            "/a/*.x",
            "/a/*/c.x",
            "/a/**/c.x",
            "**/c.x",
            "*.x",
            "**/d/c.x",
            "**/d/**",
            "~/.netrc",
            "/a/d/c.x",
            "**/.netrc",
            "memfd:*",
            "*(deleted)",
            "/a/b",
        ];
        let parsed = texts
            .iter()
            .flat_map(|text| PathPattern::parse_all(text).unwrap());
        let patterns: Vec<(PathPattern, Match)> = (1..)
            .zip(parsed)
            .map(|(read, pattern)| {
                let found = Match {
                    read,
                    ..Match::default()
                };
                (pattern, found)
            })
            .collect();
        let candidates = Candidates::new(&patterns);
        let paths = [
            "/a/b",
            "/a/c.x",
            "/a/d/c.x",
            "/c.x",
            "/e/d/c.x",
            "/e/.netrc",
            "~/.netrc",
            "/memfd:x (deleted)",
            "/e/f (deleted)",
            "/",
            "",
        ];
        for path in paths {
            let tried = patterns.iter().filter(|(pattern, _)| pattern.matches(path));
            let tried: Vec<u32> = tried.map(|(_, found)| found.read).collect();
            let looked_up: Vec<u32> = candidates.fitting(path).map(|found| found.read).collect();
            assert_eq!(looked_up, tried, "{path}");
        }
    }
}
