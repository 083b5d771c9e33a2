//! What is not wrong in a scope file, but not what its author may think either.

mod contradictions;
mod late;

use super::{
    capability::Capabilities,
    effective::Effective,
    error::{ScopeError, ScopeErrors},
    extends::{Load, ScopeFile, fragments},
    merge::effective,
};

/// A finding that lets the file pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What, where, and what to do about it.
    pub finding: ScopeError,
    /// Is it about what this host decides late or not at all? `strict = true` makes these errors.
    pub late: bool,
}

/// A scope file that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The scope that holds.
    pub effective: Effective,
    /// In the order of the file.
    pub warnings: Vec<Warning>,
}

/// Merges a scope file with what it extends, and looks for what deserves a warning on a host with `capabilities`, at
/// the time `now`.
///
/// # Errors
/// Errors of the fragments and, where the scope is strict, everything that this host decides late; one list per file.
pub fn check(
    file: &ScopeFile,
    load: &Load<'_>,
    capabilities: &Capabilities,
    now: jiff::Timestamp,
) -> Result<Checked, Vec<ScopeErrors>> {
    let effective = effective(file, load)?;
    let mut late = late::findings(&file.scope, capabilities);
    for fragment in fragments(file, load)? {
        let count = late::findings(&fragment.scope, capabilities).len();
        // A fragment of a fragment is reported where the first one is named.
        let extends = &file.scope.extends;
        let named = extends
            .iter()
            .find(|(name, _)| *name == fragment.name)
            .or_else(|| extends.first());
        let span = named.map_or(0..0, |(_, span)| span.clone());
        if count > 0 {
            let message = format!(
                "`{}` has {count} things that this host decides late or not at all",
                fragment.name
            );
            late.push(ScopeError::new(
                span,
                message,
                format!("`scopeward scope check {}` lists them", fragment.name),
            ));
        }
    }
    if file.scope.strict && !late.is_empty() {
        let strict = |mut finding: ScopeError| {
            finding.message += ", and the scope is strict";
            finding
        };
        let errors = late.into_iter().map(strict).collect();
        return Err(vec![ScopeErrors::new(
            file.file.clone(),
            file.source.clone(),
            errors,
        )]);
    }
    let late = late.into_iter().map(|finding| Warning { finding, late: true });
    let others = contradictions::findings(&file.scope, &effective, now);
    let mut warnings: Vec<Warning> = late
        .chain(others.into_iter().map(|finding| Warning { finding, late: false }))
        .collect();
    warnings.sort_by_key(|warning| warning.finding.span.start);
    Ok(Checked { effective, warnings })
}
