//! Compiled scopes and what of them is in the kernel.

use std::collections::{BTreeMap, BTreeSet};

use scopeward_abi::{
    endpoint::EndpointKey,
    object::{NameKey, ObjectKey},
    policy::EntryKey,
};

use crate::{
    api::types::FragmentText,
    decide::compile::{CompileError, Compiled, EntryInfo, Locate, Names, Table, compile, compile_matches},
    observe::maps::{Maps, MapsError},
    scope::{
        effective::{Effective, FileRule, Rule},
        endpoint::{Endpoint, Host, NamedSet},
        model::Match,
        pattern::PathPattern,
        rule_id::{RuleId, RulePlace},
        words::Response,
    },
    service::memory,
};

/// Why a scope is not in force.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It does not fit the kernel's tables.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The kernel refused it.
    #[error(transparent)]
    Maps(#[from] MapsError),
    /// Every number is taken.
    #[error("number another policy: 65,535 are in force")]
    Full,
}

/// What a policy was compiled from, and what came out.
#[derive(Debug)]
pub struct Policy {
    /// The scope, resolved for its owner.
    pub scope: Effective,
    /// For `why`, and for the next daemon.
    pub source: Source,
    /// The owner.
    pub uid: u32,
    /// What the kernel has.
    pub compiled: Compiled,
    /// The generation before, with what stood behind its entries: for events that are still on their way.
    pub previous: Option<(u32, Vec<EntryInfo>)>,
}

impl Policy {
    /// Whether it has an endpoint for the package registries of this host.
    #[must_use]
    pub fn asks_for_registries(&self) -> bool {
        let is_set = |endpoint: &Endpoint| endpoint.host == Host::Set(NamedSet::PackageRegistries);
        self.scope
            .network
            .rules
            .iter()
            .flat_map(|rule| &rule.to)
            .any(is_set)
    }

    /// What stands behind an entry's number in a generation; `None` for 0.
    #[must_use]
    pub fn info(&self, generation: u32, entry: u32) -> Option<&EntryInfo> {
        match &self.previous {
            Some((before, infos)) if *before == generation => infos.get((entry as usize).checked_sub(1)?),
            _ => self.compiled.info(entry),
        }
    }
}

/// A scope's text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// The file, as messages name it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The local fragments that it builds on.
    pub fragments: Vec<FragmentText>,
}

/// Entries from which compiling leaves megabytes free in the allocator's pools.
const LARGE: usize = 1_000;

/// All policies, by number.
#[derive(Debug, Default)]
pub struct Policies {
    table: BTreeMap<u32, Policy>,
    matches: Table,
    generation: u32,
    /// Where the monitor keeps what holds sessions: nobody in one writes there.
    own: Vec<PathPattern>,
}

impl Policies {
    /// None yet. `own` is where the monitor keeps what holds sessions.
    #[must_use]
    pub fn guarding(own: Vec<PathPattern>) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// A policy.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Policy> {
        self.table.get(&number)
    }

    /// Every policy.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Policy)> {
        self.table.iter().map(|(number, policy)| (*number, policy))
    }

    /// The generation of the newest scope in force.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The number of a policy for this scope and owner, as files and names stand now: one that is there already, or a
    /// new one.
    ///
    /// # Errors
    /// [`PolicyError`]; nothing has changed then.
    pub fn install(
        &mut self,
        maps: &mut Maps,
        unresolved: &Effective,
        source: &Source,
        uid: u32,
        names: &Names,
        locate: &dyn Locate,
    ) -> Result<u32, PolicyError> {
        let scope = for_owner(unresolved, uid, &self.own);
        let is_same = |known: &Policy| known.uid == uid && known.scope == scope;
        let same = self.table.iter().find(|(_, known)| is_same(known));
        if let Some(number) = same.map(|(number, _)| *number) {
            self.refresh(maps, number, names, locate)?;
            return Ok(number);
        }
        let number = (1..=u32::from(u16::MAX)).find(|number| !self.table.contains_key(number));
        let number = number.ok_or(PolicyError::Full)?;
        self.put(maps, number, unresolved, source, uid, names, locate)?;
        Ok(number)
    }

    /// Compiles a scope under a number and writes it, in place of what was there.
    ///
    /// # Errors
    /// [`PolicyError`]; where compiling failed nothing has changed.
    #[expect(clippy::too_many_arguments, reason = "a policy is made of all these, once")]
    pub fn put(
        &mut self,
        maps: &mut Maps,
        number: u32,
        unresolved: &Effective,
        source: &Source,
        uid: u32,
        names: &Names,
        locate: &dyn Locate,
    ) -> Result<(), PolicyError> {
        let scope = for_owner(unresolved, uid, &self.own);
        let generation = self.generation + 1;
        let compiled = compile(&scope, number, generation, names, locate)?;
        write(maps, self.table.get(&number).map(|old| &old.compiled), &compiled)?;
        self.generation = generation;
        let previous = self
            .table
            .remove(&number)
            .map(|old| (old.compiled.policy.generation, old.compiled.infos));
        if compiled.entries.len() > LARGE {
            memory::give_back();
        }
        let policy = Policy {
            scope,
            source: source.clone(),
            uid,
            compiled,
            previous,
        };
        self.table.insert(number, policy);
        Ok(())
    }

    /// Compiles a scope as [`Policies::put`] would, and changes nothing.
    ///
    /// # Errors
    /// [`CompileError`] where it does not fit.
    pub fn try_compile(
        &self,
        number: u32,
        unresolved: &Effective,
        uid: u32,
        names: &Names,
        locate: &dyn Locate,
    ) -> Result<(), CompileError> {
        compile(
            &for_owner(unresolved, uid, &self.own),
            number,
            self.generation + 1,
            names,
            locate,
        )
        .map(drop)
    }

    /// Compiles a policy again, because names or files have changed. True where that made a difference.
    ///
    /// # Errors
    /// [`PolicyError`]; what was in force stays.
    pub fn refresh(
        &mut self,
        maps: &mut Maps,
        number: u32,
        names: &Names,
        locate: &dyn Locate,
    ) -> Result<bool, PolicyError> {
        let Some(policy) = self.table.get_mut(&number) else {
            return Ok(false);
        };
        let generation = policy.compiled.policy.generation;
        let mut compiled = compile(&policy.scope, number, generation, names, locate)?;
        compiled.files.keep_tied(&policy.compiled.files);
        compiled.programs.keep_tied(&policy.compiled.programs);
        compiled.sockets.keep_tied(&policy.compiled.sockets);
        let changed = compiled.files != policy.compiled.files
            || compiled.programs != policy.compiled.programs
            || compiled.sockets != policy.compiled.sockets
            || compiled.endpoints != policy.compiled.endpoints;
        if changed {
            write(maps, Some(&policy.compiled), &compiled)?;
            policy.compiled = compiled;
        }
        Ok(changed)
    }

    /// Removes a policy that holds no session.
    pub fn remove(&mut self, maps: &mut Maps, number: u32) {
        let Some(policy) = self.table.remove(&number) else {
            return;
        };
        maps.remove_policy(number);
        erase(maps, &policy.compiled, None);
    }

    /// Sets which programs ask the daemon to look: those of every `[[match]]`.
    ///
    /// # Errors
    /// [`PolicyError`]; what was in force stays.
    pub fn set_matches<'m>(
        &mut self,
        maps: &mut Maps,
        entries: impl Iterator<Item = &'m Match>,
        locate: &dyn Locate,
    ) -> Result<(), PolicyError> {
        let mut patterns: Vec<PathPattern> = Vec::new();
        for entry in entries {
            // Without a program, any program may be it; who it is for is looked at by the daemon.
            let any = [PathPattern::Tree("/".to_owned())];
            patterns.extend(if entry.exe.is_empty() {
                any.to_vec()
            } else {
                entry.exe.clone()
            });
        }
        let (policy, table) = compile_matches(patterns.iter(), locate)?;
        write_table(maps, &table)?;
        maps.set_policy(0, policy)?;
        erase_table(maps, &self.matches, Some(&table));
        self.matches = table;
        maps.set_matching(!patterns.is_empty())?;
        Ok(())
    }

    /// Every name that some policy has an endpoint for, and whether any asks for package registries.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let endpoints = self.table.values().flat_map(|policy| {
            let rules = policy.scope.network.rules.iter().flat_map(|rule| &rule.to);
            let then = policy
                .scope
                .files
                .rules
                .iter()
                .flat_map(|rule| &rule.unless)
                .flat_map(|unless| &unless.then_to);
            rules.chain(then)
        });
        endpoints
            .filter_map(|endpoint| match &endpoint.host {
                Host::Name(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    }
}

/// The scope as it holds for one owner, now, with what holds in every session: nobody writes to the monitor's own files.
fn for_owner(unresolved: &Effective, uid: u32, own: &[PathPattern]) -> Effective {
    let mut resolved = unresolved.resolve(&crate::attribute::owner::home(uid));
    if !own.is_empty() {
        resolved.files.rules.push(FileRule {
            rule: Rule {
                id: RuleId::own(RulePlace::SelfDefence),
                layer: 0,
                response: Response::Kill,
                weight: 50,
                reason: Some("no agent touches what holds it".to_owned()),
            },
            class: None,
            paths: own.to_vec(),
            read: false,
            write: true,
            unless: Vec::new(),
        });
    }
    let expired = resolved
        .expires
        .is_some_and(|until| until <= jiff::Timestamp::now());
    if expired {
        resolved.after_expiry()
    } else {
        resolved
    }
}

/// Writes what is new before the head that leads to it, and removes what is stale after.
fn write(maps: &mut Maps, old: Option<&Compiled>, new: &Compiled) -> Result<(), MapsError> {
    for (number, entry) in (1..).zip(&new.entries) {
        maps.set_entry(
            EntryKey {
                policy: new.number,
                entry: number,
            },
            *entry,
        )?;
    }
    write_table(maps, &new.files)?;
    write_table(maps, &new.programs)?;
    write_table(maps, &new.sockets)?;
    write_table(maps, &new.abstract_names)?;
    for ((prefix, key), ports) in &new.endpoints {
        maps.set_endpoint(*prefix, *key, *ports)?;
    }
    maps.set_policy(new.number, new.policy)?;
    if let Some(old) = old {
        erase(maps, old, Some(new));
    }
    Ok(())
}

fn write_table(maps: &mut Maps, table: &Table) -> Result<(), MapsError> {
    for (key, found) in &table.objects {
        maps.set_object(*key, *found)?;
    }
    for (key, found) in &table.names {
        maps.set_name(*key, *found)?;
    }
    Ok(())
}

/// Removes what `old` has and `keep` has not.
fn erase(maps: &mut Maps, old: &Compiled, keep: Option<&Compiled>) {
    erase_table(maps, &old.files, keep.map(|new| &new.files));
    erase_table(maps, &old.programs, keep.map(|new| &new.programs));
    erase_table(maps, &old.sockets, keep.map(|new| &new.sockets));
    erase_table(maps, &old.abstract_names, keep.map(|new| &new.abstract_names));
    let stays = |key: &(u32, EndpointKey)| keep.is_some_and(|new| new.endpoints.contains_key(key));
    for (prefix, key) in old.endpoints.keys().filter(|key| !stays(key)) {
        maps.remove_endpoint(*prefix, *key);
    }
    let kept = keep.map_or(0, |new| new.entries.len());
    for number in kept + 1..=old.entries.len() {
        maps.remove_entry(EntryKey {
            policy: old.number,
            entry: u32::try_from(number).unwrap_or(u32::MAX),
        });
    }
}

fn erase_table(maps: &mut Maps, old: &Table, keep: Option<&Table>) {
    let object_stays = |key: &ObjectKey| keep.is_some_and(|new| new.objects.contains_key(key));
    for key in old.objects.keys().filter(|key| !object_stays(key)) {
        maps.remove_object(*key);
    }
    let name_stays = |key: &NameKey| keep.is_some_and(|new| new.names.contains_key(key));
    for key in old.names.keys().filter(|key| !name_stays(key)) {
        maps.remove_name(*key);
    }
}
