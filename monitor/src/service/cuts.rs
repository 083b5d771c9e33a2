//! The ledger, as the API shows it.

use std::collections::BTreeSet;

use crate::{
    api::types::{CutsBy, Tally},
    attribute::owner,
    ledger::cut::nanoseconds,
    scope::model::Account,
    service::state::State,
};

impl State {
    /// How the cuts add up now; only what `only` may read, where that is given.
    pub fn tallies(&mut self, by: CutsBy, only: Option<u32>) -> Vec<Tally> {
        let now = nanoseconds(jiff::Timestamp::now());
        let own: Option<BTreeSet<String>> = only.map(|uid| {
            self.sessions
                .iter()
                .filter(|(_, session)| session.owner().uid == uid)
                .map(|(_, session)| session.facts.id.clone())
                .collect()
        });
        let of_session = |name: &str| own.as_ref().is_none_or(|own| own.contains(name));
        let own_name = only.map(|uid| owner::name(uid).unwrap_or_else(|| format!("uid {uid}")));
        let of_owner = |name: &str| own_name.as_ref().is_none_or(|own| own == name);
        let all = |_: &str| only.is_none();
        match by {
            CutsBy::Session => self.ledger.tallies(Account::Session, now, &of_session),
            CutsBy::Agent => self.ledger.tallies(Account::Agent, now, &all),
            CutsBy::Owner => self.ledger.tallies(Account::Owner, now, &of_owner),
            CutsBy::Host => self.ledger.tallies(Account::Host, now, &all),
            CutsBy::Rule => self.ledger.by_rule(now, &of_session),
        }
    }
}
