//! The exporters, as Prometheus reads them.

use super::text::{Kind, Text};
use crate::export::status::ExporterStatus;

/// How one figure is read off an exporter.
type Read = fn(&ExporterStatus) -> u64;

/// Name, kind, help and figure of every family.
const FAMILIES: [(&str, Kind, &str, Read); 11] = [
    (
        "scopeward_export_failing",
        Kind::Gauge,
        "1 while the destination does not take events",
        |one| u64::from(one.failing),
    ),
    (
        "scopeward_export_lag_events",
        Kind::Gauge,
        "Events in the store that are not delivered yet",
        |one| one.lag_events,
    ),
    (
        "scopeward_export_lag_seconds",
        Kind::Gauge,
        "Age of the oldest event that waits",
        |one| one.lag_seconds,
    ),
    (
        "scopeward_export_spool_bytes",
        Kind::Gauge,
        "Bytes of the store that the exporter still needs",
        |one| one.spool_bytes,
    ),
    (
        "scopeward_export_spool_limit_bytes",
        Kind::Gauge,
        "Bytes of the store that are kept for the exporter",
        |one| one.spool_limit,
    ),
    (
        "scopeward_export_delivered_total",
        Kind::Counter,
        "Events that the destination took",
        |one| one.totals.delivered,
    ),
    (
        "scopeward_export_filtered_total",
        Kind::Counter,
        "Events that the filter did not want",
        |one| one.totals.filtered,
    ),
    (
        "scopeward_export_refused_total",
        Kind::Counter,
        "Events that the destination refused for good",
        |one| one.totals.refused,
    ),
    (
        "scopeward_export_given_up_total",
        Kind::Counter,
        "Events that left the store before they were delivered",
        |one| one.totals.given_up,
    ),
    (
        "scopeward_export_delivered_bytes_total",
        Kind::Counter,
        "Bytes delivered since the start",
        |one| one.bytes,
    ),
    (
        "scopeward_export_retries_total",
        Kind::Counter,
        "Deliveries that had to be repeated, since the start",
        |one| one.retries,
    ),
];

/// All families of `exporters`.
pub(super) fn write(exporters: &[ExporterStatus], text: &mut Text) {
    for (name, kind, help, read) in FAMILIES {
        let mut family = text.family(name, kind, help);
        for one in exporters {
            let labels = [("exporter", one.name.as_str()), ("destination", &one.destination)];
            family.value(&labels, super::families::number(read(one)));
        }
    }
}
