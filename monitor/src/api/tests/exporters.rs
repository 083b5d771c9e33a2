//! An exporter that is made up.

use crate::api::control::ControlError;
use crate::export::cursor::Totals;
use crate::export::exporters::TestError;
use crate::export::status::{ExporterState, ExporterStatus, LastError, TestDelivery};
use crate::record::tests::sample;

/// One whose destination takes nothing.
pub(crate) fn failing() -> ExporterStatus {
    ExporterStatus {
        name: "siem".into(),
        destination: "file".into(),
        place: "/var/log/scopeward/events.ndjson".into(),
        format: "ocsf".into(),
        state: ExporterState::Waiting,
        lag_events: 1_204,
        lag_seconds: 95,
        spool_bytes: 3 << 20,
        spool_limit: 4 << 30,
        totals: Totals {
            delivered: 88_000,
            filtered: 12,
            refused: 1,
            given_up: 0,
        },
        retries: 7,
        last_delivery: Some(sample::start()),
        last_error: Some(LastError {
            time: sample::start(),
            error: "cannot write /var/log/scopeward/events.ndjson: No space left on device\x1b[0m".into(),
        }),
        failing: true,
        ..ExporterStatus::default()
    }
}

/// What a test delivery to it comes to.
pub(crate) fn test(name: &str) -> Result<TestDelivery, ControlError> {
    match name {
        "siem" => Ok(TestDelivery {
            name: name.into(),
            event: sample::event(1).id,
            milliseconds: 12,
        }),
        _ => Err(TestError::Unknown(name.into()).into()),
    }
}
