//! From the text of a scope file to [`PathPattern`]s, with an answer for everything that cannot be held.

use std::str::FromStr;

use super::{name_glob::NameGlob, pattern::PathPattern};

/// The longest name Linux allows, in bytes.
const NAME_MAX: usize = 255;
/// The longest path Linux takes, in bytes.
const PATH_MAX: usize = 4095;
/// The most `*` components and names that may follow a directory.
const DEPTH_MAX: usize = 32;
/// The most patterns that one text may expand to by its braces.
const EXPANSION_MAX: usize = 256;

/// Why a text is not a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing, or only white space.
    #[error("an empty path")]
    Empty,
    /// Contains a slash but starts with neither `/`, `~/` nor `**/`.
    #[error("`{0}` is a relative path")]
    Relative(String),
    /// `~name/…`.
    #[error("`{0}`: `~` stands for the home of the session's owner, not of a named user")]
    OtherHome(String),
    /// Two slashes, or a slash at the end.
    #[error("`{0}` has an empty component")]
    EmptyComponent(String),
    /// `.` or `..` as a component.
    #[error("`{0}` has a `{1}` component")]
    Dots(String, &'static str),
    /// `?`, `[…]`, a backslash or a control character.
    #[error("`{0}`: `{1}` cannot be part of a pattern")]
    Character(String, String),
    /// More than one `*` in one name.
    #[error("`{0}`: the name `{1}` has more than one `*`")]
    ManyStars(String, String),
    /// `**` glued to other characters.
    #[error("`{0}`: `**` stands alone between slashes")]
    GluedTree(String),
    /// `**` where it cannot stand.
    #[error("`{0}`: `**` stands in two places that cannot be held together")]
    ManyTrees(String),
    /// Only `**`.
    #[error("`**` alone names everything")]
    Everything,
    /// A `*` component before `/**`.
    #[error("`{0}`: a `*` component cannot stand before a tree")]
    StarBeforeTree(String),
    /// `**/` followed by three or more components.
    #[error("`{0}`: more than two components follow the first `*` or `**`")]
    LongTail(String),
    /// A glob such as `a*` in the middle of a path.
    #[error("`{0}`: the component `{1}` in the middle has to be a fixed name or `*`")]
    GlobInside(String, String),
    /// A name of more than 255 bytes, a path of more than 4095, or more than 32 components after a `*`.
    #[error("`{0}…` is longer than Linux allows")]
    TooLong(String),
    /// `{` without `}` or the reverse, or braces inside braces.
    #[error("`{0}`: the braces do not pair")]
    Braces(String),
    /// The braces give more than 256 patterns.
    #[error("`{0}`: the braces give more than 256 patterns")]
    Expansion(String),
}

impl PatternError {
    /// What to write instead.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty => "write a path such as `/etc/shadow` or `~/.ssh/id_*`".into(),
            Self::Relative(text) => {
                let bare = text.trim_start_matches("./").trim_start_matches("*/");
                format!(
                    "write `/{bare}` for one place, `~/{bare}` below the owner's home, or `**/{bare}` for anywhere"
                )
            }
            Self::OtherHome(text) => {
                let user = text.trim_start_matches('~').split('/').next().unwrap_or_default();
                format!("write the home of `{user}` in full, as `/home/{user}/…`")
            }
            Self::EmptyComponent(text) => {
                let bare = text.trim_end_matches('/');
                if bare == text {
                    "write one slash between components".into()
                } else {
                    format!(
                        "write `{bare}/**` for the directory and everything below, or `{bare}` for itself"
                    )
                }
            }
            Self::Dots(..) => {
                "write the path without `.` and `..`; objects are matched, not spellings".into()
            }
            Self::Character(..) => "use `*` for any part of one name and `{a,b}` for alternatives".into(),
            Self::ManyStars(_, name) => {
                let literal = name.split('*').max_by_key(|part| part.len()).unwrap_or_default();
                match name.split_once('*') {
                    Some((prefix, _)) if !prefix.is_empty() => {
                        format!("one `*` in a name, as `{prefix}*`, or list the names with `{{a,b}}`")
                    }
                    _ => format!(
                        "one `*` in a name, as `*{literal}` or `{literal}*`, or list the names with `{{a,b}}`"
                    ),
                }
            }
            Self::GluedTree(_) => {
                "write `/dir/**` for everything below, or one `*` for a part of a name".into()
            }
            Self::ManyTrees(text) => {
                let last = text
                    .trim_end_matches("/**")
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                format!("use `**` once, or write `**/{last}/**` for every directory of that name")
            }
            Self::Everything => "write `/**` for every path, or use the section's `default`".into(),
            Self::StarBeforeTree(text) => {
                let dir = text
                    .split("/*")
                    .next()
                    .unwrap_or_default()
                    .trim_start_matches("**");
                format!("write `{dir}/**`, or name the directories with `{{a,b}}`")
            }
            Self::LongTail(text) => {
                let (path, tree) = text
                    .strip_suffix("/**")
                    .map_or((text.as_str(), ""), |path| (path, "/**"));
                let mut tail: Vec<&str> = path.rsplit('/').take(2).collect();
                tail.reverse();
                format!(
                    "keep the last two: `**/{}{tree}`, or write the path without stars",
                    tail.join("/")
                )
            }
            Self::GlobInside(_, part) => {
                format!("write `*` for that component, or list the names with braces instead of `{part}`")
            }
            Self::TooLong(_) => "names have at most 255 bytes and paths 4095".into(),
            Self::Braces(_) => "write `{a,b}`, not nested, and close it".into(),
            Self::Expansion(_) => "split it into several patterns".into(),
        }
    }
}

impl PathPattern {
    /// Every pattern of a text with braces: `/a/{b,c}` gives two.
    ///
    /// # Errors
    /// The first reason for which the text, or a part of its expansion, cannot be held.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, PatternError> {
        expand_braces(text)?.iter().map(|one| one.parse()).collect()
    }
}

impl FromStr for PathPattern {
    type Err = PatternError;

    /// Reads one pattern without braces.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        if text.trim().is_empty() {
            return Err(PatternError::Empty);
        }
        if text == "*(deleted)" || text == "* (deleted)" {
            return Ok(Self::Deleted);
        }
        if let Some(name) = text.strip_prefix("memfd:") {
            let glob =
                NameGlob::parse(name).ok_or_else(|| PatternError::ManyStars(text.into(), name.into()))?;
            return Ok(Self::Memfd(glob));
        }
        check_characters(text)?;
        if text.len() > PATH_MAX {
            return Err(PatternError::TooLong(text.chars().take(40).collect()));
        }
        if text == "**" {
            return Err(PatternError::Everything);
        }
        if text == "~" {
            return Ok(Self::Exact(text.into()));
        }
        if text.starts_with('~') && !text.starts_with("~/") {
            return Err(PatternError::OtherHome(text.into()));
        }
        if !text.contains('/') {
            check_component(text, text)?;
            return Ok(Self::Anywhere {
                parent: None,
                name: glob(text, text)?,
            });
        }
        let parts: Vec<&str> = if text == "/" {
            Vec::new()
        } else {
            text.split('/').skip(1).collect()
        };
        for part in &parts {
            check_component(text, part)?;
        }
        if text.starts_with('/') {
            rooted(text, "", &parts)
        } else if text.starts_with("~/") {
            rooted(text, "~", &parts)
        } else if text.starts_with("**/") {
            anywhere(text, &parts)
        } else {
            Err(PatternError::Relative(text.into()))
        }
    }
}

/// A pattern that starts at `/` or `~`.
fn rooted(text: &str, root: &str, parts: &[&str]) -> Result<PathPattern, PatternError> {
    let fixed = parts.iter().take_while(|part| !part.contains('*')).count();
    let (before, after) = parts.split_at(fixed);
    let joined = before.iter().fold(root.to_owned(), |dir, part| dir + "/" + part);
    let dir = if joined.is_empty() { "/".to_owned() } else { joined };
    match after {
        [] => Ok(PathPattern::Exact(dir)),
        ["**"] => Ok(PathPattern::Tree(dir)),
        ["**", tail @ ..] => {
            let (parent, name) = tail_of(text, tail)?;
            Ok(PathPattern::UnderDir {
                dir,
                depth: None,
                parent,
                name,
            })
        }
        [.., "**"] => Err(PatternError::StarBeforeTree(text.into())),
        _ if after.contains(&"**") => Err(PatternError::ManyTrees(text.into())),
        _ => {
            let stars = after[..after.len() - 1]
                .iter()
                .take_while(|part| **part == "*")
                .count();
            let (parent, name) = tail_of(text, &after[stars..])?;
            let depth = u8::try_from(after.len())
                .ok()
                .filter(|d| usize::from(*d) <= DEPTH_MAX);
            let depth = depth.ok_or_else(|| PatternError::TooLong(text.chars().take(40).collect()))?;
            Ok(PathPattern::UnderDir {
                dir,
                depth: Some(depth),
                parent,
                name,
            })
        }
    }
}

/// A pattern that starts with `**/`; `parts` are what follows.
fn anywhere(text: &str, parts: &[&str]) -> Result<PathPattern, PatternError> {
    let [dirs @ .., "**"] = parts else {
        let (parent, name) = tail_of(text, parts)?;
        return Ok(PathPattern::Anywhere { parent, name });
    };
    if dirs.is_empty() {
        return Err(PatternError::Everything);
    }
    if let Some(star) = dirs.iter().find(|dir| dir.contains('*')) {
        return Err(match *star {
            "**" => PatternError::ManyTrees(text.into()),
            "*" => PatternError::StarBeforeTree(text.into()),
            glob => PatternError::GlobInside(text.into(), glob.into()),
        });
    }
    match dirs {
        [name] => Ok(PathPattern::DirAnywhere {
            parent: None,
            name: (*name).into(),
        }),
        [parent, name] => Ok(PathPattern::DirAnywhere {
            parent: Some((*parent).into()),
            name: (*name).into(),
        }),
        _ => Err(PatternError::LongTail(text.into())),
    }
}

/// One or two components at the end: the name, and the directory that holds it.
fn tail_of(text: &str, tail: &[&str]) -> Result<(Option<String>, NameGlob), PatternError> {
    if tail.contains(&"**") {
        return Err(PatternError::ManyTrees(text.into()));
    }
    let inside = tail.split_last().map_or(&[][..], |(_, inside)| inside);
    if let Some(part) = inside.iter().find(|part| part.contains('*') && **part != "*") {
        return Err(PatternError::GlobInside(text.into(), (*part).into()));
    }
    match tail {
        [name] => Ok((None, glob(text, name)?)),
        ["*", _] => Err(PatternError::GlobInside(text.into(), "*".into())),
        [parent, name] => Ok((Some((*parent).into()), glob(text, name)?)),
        _ => Err(PatternError::LongTail(text.into())),
    }
}

fn glob(text: &str, name: &str) -> Result<NameGlob, PatternError> {
    NameGlob::parse(name).ok_or_else(|| PatternError::ManyStars(text.into(), name.into()))
}

fn check_characters(text: &str) -> Result<(), PatternError> {
    let bad = text
        .chars()
        .find(|c| matches!(c, '?' | '[' | ']' | '\\' | '{' | '}') || c.is_control());
    bad.map_or(Ok(()), |c| {
        Err(PatternError::Character(text.into(), c.escape_debug().to_string()))
    })
}

fn check_component(text: &str, part: &str) -> Result<(), PatternError> {
    match part {
        "" => Err(PatternError::EmptyComponent(text.into())),
        "." => Err(PatternError::Dots(text.into(), ".")),
        ".." => Err(PatternError::Dots(text.into(), "..")),
        _ if part.len() > NAME_MAX => Err(PatternError::TooLong(part.chars().take(40).collect())),
        _ if part.contains("**") && part != "**" => Err(PatternError::GluedTree(text.into())),
        _ => Ok(()),
    }
}

/// Expands `{a,b}`: `x{1,2}{a,b}` gives four texts, in order. Braces do not nest.
///
/// # Errors
/// Braces that do not pair or nest, or more than 256 results.
pub fn expand_braces(text: &str) -> Result<Vec<String>, PatternError> {
    let mut results = vec![String::new()];
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let broken = || PatternError::Braces(text.into());
        let (before, from) = rest.split_at(open);
        let body = from.strip_prefix('{').ok_or_else(broken)?;
        let (inside, after) = body.split_once('}').ok_or_else(broken)?;
        if inside.contains('{') {
            return Err(broken());
        }
        let choices: Vec<&str> = inside.split(',').collect();
        results = results
            .iter()
            .flat_map(|done| choices.iter().map(move |c| format!("{done}{before}{c}")))
            .collect();
        if results.len() > EXPANSION_MAX {
            return Err(PatternError::Expansion(text.into()));
        }
        rest = after;
    }
    for result in &mut results {
        result.push_str(rest);
    }
    Ok(results)
}
