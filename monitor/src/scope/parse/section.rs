//! One table of a scope file, and the list that every reader adds its errors to.

use std::cell::RefCell;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::scope::{
    error::{ScopeError, Span},
    suggest,
};

/// The errors found so far. Reading goes on after each.
#[derive(Default)]
pub(super) struct Findings(RefCell<Vec<ScopeError>>);

impl Findings {
    pub(super) fn into_errors(self) -> Vec<ScopeError> {
        self.0.into_inner()
    }
}

/// A table, with what it is called in messages.
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    /// `[network]`, `[[files.rule]]`, …
    pub(super) name: String,
    pub(super) span: Span,
    findings: &'a Findings,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        table: &'a DeTable<'a>,
        name: impl Into<String>,
        span: Span,
        findings: &'a Findings,
    ) -> Self {
        Self {
            table,
            name: name.into(),
            span,
            findings,
        }
    }

    pub(super) fn error(&self, span: Span, message: impl Into<String>, remedy: impl Into<String>) {
        self.findings
            .0
            .borrow_mut()
            .push(ScopeError::new(span, message, remedy));
    }

    /// Reports every key that is not in `known`.
    pub(super) fn allow_keys(&self, known: &[&str]) {
        for (key, _) in self.table {
            let given = key.get_ref().as_ref();
            if !known.contains(&given) {
                let message = format!("{} has no key `{given}`", self.name);
                self.error(key.span(), message, suggest::did_you_mean(given, known));
            }
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// The table `[key]`, where it is given.
    pub(super) fn table(&self, key: &str) -> Option<Section<'a>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(
                table,
                format!("[{key}]"),
                value.span(),
                self.findings,
            )),
            DeValue::Array(_) => {
                self.error(
                    value.span(),
                    format!("`{key}` stands twice, or is a list"),
                    format!("write one table, `[{key}]`"),
                );
                None
            }
            other => {
                self.wrong_type(value, other, &format!("a table, `[{key}]`"));
                None
            }
        }
    }

    /// The tables `[[…key]]`, in order.
    pub(super) fn tables(&self, key: &str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let inner = self.name.trim_matches(['[', ']']);
        let path = if self.name.starts_with('[') {
            format!("{inner}.{key}")
        } else {
            key.to_owned()
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.error(
                value.span(),
                format!("`{path}` is not a list of tables"),
                format!("write `[[{path}]]` above each"),
            );
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    sections.push(Section::new(
                        table,
                        format!("[[{path}]]"),
                        item.span(),
                        self.findings,
                    ));
                }
                other => self.wrong_type(item, other, &format!("a table, `[[{path}]]`")),
            }
        }
        if sections.len() > usize::from(u16::MAX) {
            self.error(
                value.span(),
                format!("more than {} `[[{path}]]`", u16::MAX),
                "join rules that answer alike",
            );
        }
        sections
    }

    pub(super) fn wrong_type(&self, value: &Spanned<DeValue<'_>>, given: &DeValue<'_>, wanted: &str) {
        self.error(
            value.span(),
            format!("{} instead of {wanted}", described(given)),
            format!("write {wanted}"),
        );
    }
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
