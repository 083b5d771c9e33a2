//! What is wrong with a scope file: all of it at once, each with its place and its remedy.

use std::{fmt, ops::Range};

/// A place in a scope file: byte offsets.
pub type Span = Range<usize>;

/// One finding about a scope file: an error, or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeError {
    /// Where, in bytes; empty and at 0 where the finding has no place of its own.
    pub span: Span,
    /// What is wrong: a fragment in lower case.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl ScopeError {
    /// A finding at `span`.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The line of the finding in `source`, from 1, and the column in characters, from 1.
    #[must_use]
    pub fn line_and_column(&self, source: &str) -> (usize, usize) {
        let before = source.get(..self.span.start.min(source.len())).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

/// Every error of one scope file, with the file's text for the excerpts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read scope file {file}: {}", summary(.errors))]
pub struct ScopeErrors {
    /// The file as it was named, or `@NAME` for a built-in one.
    pub file: String,
    /// Its text.
    pub source_text: String,
    /// The errors, in the order of the file.
    pub errors: Vec<ScopeError>,
}

impl ScopeErrors {
    /// The errors in the order of the file.
    #[must_use]
    pub fn new(file: impl Into<String>, source_text: impl Into<String>, mut errors: Vec<ScopeError>) -> Self {
        errors.sort_by(|a, b| a.span.start.cmp(&b.span.start).then(a.message.cmp(&b.message)));
        Self {
            file: file.into(),
            source_text: source_text.into(),
            errors,
        }
    }
}

fn summary(errors: &[ScopeError]) -> String {
    match errors {
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        [] => "no error".into(),
    }
}
