//! Patterns for the arguments of a program, decided in user space after the exec.

use std::fmt;

/// Arguments joined by single spaces, in which `*` stands for anything, slashes and spaces included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArgvGlob(String);

impl ArgvGlob {
    /// Takes any text; only `*` has a meaning. `None` for an empty text, which no arguments would fit.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.trim().is_empty()).then_some(Self(text))
    }

    /// How many bytes are fixed.
    #[must_use]
    pub fn literal_len(&self) -> usize {
        self.0.bytes().filter(|byte| *byte != b'*').count()
    }

    /// Do the arguments fit? `argv[0]` is part of them.
    #[must_use]
    pub fn matches(&self, argv: &[String]) -> bool {
        star_match(&self.0, &argv.join(" "))
    }
}

impl fmt::Display for ArgvGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Does `text` fit `glob`, in which `*` stands for anything? Time is at most the product of the lengths.
pub(crate) fn star_match(glob: &str, text: &str) -> bool {
    let mut pieces = glob.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::ArgvGlob;

    #[test]
    fn a_star_stands_for_anything() {
        let fits = |glob: &str, argv: &[&str]| {
            let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
            ArgvGlob::new(glob).unwrap().matches(&argv)
        };
        assert!(fits(
            "* --dangerously-skip-permissions*",
            &["claude", "--dangerously-skip-permissions"]
        ));
        assert!(fits("* --yolo*", &["x", "a", "--yolo", "b"]));
        assert!(!fits("* --yolo*", &["--yolo"]));
        assert!(fits("*/@a/b/*", &["node", "/usr/lib/@a/b/cli.js"]));
        assert!(fits("git push", &["git", "push"]));
        assert!(!fits("git push", &["git", "push", "-f"]));
        assert!(!fits("ab*ba", &["aba"]));
        assert!(ArgvGlob::new("  ").is_none());
    }
}
