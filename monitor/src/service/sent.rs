//! Bytes that left a session between its first cut and its containment.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use scopeward_abi::member::Session as KernelSession;

use crate::{ledger::incidents::SentTo, service::state::State};

impl State {
    /// Begins to count, where the session has a cgroup of its own.
    pub(super) fn count_sent(&mut self, key: u64) {
        let cgroup = self.sessions.get(key).and_then(|session| session.cgroup.clone());
        let counts = cgroup.is_some_and(|at| {
            self.kernel
                .count_sent(key, &at)
                .inspect_err(|error| tracing::warn!(%error, "what a session sends is not counted"))
                .is_ok()
        });
        if !counts {
            self.trouble("sessions whose bytes are not counted");
        }
    }

    /// A cut that the programs have not seen: what leaves from now on is counted.
    pub(super) fn expose(&mut self, session: &str) {
        let Some(key) = self.sessions.key(session) else {
            return;
        };
        let Some(known) = self.kernel.maps.session(key) else {
            return;
        };
        let exposed = KernelSession { exposed: 1, ..known };
        if self.kernel.maps.set_session(key, exposed).is_err() {
            self.trouble("sessions whose bytes are not counted");
        }
    }

    /// Takes what was counted so far into the session's incident.
    pub fn note_sent(&mut self, key: u64) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        if !self.kernel.maps.counts_sent(key) {
            return;
        }
        let name = session.facts.id.clone();
        let sent = self.kernel.maps.sent(key);
        let mut sent: Vec<SentTo> = sent
            .into_iter()
            .map(|(key, sent)| SentTo {
                endpoint: endpoint(key.addr, key.port),
                protocol: protocol(key.protocol),
                bytes: sent.bytes,
            })
            .collect();
        sent.sort_by(|a, b| (b.bytes, &a.endpoint).cmp(&(a.bytes, &b.endpoint)));
        if self.cases.incidents.sent(&name, sent) {
            self.cases.touch(&name);
        }
    }
}

fn endpoint(addr: [u8; 16], port: u16) -> String {
    let addr = IpAddr::V6(Ipv6Addr::from(addr)).to_canonical();
    if port == 0 {
        addr.to_string()
    } else {
        SocketAddr::new(addr, port).to_string()
    }
}

fn protocol(number: u16) -> String {
    match number {
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        1 | 58 => "icmp".to_owned(),
        other => other.to_string(),
    }
}
