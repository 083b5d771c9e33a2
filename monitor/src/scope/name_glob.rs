//! A pattern for one name: a file's name, or the name of an abstract socket.

use std::fmt;

/// A name with at most one `*`: `id_*`, `*.pem`, `a*b`, `*`, or a fixed name.
///
/// The kernel finds it with one look-up of the whole name, of a prefix or of a suffix; that is why one `*` is
/// the most it can hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameGlob {
    prefix: String,
    suffix: String,
    exact: bool,
}

impl NameGlob {
    /// The name itself, without a `*`.
    #[must_use]
    pub fn exact(name: impl Into<String>) -> Self {
        Self {
            prefix: name.into(),
            suffix: String::new(),
            exact: true,
        }
    }

    /// Whatever starts with `prefix` and ends with `suffix`, the two not overlapping.
    #[must_use]
    pub fn around(prefix: impl Into<String>, suffix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            suffix: suffix.into(),
            exact: false,
        }
    }

    /// Reads text with at most one `*`; `None` where there are more.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self::exact(text)),
            Some((_, suffix)) if suffix.contains('*') => None,
            Some((prefix, suffix)) => Some(Self::around(prefix, suffix)),
        }
    }

    /// What the name starts with; the whole name where [`is_exact`](Self::is_exact).
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the name ends with; empty where [`is_exact`](Self::is_exact).
    #[must_use]
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// Is it a fixed name, without a `*`?
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// Is it `*`, every name?
    #[must_use]
    pub const fn is_any(&self) -> bool {
        !self.exact && self.prefix.is_empty() && self.suffix.is_empty()
    }

    /// How many bytes are fixed.
    #[must_use]
    pub const fn literal_len(&self) -> usize {
        self.prefix.len() + self.suffix.len()
    }

    /// Does `name` fit?
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.exact {
            return name == self.prefix;
        }
        name.len() >= self.literal_len() && name.starts_with(&self.prefix) && name.ends_with(&self.suffix)
    }

    /// Does every name that fits `other` fit this too?
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if other.exact {
            return self.matches(&other.prefix);
        }
        !self.exact && other.prefix.starts_with(&self.prefix) && other.suffix.ends_with(&self.suffix)
    }
}

impl fmt::Display for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.exact {
            f.write_str(&self.prefix)
        } else {
            write!(f, "{}*{}", self.prefix, self.suffix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NameGlob;

    #[test]
    fn one_star_matches_what_stands_around_it() {
        for (glob, name, fits) in [
            ("id_*", "id_rsa", true),
            ("id_*", "id_", true),
            ("id_*", "xid_rsa", false),
            ("*.pem", ".pem", true),
            ("a*b", "ab", true),
            ("ab*b", "ab", false),
            ("*", "anything", true),
            ("x", "x", true),
            ("x", "xx", false),
        ] {
            let parsed = NameGlob::parse(glob).unwrap();
            assert_eq!(parsed.matches(name), fits, "{glob} on {name}");
            assert_eq!(parsed.to_string(), glob);
        }
        assert_eq!(NameGlob::parse("*a*"), None);
    }

    #[test]
    fn a_wider_glob_covers_a_narrower_one() {
        let glob = |text| NameGlob::parse(text).unwrap();
        assert!(glob("id_*").covers(&glob("id_rsa")));
        assert!(glob("*").covers(&glob("id_*")));
        assert!(!glob("id_*").covers(&glob("*")));
        assert!(!glob("id_rsa").covers(&glob("id_*")));
    }
}
