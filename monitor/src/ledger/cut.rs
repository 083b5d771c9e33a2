//! A cut, as the ledger counts it.

use std::sync::Arc;

use crate::{
    record::event::{ActRecord, EventRecord, Owner},
    scope::words::{Kind, Response},
};

/// What the name of a budget begins with, in the place of a rule: an answer to cuts, and none itself.
pub const BUDGET: &str = "budget[";

/// One act outside the scope, or several of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The event's id.
    pub event: Arc<str>,
    /// When, in nanoseconds since 1970.
    pub time: i64,
    /// The session.
    pub session: Arc<str>,
    /// The agent.
    pub agent: Arc<str>,
    /// The owner: the name, or `uid 1000`.
    pub owner: Arc<str>,
    /// The machine.
    pub host: Arc<str>,
    /// The rule that it broke.
    pub rule: Arc<str>,
    /// What it was about: a path, an endpoint.
    pub object: Arc<str>,
    /// Which kind of act.
    pub kind: Kind,
    /// What the rule counts for it.
    pub weight: u32,
    /// How many acts the event stands for.
    pub count: u64,
}

impl Cut {
    /// The cut that an event tells of; `None` for an act inside the scope, and for the answer to a used-up budget.
    #[must_use]
    pub fn of(event: &EventRecord) -> Option<Self> {
        let verdict = &event.verdict;
        if verdict.called_for == Response::Allow || is_answer(event) {
            return None;
        }
        Some(Self {
            event: event.id.as_str().into(),
            time: nanoseconds(event.time),
            session: event.session.id.as_str().into(),
            agent: event.session.agent.as_str().into(),
            owner: owner_name(&event.session.owner).into(),
            host: event.host.name.as_str().into(),
            rule: verdict.rule.as_deref().unwrap_or("default").into(),
            object: object(&event.act).into(),
            kind: event.act.kind,
            weight: event.weight,
            count: event.count.max(1),
        })
    }
}

/// Whether an event is the answer to a used-up budget: it tells of no act of its own.
#[must_use]
pub fn is_answer(event: &EventRecord) -> bool {
    event
        .verdict
        .rule
        .as_deref()
        .and_then(|rule| rule.rsplit('/').next())
        .is_some_and(|place| place.starts_with(BUDGET))
}

/// How the ledger calls an owner.
#[must_use]
pub fn owner_name(owner: &Owner) -> String {
    owner.name.clone().unwrap_or_else(|| format!("uid {}", owner.uid))
}

/// What an act was about, in one line.
#[must_use]
pub fn object(act: &ActRecord) -> String {
    let port = act.port.map_or_else(String::new, |port| format!(":{port}"));
    match (&act.path, &act.name, &act.address) {
        (Some(path), _, _) => path.clone(),
        (None, Some(name), _) => format!("{name}{port}"),
        (None, None, Some(std::net::IpAddr::V6(address))) => format!("[{address}]{port}"),
        (None, None, Some(address)) => format!("{address}{port}"),
        (None, None, None) => match (&act.dev, act.inode) {
            (Some(dev), Some(inode)) => format!("inode {inode} on {dev}"),
            _ => act
                .protocol
                .clone()
                .or_else(|| act.family.clone())
                .unwrap_or_default(),
        },
    }
}

/// Nanoseconds since 1970, held to what 64 bits can say.
#[must_use]
pub fn nanoseconds(time: jiff::Timestamp) -> i64 {
    let held = time
        .as_nanosecond()
        .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(held).unwrap_or(i64::MAX)
}

/// The time of `nanoseconds` since 1970.
#[must_use]
pub fn timestamp(nanoseconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
