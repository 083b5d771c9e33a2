//! How a record is laid out in a segment: what repeats goes into dictionary tables, what does not into the row.
//!
//! An event is one row of small numbers. The rest (session, process, the shape of act and verdict, path, endpoint)
//! is written once for each segment and referred to. No table but `event` has an index: the writer remembers what
//! it wrote, and where it forgets, a second row with the same content does no harm.
//!
//! Ids follow the clock, which people set back, and threads record in their own order: neither tells what is new since
//! somebody looked. So every transaction is a `batch`, numbered in the order of the commits, with the range of its ids
//! and the number of events that the store took in its life before it (`base`). [`crate::record::tail`] reads by it.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::event::{ActRecord, EventRecord, Host, VerdictRecord};

/// The version of the tables; a segment of another one is read only where this code knows how.
pub const VERSION: i64 = 2;

/// The last version whose events stand in no chain; such segments are read as they are.
pub const UNCHAINED: i64 = 1;

/// The tables of a segment.
pub const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE text (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE path (id INTEGER PRIMARY KEY, dir INTEGER NOT NULL, name TEXT NOT NULL);
CREATE TABLE session (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE shape (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE endpoint (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE process (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, ppid INTEGER NOT NULL, started INTEGER,
    exe INTEGER, script INTEGER, argv INTEGER NOT NULL, cwd INTEGER, uid INTEGER NOT NULL,
    lineage INTEGER NOT NULL);
CREATE TABLE event (id BLOB PRIMARY KEY, time INTEGER NOT NULL, session INTEGER NOT NULL,
    process INTEGER NOT NULL, shape INTEGER NOT NULL, path INTEGER, target INTEGER, endpoint INTEGER,
    inode INTEGER, status INTEGER, count INTEGER, tid INTEGER, batch INTEGER NOT NULL, place INTEGER NOT NULL,
    tag INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE batch (number INTEGER PRIMARY KEY, base INTEGER NOT NULL, count INTEGER NOT NULL,
    first BLOB NOT NULL, last BLOB NOT NULL);
CREATE TABLE origin (first INTEGER NOT NULL, link BLOB NOT NULL, signature BLOB NOT NULL);
CREATE TABLE head (place INTEGER PRIMARY KEY, link BLOB NOT NULL, signature BLOB NOT NULL);
CREATE TABLE latest (place INTEGER NOT NULL, link BLOB NOT NULL, signature BLOB NOT NULL);
";

/// Inserts an event. An id that is there already is the same event, written before a failure: nothing to do.
pub const INSERT_EVENT: &str =
    "INSERT OR IGNORE INTO event VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)";

/// The columns that [`crate::record::query`] reads, in its order.
pub const EVENT_COLUMNS: &str =
    "id, time, session, process, shape, path, target, endpoint, inode, status, count, tid, place, tag";

/// The same of a segment whose version is [`UNCHAINED`].
pub const UNCHAINED_COLUMNS: &str =
    "id, time, session, process, shape, path, target, endpoint, inode, status, count, tid, NULL, NULL";

/// What few different values of cover many events.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shape<'a> {
    schema: Cow<'a, str>,
    host: Cow<'a, Host>,
    /// Without what stands in the row.
    pub act: ActRecord,
    /// The answer.
    pub verdict: Cow<'a, VerdictRecord>,
    weight: u32,
    generation: u32,
}

impl<'a> Shape<'a> {
    /// The shape of `event`.
    #[must_use]
    pub fn of(event: &'a EventRecord) -> Self {
        let act = &event.act;
        Self {
            schema: Cow::Borrowed(&event.schema),
            host: Cow::Borrowed(&event.host),
            act: ActRecord {
                access: act.access.clone(),
                guarded_as: act.guarded_as.clone(),
                borrowed: act.borrowed.clone(),
                dev: act.dev.clone(),
                protocol: act.protocol.clone(),
                family: act.family.clone(),
                target_pid: act.target_pid,
                call: act.call.clone(),
                origin: act.origin.clone(),
                decision: act.decision.clone(),
                ..ActRecord::new(act.kind)
            },
            verdict: Cow::Borrowed(&event.verdict),
            weight: event.weight,
            generation: event.generation,
        }
    }

    /// The recording machine's name.
    #[must_use]
    pub fn host_name(&self) -> &str {
        &self.host.name
    }

    /// The event of this shape, with nothing yet of what the row and the other tables hold.
    #[must_use]
    pub fn to_event(&self, id: String, time: Timestamp) -> EventRecord {
        EventRecord {
            schema: self.schema.clone().into_owned(),
            id,
            time,
            host: self.host.clone().into_owned(),
            session: Default::default(),
            process: Default::default(),
            act: self.act.clone(),
            verdict: self.verdict.clone().into_owned(),
            weight: self.weight,
            count: 1,
            generation: self.generation,
            chain: None,
        }
    }
}

/// The remote end of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow<'a> {
    /// The address.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: Option<u16>,
    /// The name that the address stands for.
    pub name: Option<Cow<'a, str>>,
}

impl<'a> EndpointRow<'a> {
    /// The remote end of `act`, where it has one.
    #[must_use]
    pub fn of(act: &'a ActRecord) -> Option<Self> {
        let some = act.address.is_some() || act.port.is_some() || act.name.is_some();
        some.then(|| Self {
            address: act.address,
            port: act.port,
            name: act.name.as_deref().map(Cow::Borrowed),
        })
    }
}

/// The directory (with its final `/`) and the name in it: `dir + name` is the path again, whatever it is.
#[must_use]
pub fn split_path(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// Nanoseconds since 1970, held to the years 1677 to 2262 that 64 bits can say.
#[must_use]
pub fn nanoseconds(time: Timestamp) -> i64 {
    let nanoseconds = time
        .as_nanosecond()
        .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}

/// The time of `nanoseconds` since 1970.
#[must_use]
pub fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}
