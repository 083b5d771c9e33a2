//! What people approved: which session may do what with which object, and until when. Pure: time comes in, and what is
//! in the kernel is up to the caller.

use std::net::IpAddr;

use jiff::Timestamp;
use scopeward_abi::grant::{Grant as KernelGrant, GrantKey, access, of};
use serde::{Deserialize, Serialize};

use crate::{record::event::Owner, scope::words::Access};

/// How many grants that are over are remembered.
const OVER_MAX: usize = 500;

/// The thing itself that a grant is bound to: never the text that an agent gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase")]
pub enum Object {
    /// A file, by inode and device: under every name it has, and nothing else under its name.
    File {
        /// Inode number.
        inode: u64,
        /// Device (kernel encoding).
        dev: u32,
        /// The inode's generation, 0 where its filesystem has none.
        generation: u32,
        /// Reading, writing or both.
        access: Vec<Access>,
        /// Where it was when the grant was given.
        path: String,
        /// The pattern of the scope that guards it.
        guarded_as: Option<String>,
    },
    /// A program that is executed, bound as a file is.
    Program {
        /// Inode number.
        inode: u64,
        /// Device (kernel encoding).
        dev: u32,
        /// The inode's generation, 0 where its filesystem has none.
        generation: u32,
        /// Where it was when the grant was given.
        path: String,
        /// The pattern of the scope that speaks of it.
        guarded_as: Option<String>,
    },
    /// An address, port and protocol.
    Endpoint {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// `IPPROTO_*`; TCP for MPTCP.
        protocol: u8,
    },
}

impl Object {
    /// The key of the kernel's table for it in the session with the key `session`.
    #[must_use]
    pub fn key(&self, session: u64) -> GrantKey {
        match self {
            Self::File { inode, dev, .. } => file_key(session, *inode, *dev, of::FILE),
            Self::Program { inode, dev, .. } => file_key(session, *inode, *dev, of::PROGRAM),
            Self::Endpoint {
                address,
                port,
                protocol,
            } => endpoint_key(session, *address, *port, *protocol),
        }
    }

    /// The value of the kernel's table, which ends at `until` (boot clock, ns).
    #[must_use]
    pub fn kernel(&self, until: u64) -> KernelGrant {
        let (generation, access) = match self {
            Self::File {
                generation, access, ..
            } => (*generation, access.iter().fold(0, |bits, one| bits | bit(*one))),
            Self::Program { generation, .. } => (*generation, 0),
            Self::Endpoint { .. } => (0, 0),
        };
        KernelGrant {
            until,
            uses: 0,
            access,
            generation,
        }
    }
}

const fn bit(of: Access) -> u32 {
    match of {
        Access::Read => access::READ,
        Access::Write => access::WRITE,
    }
}

/// The key of a file or program; `of` as in [`scopeward_abi::grant::of`].
#[must_use]
pub const fn file_key(session: u64, inode: u64, dev: u32, of: u32) -> GrantKey {
    GrantKey {
        session,
        inode,
        addr: [0; 16],
        part: dev,
        of,
    }
}

/// The key of an endpoint. `protocol` is `IPPROTO_*`.
#[must_use]
pub fn endpoint_key(session: u64, address: IpAddr, port: u16, protocol: u8) -> GrantKey {
    let mapped = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    GrantKey {
        session,
        inode: 0,
        addr: mapped.octets(),
        part: u32::from(port) << 16 | u32::from(protocol),
        of: of::ENDPOINT,
    }
}

/// How a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GrantState {
    /// It holds.
    Live,
    /// Its time is over.
    Expired,
    /// A person took it back.
    Revoked,
    /// Its session ended.
    Ended,
    /// A later grant for the same thing stands in its place.
    Replaced,
}

impl GrantState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Ended => "session ended",
            Self::Replaced => "replaced",
        }
    }
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// `g-` and ten characters.
    pub id: String,
    /// The session's id.
    pub session: String,
    /// The session's key in the kernel.
    pub key: u64,
    /// The agent.
    pub agent: String,
    /// What is approved.
    pub object: Object,
    /// Who approved.
    pub by: Owner,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The event that it answers, where it answers one.
    pub event: Option<String>,
    /// The rule that spoke against it.
    pub rule: Option<String>,
    /// When the agent's act asked for it.
    pub asked: Option<Timestamp>,
    /// When it was given.
    pub given: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
    /// The same on the boot clock, ns: what the kernel goes by.
    pub until_boot: u64,
    /// Acts that went through by it, as last read.
    pub uses: u64,
    /// Of these, the ones that user space let through.
    pub own_uses: u64,
    /// How it stands.
    pub state: GrantState,
}

/// All grants, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

impl Grants {
    /// Adds a grant. One that held for the same thing is replaced, and given back.
    pub fn give(&mut self, grant: Grant) -> Option<Grant> {
        let key = grant.object.key(grant.key);
        let before = self
            .0
            .iter_mut()
            .find(|known| known.state == GrantState::Live && known.object.key(known.key) == key);
        let replaced = before.map(|known| {
            known.state = GrantState::Replaced;
            known.clone()
        });
        self.0.push(grant);
        let over = self
            .0
            .iter()
            .filter(|known| known.state != GrantState::Live)
            .count();
        let mut surplus = over.saturating_sub(OVER_MAX);
        self.0.retain(|known| {
            let goes = known.state != GrantState::Live && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
        replaced
    }

    /// A grant by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Grant> {
        self.0.iter().find(|grant| grant.id == id)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Grant> {
        self.0.iter_mut().find(|grant| grant.id == id)
    }

    /// The latest grant under a key of the kernel's table, whether it still holds or not: an act that it let through may
    /// be told later.
    #[must_use]
    pub fn of(&self, key: &GrantKey) -> Option<&Grant> {
        self.0
            .iter()
            .rev()
            .find(|grant| grant.object.key(grant.key) == *key)
    }

    /// The grant that holds under a key at `now` (boot clock, ns), to count its use.
    pub fn holding(&mut self, key: &GrantKey, now: u64) -> Option<&mut Grant> {
        self.0.iter_mut().find(|grant| {
            grant.state == GrantState::Live && grant.until_boot > now && grant.object.key(grant.key) == *key
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// The ids of those that are over at `now` (boot clock, ns), or whose session is not `live` any more, with how they
    /// stand then.
    pub fn due(&self, now: u64, live: impl Fn(u64) -> bool) -> Vec<(String, GrantState)> {
        let state = |grant: &Grant| {
            if grant.until_boot <= now {
                Some(GrantState::Expired)
            } else {
                (!live(grant.key)).then_some(GrantState::Ended)
            }
        };
        self.0
            .iter()
            .filter(|grant| grant.state == GrantState::Live)
            .filter_map(|grant| Some((grant.id.clone(), state(grant)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
