//! Findings with their excerpts, for people (miette) and for scripts (JSON).

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode,
};
use serde::Serialize;

use super::Setting;
use crate::config::scope_files::LoadError;
use crate::scope::error::{ScopeError, ScopeErrors};

/// One finding with the file it is about.
#[derive(Debug)]
struct Shown<'f> {
    finding: &'f ScopeError,
    severity: Severity,
    source: NamedSource<String>,
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.finding.remedy))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = &self.finding.span;
        // A finding without a place of its own is about the whole file: no excerpt then.
        (!span.is_empty()).then(|| {
            let label = LabeledSpan::new_with_span(None, (span.start, first_line(self.source.inner(), span)));
            Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>
        })
    }
}

/// The length of what the span covers on its first line, at least 1.
fn first_line(source: &str, span: &std::ops::Range<usize>) -> usize {
    let covered = source.get(span.clone()).unwrap_or_default();
    covered.lines().next().map_or(1, |line| line.len().max(1))
}

/// One finding with its file, line, excerpt and remedy, as text.
#[must_use]
pub fn finding(
    file: &str,
    source: &str,
    found: &ScopeError,
    severity: Severity,
    setting: &Setting,
) -> String {
    let theme = if setting.colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(setting.width)
        .with_links(false);
    let shown = Shown {
        finding: found,
        severity,
        source: NamedSource::new(file, source.to_owned()),
    };
    let mut text = String::new();
    // Formatting into a string cannot fail, and what cannot be drawn is still said.
    if handler.render_report(&mut text, &shown).is_err() {
        let (line, column) = found.line_and_column(source);
        text = format!("{file}:{line}:{column}: {found}\n");
    }
    if found.span.is_empty() {
        text = format!("{file}\n{text}");
    }
    text.push('\n');
    text
}

/// Every error of one or more files, as text.
#[must_use]
pub fn errors(all: &[ScopeErrors], setting: &Setting) -> String {
    let of = |one: &ScopeErrors| -> String {
        one.errors
            .iter()
            .map(|found| finding(&one.file, &one.source_text, found, Severity::Error, setting))
            .collect()
    };
    all.iter().map(of).collect()
}

/// Why a scope could not be read, as text.
#[must_use]
pub fn load_error(error: &LoadError, setting: &Setting) -> String {
    match error {
        LoadError::Scope(all) => errors(all, setting),
        other => format!("scopeward: failed to {other}\n"),
    }
}

/// One finding for scripts.
#[derive(Debug, Serialize)]
pub struct FindingRecord<'f> {
    /// The file.
    pub file: &'f str,
    /// From 1; 0 where the finding is about the whole file.
    pub line: usize,
    /// In characters, from 1; 0 where the finding is about the whole file.
    pub column: usize,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: &'f str,
    /// What to write instead.
    pub remedy: &'f str,
}

impl<'f> FindingRecord<'f> {
    /// The record of one finding.
    #[must_use]
    pub fn new(file: &'f str, source: &str, found: &'f ScopeError, severity: &'static str) -> Self {
        let (line, column) = if found.span.is_empty() {
            (0, 0)
        } else {
            found.line_and_column(source)
        };
        Self {
            file,
            line,
            column,
            severity,
            message: &found.message,
            remedy: &found.remedy,
        }
    }
}
