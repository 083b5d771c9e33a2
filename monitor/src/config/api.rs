//! `[api]`: who may ask, and who may change.

use nix::unistd::{Group, User};
use serde::Deserialize;

use crate::api::permissions::Policy;

/// The people that the API knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiSettings {
    /// The group whose members read everything; empty for none.
    pub group: String,
    /// Users, by name or by decimal id, who may change any session.
    pub operators: Vec<String>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            group: "scopeward".to_owned(),
            operators: Vec::new(),
        }
    }
}

impl ApiSettings {
    /// The names as ids, from the user and group databases; and one sentence for each name that is not there.
    #[must_use]
    pub fn policy(&self) -> (Policy, Vec<String>) {
        let mut policy = Policy::default();
        let mut unknown = Vec::new();
        for operator in &self.operators {
            let by_name = User::from_name(operator)
                .ok()
                .flatten()
                .map(|user| user.uid.as_raw());
            match by_name.or_else(|| operator.parse().ok()) {
                Some(uid) => drop(policy.operators.insert(uid)),
                None => unknown.push(format!(
                    "daemon.toml names the operator {operator:?}, who is no user here"
                )),
            }
        }
        if !self.group.is_empty() {
            policy.readers = Group::from_name(&self.group)
                .ok()
                .flatten()
                .map(|group| group.gid.as_raw());
            if policy.readers.is_none()
                && *self
                    != (Self {
                        operators: self.operators.clone(),
                        ..Self::default()
                    })
            {
                unknown.push(format!(
                    "daemon.toml names the group {:?}, which is no group here",
                    self.group
                ));
            }
        }
        (policy, unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids_or_sentences() {
        let settings = ApiSettings {
            group: "root".into(),
            operators: vec!["root".into(), "4711".into(), "nobody-of-that-name".into()],
        };
        let (policy, unknown) = settings.policy();
        assert_eq!(policy.operators.into_iter().collect::<Vec<_>>(), [0, 4_711]);
        assert_eq!(policy.readers, Some(0));
        assert_eq!(unknown.len(), 1);
        let (_, unknown) = ApiSettings {
            group: "no-such-group".into(),
            operators: vec![],
        }
        .policy();
        assert_eq!(unknown.len(), 1);
        assert_eq!(
            ApiSettings::default().policy().1,
            Vec::<String>::new(),
            "the default group need not exist"
        );
    }
}
