//! Tables and properties of the scope's pure parts.

mod endpoints;
mod errors;
mod merging;
mod patterns;

use super::{effective::Effective, extends::ScopeFile, merge::effective};

/// The effective scope of a text that builds on built-in fragments only.
pub(crate) fn effective_of(text: &str) -> Effective {
    let file = ScopeFile::read("test.toml", text).unwrap_or_else(|errors| panic!("{errors}"));
    effective(&file, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0]))
}
