//! The programs above a process, by path: records have them by name only, and scopes name them by path.

use std::collections::{BTreeMap, BTreeSet};

use crate::{record::event::EventRecord, scope::words::Kind};

/// Most programs that are remembered of one session.
const PROGRAMS_MAX: usize = 4_096;

/// The programs of each session, as far as they were seen.
#[derive(Debug, Default)]
pub(super) struct Lineages {
    sessions: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Lineages {
    /// Takes in an event.
    pub(super) fn saw(&mut self, event: &EventRecord) {
        if !self.sessions.contains_key(&event.session.id) {
            self.sessions.insert(event.session.id.clone(), BTreeMap::new());
        }
        let Some(programs) = self.sessions.get_mut(&event.session.id) else {
            return;
        };
        let executed = (event.act.kind == Kind::ProcessExec)
            .then_some(event.act.path.as_deref())
            .flatten();
        for path in event.process.exe.as_deref().into_iter().chain(executed) {
            let name = path.rsplit('/').next().unwrap_or(path);
            if programs.get(name).is_some_and(|known| known.contains(path)) || programs.len() >= PROGRAMS_MAX
            {
                continue;
            }
            programs
                .entry(name.to_owned())
                .or_default()
                .insert(path.to_owned());
        }
    }

    /// The programs above the process of an event. A name that two programs of the session have stays a name, which
    /// fits no path: what cannot be told apart sanctions nothing.
    pub(super) fn above(&self, event: &EventRecord) -> Vec<String> {
        let programs = self.sessions.get(&event.session.id);
        let names = event
            .process
            .lineage
            .split_last()
            .map_or(&[][..], |(_, above)| above);
        let path = |name: &String| {
            let known = programs.and_then(|programs| programs.get(name))?;
            known.first().filter(|_| known.len() == 1).cloned()
        };
        names
            .iter()
            .map(|name| path(name).unwrap_or_else(|| name.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::sample;

    #[test]
    fn a_name_stands_for_a_path_only_where_it_is_the_only_one() {
        let mut lineages = Lineages::default();
        let mut event = sample::event(0);
        event.process.lineage = vec!["claude".into(), "git".into(), "ssh".into()];
        event.process.exe = Some("/usr/bin/git".into());
        lineages.saw(&event);
        assert_eq!(lineages.above(&event), ["claude", "/usr/bin/git"]);
        event.process.exe = Some("/tmp/git".into());
        lineages.saw(&event);
        assert_eq!(lineages.above(&event), ["claude", "git"]);
        let other = sample::event(1);
        assert_eq!(lineages.above(&other), ["claude", "bash"]);
    }
}
