//! The scope that really holds: fragments merged, sets expanded, defaults filled, every rule named.
//!
//! [`decide::evaluate`](crate::decide::evaluate) and the compiler into kernel maps both read this, and only this.

use std::{path::Path, sync::Arc};

use super::{
    argv::ArgvGlob,
    endpoint::{Endpoint, Specificity},
    model::{AfterFreeze, Budget, Freeze, Match, SocketPattern},
    pattern::PathPattern,
    rule_id::{RuleId, RulePlace},
    sets::credentials::class_named,
    words::{Access, Mode, Response},
};

/// A scope with everything it builds on.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// The agent's name.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Whether it only records, or acts.
    pub mode: Mode,
    /// Who declared it.
    pub owner: Option<String>,
    /// Until when it holds.
    pub expires: Option<jiff::Timestamp>,
    /// What becomes of explicit permissions once it has expired; see [`after_expiry`](Self::after_expiry).
    pub on_expiry: Response,
    /// Are rules that cannot be decided before the act errors?
    pub strict: bool,
    /// The fragments that were merged, nearest first.
    pub fragments: Vec<String>,
    /// What makes a process the root of a session.
    pub matches: Vec<Match>,
    /// Endpoints.
    pub network: Network,
    /// Files.
    pub files: Files,
    /// Programs.
    pub exec: Exec,
    /// Unix sockets.
    pub sockets: Sockets,
    /// `processes.trace`.
    pub trace: DefaultResponse,
    /// `processes.signal`.
    pub signal: DefaultResponse,
    /// `session.requested-start`.
    pub requested_start: DefaultResponse,
    /// `session.leave`.
    pub leave: DefaultResponse,
    /// `session.mount`.
    pub mount: DefaultResponse,
    /// `session.borrowed-identity`.
    pub borrowed_identity: DefaultResponse,
    /// Budgets; none where the list is empty.
    pub budgets: Vec<Budget>,
    /// The fragment that the budgets are from; `None` for the scope's own.
    pub budgets_from: Option<Arc<str>>,
    /// What becomes of a frozen session.
    pub freeze: Freeze,
}

/// A response that one key gives, without patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultResponse {
    /// The key's name, and the file it is from.
    pub id: RuleId,
    /// What is done.
    pub response: Response,
}

/// What every rule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name. Several rules share one where a set was expanded into classes with different answers.
    pub id: RuleId,
    /// How far away it was written: 0 in the scope itself, 1 in what it extends, and so on, at most 15. At equal
    /// rank the nearer one wins.
    pub layer: u8,
    /// What is done.
    pub response: Response,
    /// What a cut counts.
    pub weight: u32,
    /// Why, for people.
    pub reason: Option<String>,
}

impl Rule {
    /// What decides between rules that fit the same act, from the pattern's rank; the greater value wins, and among
    /// equal values the stronger response. At most 2^17.
    #[must_use]
    pub fn precedence(&self, pattern: &PathPattern) -> u32 {
        self.precedence_of_rank(pattern.rank())
    }

    /// The same, from the rank of a pattern of any kind.
    #[must_use]
    pub fn precedence_of_rank(&self, rank: u16) -> u32 {
        (u32::from(rank) << 4) | u32::from(15 - self.layer.min(15))
    }
}

/// Endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// For what no rule names.
    pub default: DefaultResponse,
    /// `network.allow` entries and rules alike; sets are expanded, except for one that the daemon fills.
    pub rules: Vec<NetworkRule>,
}

/// A rule about endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkRule {
    /// Name, response, weight, reason.
    pub rule: Rule,
    /// Whom it is about.
    pub to: Vec<Endpoint>,
}

impl NetworkRule {
    /// What decides between rules that fit the same act; the greater value wins, and among equal values the stronger
    /// response.
    #[must_use]
    pub fn precedence(&self, endpoint: &Endpoint) -> (Specificity, u8) {
        (endpoint.specificity(), 15 - self.rule.layer.min(15))
    }
}

/// Files.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// For what no rule names.
    pub default: DefaultResponse,
    /// Where `write-default` does not apply: writing is allowed there unless a rule says otherwise.
    pub write: Vec<PathPattern>,
    /// For writing what no rule and no `write` names; `default` decides where there is none.
    pub write_default: Option<DefaultResponse>,
    /// The rules.
    pub rules: Vec<FileRule>,
    /// What lends a person's identity to whoever reads it: for [`Effective::borrowed_identity`].
    pub credentials: Vec<PathPattern>,
}

impl Files {
    /// The class of `@credentials` that guards `path` most specifically; `None` where none does.
    #[must_use]
    pub fn class_of(&self, path: &str) -> Option<&'static str> {
        let fitting = self.rules.iter().filter_map(|rule| {
            let fits = rule.paths.iter().filter(|pattern| pattern.matches(path));
            Some((fits.map(PathPattern::rank).max()?, rule.class?))
        });
        fitting.max().map(|(_, class)| class)
    }
}

/// A rule about files.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRule {
    /// Name, response, weight, reason.
    pub rule: Rule,
    /// The class of `@credentials` that the patterns are of, where they are.
    pub class: Option<&'static str>,
    /// What it is about.
    pub paths: Vec<PathPattern>,
    /// Is it about reading?
    pub read: bool,
    /// Is it about writing?
    pub write: bool,
    /// Sanctioned uses.
    pub unless: Vec<Unless>,
}

impl FileRule {
    /// Is the rule about this access?
    #[must_use]
    pub const fn is_about(&self, access: Access) -> bool {
        match access {
            Access::Read => self.read,
            Access::Write => self.write,
        }
    }
}

/// A sanctioned use: every list that is not empty has to have one that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Unless {
    /// The program that acts.
    pub exe: Vec<PathPattern>,
    /// A program above it in the session.
    pub ancestor: Vec<PathPattern>,
    /// Which of the rule's paths.
    pub paths: Vec<PathPattern>,
    /// Where that process may connect afterwards.
    pub then_to: Vec<Endpoint>,
    /// Where the sanction was declared: the catalogue's class, or the rule itself.
    pub from_class: bool,
}

/// Programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Exec {
    /// For what no rule names.
    pub default: DefaultResponse,
    /// The rules.
    pub rules: Vec<ExecRule>,
}

/// A rule about programs. One that names arguments is decided in user space, and can only add to what the program's
/// own rules say.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecRule {
    /// Name, response, weight, reason.
    pub rule: Rule,
    /// Programs; every program where empty.
    pub exe: Vec<PathPattern>,
    /// Arguments; any where empty.
    pub argv: Vec<ArgvGlob>,
}

/// Unix sockets.
#[derive(Clone, Debug, PartialEq)]
pub struct Sockets {
    /// For what no rule names.
    pub default: DefaultResponse,
    /// The rules.
    pub rules: Vec<SocketRule>,
}

/// A rule about unix sockets.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketRule {
    /// Name, response, weight, reason.
    pub rule: Rule,
    /// Which sockets.
    pub path: Vec<SocketPattern>,
}

/// What a frozen session gets when no scope says otherwise: 15 minutes, then it dies.
pub const DEFAULT_FREEZE: Freeze = Freeze {
    timeout: std::time::Duration::from_secs(15 * 60),
    then: AfterFreeze::Kill,
};

impl Effective {
    /// The name of a budget, by its place.
    #[must_use]
    pub fn budget_id(&self, number: usize) -> RuleId {
        RuleId {
            fragment: self.budgets_from.clone(),
            place: RulePlace::Budget(u16::try_from(number).unwrap_or(u16::MAX)),
        }
    }

    /// The same scope for one owner: `~` replaced by `home` everywhere. A credential class that says so is left out
    /// where its paths are the owner's own home.
    #[must_use]
    pub fn resolve(&self, home: &Path) -> Self {
        let mut scope = self.clone();
        let all = |patterns: &mut Vec<PathPattern>| {
            for pattern in patterns {
                *pattern = pattern.resolve(home);
            }
        };
        for entry in &mut scope.matches {
            all(&mut entry.exe);
        }
        all(&mut scope.files.write);
        all(&mut scope.files.credentials);
        scope.files.rules.retain(|rule| {
            let class = rule.class.and_then(class_named);
            class
                .and_then(|class| class.not_home.as_ref())
                .is_none_or(|not_home| home != Path::new(not_home))
        });
        for rule in &mut scope.files.rules {
            all(&mut rule.paths);
            for unless in &mut rule.unless {
                all(&mut unless.exe);
                all(&mut unless.ancestor);
                all(&mut unless.paths);
            }
        }
        for rule in &mut scope.exec.rules {
            all(&mut rule.exe);
        }
        for rule in &mut scope.sockets.rules {
            for path in &mut rule.path {
                if let SocketPattern::Path(pattern) = path {
                    *pattern = pattern.resolve(home);
                }
            }
        }
        scope
    }

    /// The same scope once it has expired: what it allowed by an entry of its own (`network.allow`, a rule with
    /// `allow`) is answered with [`on_expiry`](Self::on_expiry). Guards, their sanctioned uses and defaults stay.
    #[must_use]
    pub fn after_expiry(&self) -> Self {
        let mut scope = self.clone();
        let response = self.on_expiry;
        let files = scope.files.rules.iter_mut().map(|r| &mut r.rule);
        let network = scope.network.rules.iter_mut().map(|r| &mut r.rule);
        let exec = scope.exec.rules.iter_mut().map(|r| &mut r.rule);
        let sockets = scope.sockets.rules.iter_mut().map(|r| &mut r.rule);
        for rule in files.chain(network).chain(exec).chain(sockets) {
            if rule.response == Response::Allow {
                rule.response = response;
                rule.weight = super::model::default_weight(response);
                rule.reason = Some("the scope that allowed this has expired".into());
            }
        }
        scope
    }
}
