//! From a scope file and its fragments to the scope that holds.

mod expand;

use std::sync::Arc;

use super::{
    effective::{
        DEFAULT_FREEZE, DefaultResponse, Effective, Exec, ExecRule, Files, Network, NetworkRule, Rule,
        SocketRule, Sockets,
    },
    error::{ScopeErrors, Span},
    extends::{Load, ScopeFile, fragments},
    model::{self, Scope, default_weight},
    rule_id::{RuleId, RulePlace},
    sets::endpoints,
    words::{Mode, Response},
};

/// One file's part: its scope, where it stands, and its name in rule ids.
struct Layer<'s> {
    scope: &'s Scope,
    layer: u8,
    fragment: Option<Arc<str>>,
}

impl Layer<'_> {
    fn id(&self, place: RulePlace) -> RuleId {
        RuleId {
            fragment: self.fragment.clone(),
            place,
        }
    }

    fn rule(&self, place: RulePlace, rule: &model::Rule) -> Rule {
        Rule {
            id: self.id(place),
            layer: self.layer,
            response: rule.response,
            weight: rule.weight.unwrap_or_else(|| default_weight(rule.response)),
            reason: rule.reason.clone(),
        }
    }
}

/// Merges a scope file with everything it extends, and expands its sets. `~` stands until
/// [`Effective::resolve`].
///
/// Rules of all files hold together; at equal rank the nearer file's wins. Of keys that give one value, the nearest
/// file's holds; `match`, `budget` and `freeze` are taken whole from the nearest file that has any. `mode`, `owner`,
/// `expires` and `strict` are never inherited.
///
/// # Errors
/// Those of the fragments, one list per file.
pub fn effective(file: &ScopeFile, load: &Load<'_>) -> Result<Effective, Vec<ScopeErrors>> {
    let fragments = fragments(file, load)?;
    let mut layers = vec![Layer {
        scope: &file.scope,
        layer: 0,
        fragment: None,
    }];
    layers.extend(fragments.iter().map(|fragment| Layer {
        scope: &fragment.scope,
        layer: fragment.layer,
        fragment: Some(fragment.name.as_str().into()),
    }));
    let own = &file.scope;
    let allows_something = layers.iter().any(|layer| !layer.scope.network.allow.is_empty());
    // A list of what may be reached means nothing unless the rest may not.
    let network_default = if allows_something {
        Response::Deny
    } else {
        Response::Allow
    };
    let spanless = |given: &Option<(Response, Span)>| given.as_ref().map(|(response, _)| *response);
    let key =
        |place, otherwise, pick: &dyn Fn(&Scope) -> Option<Response>| key(&layers, place, otherwise, pick);
    let act = |place, pick: &dyn Fn(&Scope) -> Option<Response>| key(place, Response::Allow, pick);
    Ok(Effective {
        name: own.name.clone(),
        description: own.description.clone(),
        mode: own.mode.unwrap_or(Mode::Observe),
        owner: own.owner.clone(),
        expires: own.expires.as_ref().map(|(at, _)| *at),
        on_expiry: own.on_expiry.unwrap_or(Response::Flag),
        strict: own.strict,
        fragments: fragments.iter().map(|fragment| fragment.name.clone()).collect(),
        matches: nearest(&layers, |scope| scope.matches.clone()),
        network: Network {
            default: key(RulePlace::NetworkDefault, network_default, &|s| s.network.default),
            rules: layers.iter().flat_map(network_rules).collect(),
        },
        files: Files {
            default: key(RulePlace::FilesDefault, Response::Allow, &|s| s.files.default),
            write: layers
                .iter()
                .flat_map(|layer| layer.scope.files.write.clone())
                .collect(),
            write_default: layers
                .iter()
                .any(|layer| layer.scope.files.write_default.is_some())
                .then(|| {
                    key(RulePlace::FilesWriteDefault, Response::Allow, &|s| {
                        s.files.write_default
                    })
                }),
            credentials: expand::personal(layers.iter().map(|layer| layer.scope)),
            rules: layers.iter().flat_map(expand::file_rules).collect(),
        },
        exec: Exec {
            default: key(RulePlace::ExecDefault, Response::Allow, &|s| s.exec.default),
            rules: layers.iter().flat_map(exec_rules).collect(),
        },
        sockets: Sockets {
            default: key(RulePlace::SocketsDefault, Response::Allow, &|s| s.sockets.default),
            rules: layers.iter().flat_map(socket_rules).collect(),
        },
        trace: act(RulePlace::Trace, &|s| spanless(&s.processes.trace)),
        signal: act(RulePlace::Signal, &|s| spanless(&s.processes.signal)),
        requested_start: act(RulePlace::RequestedStart, &|s| {
            spanless(&s.session.requested_start)
        }),
        leave: act(RulePlace::Leave, &|s| spanless(&s.session.leave)),
        mount: act(RulePlace::Mount, &|s| spanless(&s.session.mount)),
        borrowed_identity: act(RulePlace::BorrowedIdentity, &|s| {
            spanless(&s.session.borrowed_identity)
        }),
        budgets: nearest(&layers, |scope| scope.budgets.clone()),
        budgets_from: layers
            .iter()
            .find(|layer| !layer.scope.budgets.is_empty())
            .and_then(|layer| layer.fragment.clone()),
        freeze: layers
            .iter()
            .find_map(|layer| layer.scope.freeze.clone())
            .unwrap_or(DEFAULT_FREEZE),
    })
}

/// The nearest file's value of one key.
fn key(
    layers: &[Layer<'_>],
    place: RulePlace,
    otherwise: Response,
    pick: &dyn Fn(&Scope) -> Option<Response>,
) -> DefaultResponse {
    let found = layers.iter().find_map(|layer| {
        let response = pick(layer.scope)?;
        Some(DefaultResponse {
            id: layer.id(place),
            response,
        })
    });
    found.unwrap_or(DefaultResponse {
        id: RuleId::own(place),
        response: otherwise,
    })
}

/// The nearest file's list that is not empty.
fn nearest<T>(layers: &[Layer<'_>], pick: impl Fn(&Scope) -> Vec<T>) -> Vec<T> {
    layers
        .iter()
        .map(|layer| pick(layer.scope))
        .find(|list| !list.is_empty())
        .unwrap_or_default()
}

/// `n` as a rule's number; files with more rules than fit are refused when they are read.
fn number(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

fn network_rules(layer: &Layer<'_>) -> Vec<NetworkRule> {
    let network = &layer.scope.network;
    let allow = network
        .allow
        .iter()
        .enumerate()
        .map(|(n, (endpoint, _))| NetworkRule {
            rule: Rule {
                id: layer.id(RulePlace::NetworkAllow(number(n))),
                layer: layer.layer,
                response: Response::Allow,
                weight: 0,
                reason: None,
            },
            to: endpoints::expand(endpoint),
        });
    let rules = network.rules.iter().enumerate().map(|(n, rule)| NetworkRule {
        rule: layer.rule(RulePlace::NetworkRule(number(n)), &rule.rule),
        to: rule
            .to
            .iter()
            .flat_map(|(endpoint, _)| endpoints::expand(endpoint))
            .collect(),
    });
    allow.chain(rules).collect()
}

fn exec_rules(layer: &Layer<'_>) -> Vec<ExecRule> {
    let one = |(n, rule): (usize, &model::ExecRule)| ExecRule {
        rule: layer.rule(RulePlace::ExecRule(number(n)), &rule.rule),
        exe: rule.exe.iter().map(|(pattern, _)| pattern.clone()).collect(),
        argv: rule.argv.iter().map(|(glob, _)| glob.clone()).collect(),
    };
    layer.scope.exec.rules.iter().enumerate().map(one).collect()
}

fn socket_rules(layer: &Layer<'_>) -> Vec<SocketRule> {
    let one = |(n, rule): (usize, &model::SocketRule)| SocketRule {
        rule: layer.rule(RulePlace::SocketRule(number(n)), &rule.rule),
        path: rule.path.iter().map(|(pattern, _)| pattern.clone()).collect(),
    };
    layer.scope.sockets.rules.iter().enumerate().map(one).collect()
}
