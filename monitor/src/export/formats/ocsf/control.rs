//! The security-control profile: what was done about an act.

use serde_json::{Map, Value, json};

use crate::export::formats::ocsf::objects::object;
use crate::export::formats::techniques;
use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response, When};

/// Severity: id and caption.
#[must_use]
pub const fn severity(event: &EventRecord) -> (u8, &'static str) {
    if matches!(event.act.kind, Kind::MonitorTamper) {
        return (5, "Critical");
    }
    match event.verdict.called_for {
        Response::Allow => (1, "Informational"),
        Response::Flag => (2, "Low"),
        Response::Deny => (3, "Medium"),
        Response::Freeze | Response::Kill => (4, "High"),
    }
}

/// Action and disposition: ids and captions.
const fn outcome(event: &EventRecord) -> ((u8, &'static str), (u8, &'static str)) {
    let verdict = &event.verdict;
    match (verdict.applied, verdict.when) {
        (Response::Allow, _) if matches!(verdict.called_for, Response::Allow) => {
            ((1, "Allowed"), (1, "Allowed"))
        }
        (Response::Allow | Response::Flag, _) => ((3, "Observed"), (15, "Detected")),
        (Response::Deny, _) | (_, When::BeforeAct) => ((2, "Denied"), (2, "Blocked")),
        (Response::Freeze, When::BeforeUse) | (Response::Kill, When::BeforeUse) => {
            ((2, "Denied"), (7, "Custom Action"))
        }
        // The act was done by then.
        (Response::Freeze, When::After) => ((99, "frozen after the act"), (7, "Custom Action")),
        (Response::Kill, When::After) => ((99, "killed after the act"), (7, "Custom Action")),
    }
}

/// Puts the profile's attributes into `fields`.
pub fn put(event: &EventRecord, cut: bool, fields: &mut Map<String, Value>) {
    let verdict = &event.verdict;
    let (severity_id, severity) = severity(event);
    let ((action_id, action), (disposition_id, disposition)) = outcome(event);
    let prevented = verdict.applied >= Response::Deny && verdict.when == When::BeforeAct;
    let status = match (cut, prevented) {
        (true, _) => Some((1, "New")),
        (false, true) => Some((2, "Failure")),
        (false, false) => None,
    };
    let attacks = if cut {
        techniques::attacks(event.act.kind)
    } else {
        Value::Null
    };
    let values = object(json!({
        "severity_id": severity_id,
        "severity": severity,
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "is_alert": cut,
        "status_id": status.map(|(id, _)| id),
        "status": status.map(|(_, caption)| caption),
        "status_detail": verdict.reason,
        "policy": {
            "name": verdict.scope,
            "uid": verdict.scope,
            "version": event.generation.to_string(),
            "is_applied": verdict.applied == verdict.called_for,
        },
        "risk_score": event.weight,
        "attacks": attacks,
    }));
    if let Value::Object(values) = values {
        fields.extend(values);
    }
}
