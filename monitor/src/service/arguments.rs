//! Rules about a program's arguments.

use scopeward_abi::grant::of;

use crate::{
    decide::{compile::EntryInfo, grants::file_key},
    decode::ExecFacts,
    record::event::EventRecord,
    scope::words::{Mode, Response, Tier, When},
    service::{
        acts::exec_act,
        events::{Actor, Answered},
        state::State,
    },
};

impl State {
    /// Rules about arguments are decided here, after the exec.
    pub(super) fn by_arguments(
        &mut self,
        actor: &Actor,
        facts: &ExecFacts,
        kernel: Answered,
    ) -> Option<EventRecord> {
        let policy = self.policies.get(actor.policy)?;
        let path = facts.path.as_deref().unwrap_or_default();
        let fits = |rule: &&crate::scope::effective::ExecRule| {
            let program = rule.exe.is_empty() || rule.exe.iter().any(|pattern| pattern.matches(path));
            !rule.argv.is_empty() && program && rule.argv.iter().any(|glob| glob.matches(&facts.argv))
        };
        let rule = policy
            .scope
            .exec
            .rules
            .iter()
            .filter(fits)
            .max_by_key(|rule| rule.rule.response)?;
        let called_for = rule.rule.response;
        if called_for <= kernel.called_for {
            return None;
        }
        let info = EntryInfo {
            rule: Some(rule.rule.id.clone()),
            pattern: rule.argv.first().map(ToString::to_string).unwrap_or_default(),
            response: called_for,
            weight: rule.rule.weight,
            reason: rule.rule.reason.clone(),
            class: None,
            name: None,
        };
        let program = file_key(actor.session, facts.inode, facts.dev, of::PROGRAM);
        if self.use_grant(&program).is_some() {
            return None;
        }
        let enforces = self
            .sessions
            .get(actor.session)
            .is_some_and(|session| session.mode == Mode::Enforce);
        let applied = match called_for {
            Response::Allow | Response::Flag => called_for,
            _ if !enforces => Response::Flag,
            // The program runs already: refusing it means ending it.
            Response::Deny | Response::Kill => Response::Kill,
            Response::Freeze => Response::Freeze,
        };
        let answered = Answered {
            called_for,
            applied,
            when: When::After,
            tier: Tier::Tracepoint,
        };
        let record = self.tell_of(actor, exec_act(facts), answered, Some(&info));
        match applied {
            Response::Kill => self.kill_process(actor.pid, actor.cookie),
            Response::Freeze => self.respond(actor, answered),
            _ => {}
        }
        if let Some(session) = self.sessions.get_mut(actor.session) {
            session.own_cuts += 1;
        }
        Some(record)
    }
}
