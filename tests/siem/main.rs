//! Exporters against what SIEMs really run (rsyslog, syslog-ng, nats-server) and against faithful fakes of what they are
//! (Splunk HEC, bulk, OTLP, Loki, webhooks), killed, paused and refusing at random: every event arrives, and once where
//! the protocol can tell. `SCOPEWARD_SIEM_EVENTS` says how many events each test takes; 20,000 without it.

mod bulk;
mod fake;
mod feed;
mod file;
mod hec;
#[cfg(feature = "kafka")]
mod kafka;
mod loki;
mod nats;
mod otlp;
mod packages;
mod server;
mod syslog;
mod webhook;
