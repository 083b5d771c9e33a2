//! `[processes]`, `[session]`, and what holds in every session.

use super::{CompileError, entries::EntryInfo, scope::Work};
use crate::scope::{
    effective::Effective,
    rule_id::{RuleId, RulePlace},
    words::Response,
};

/// What a touch of the monitor counts.
const TAMPER_WEIGHT: u32 = 50;

/// Compiles the keys.
pub(super) fn compile(work: &mut Work, scope: &Effective) -> Result<(), CompileError> {
    work.policy.trace = work.entries.add_default(&scope.trace)?;
    work.policy.signal = work.entries.add_default(&scope.signal)?;
    work.policy.leave = work.entries.add_default(&scope.leave)?;
    work.policy.mount = work.entries.add_default(&scope.mount)?;
    work.policy.borrowed = work.entries.add_default(&scope.borrowed_identity)?;
    let tamper = EntryInfo {
        rule: Some(RuleId::own(RulePlace::SelfDefence)),
        pattern: String::new(),
        response: Response::Kill,
        weight: TAMPER_WEIGHT,
        reason: Some("no agent touches what holds it".to_owned()),
        class: None,
        name: None,
    };
    work.policy.tamper = work.entries.add(tamper, &[])?;
    Ok(())
}
