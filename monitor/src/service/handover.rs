//! Taking sessions over from the programs of another version, without a moment in which nothing holds them: this
//! version's programs are attached beside the others', learn who is a member, and only then do the others come off.

use scopeward_abi::member::{Member, Session as KernelSession};

use crate::{
    observe::{
        handover::{HandoverError, Predecessor},
        memberships::is_of,
    },
    service::state::State,
};

/// Makes the sessions that other versions hold known to this version's programs; none has a process here yet. What
/// cannot be read stays with the programs that hold it, and is told.
pub fn sessions(state: &mut State, predecessors: Vec<Predecessor>) -> Vec<Predecessor> {
    predecessors
        .into_iter()
        .filter(|predecessor| match take_sessions(state, predecessor) {
            Ok(()) => true,
            Err(error) => {
                stays(state, predecessor, &error);
                false
            }
        })
        .collect()
}

fn take_sessions(state: &mut State, predecessor: &Predecessor) -> Result<(), String> {
    let held = predecessor.sessions().map_err(|error| error.to_string())?;
    let own = state.kernel.maps.all_sessions();
    let taken = |number: u32| own.iter().any(|(_, session)| session.policy == number);
    if let Some(number) = held
        .values()
        .map(|session| session.policy)
        .find(|number| taken(*number))
    {
        return Err(format!("tell its policy {number} from one of this version"));
    }
    if !held.is_empty() {
        state.kernel.watch(true).map_err(|error| error.to_string())?;
    }
    for (key, session) in held {
        let session = KernelSession {
            policy: session.policy,
            generation: 0,
            mode: session.mode,
            state: session.state,
            ..KernelSession::default()
        };
        state
            .kernel
            .maps
            .start_counts(key)
            .and_then(|()| state.kernel.maps.set_session(key, session))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Makes the processes of those sessions members here too; the policies are in force by now. The other version's
/// programs come off where every process of theirs is held here.
pub fn members(state: &mut State, predecessors: Vec<Predecessor>) {
    for predecessor in predecessors {
        let unknown: Vec<u64> = predecessor
            .sessions()
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, session)| state.policies.get(session.policy).is_none())
            .map(|(key, _)| key)
            .collect();
        for key in &unknown {
            state.kernel.maps.remove_session(*key);
        }
        let taken = take_members(state, &predecessor, &unknown);
        match (taken, unknown.is_empty()) {
            (Ok(processes), true) => {
                let pins = predecessor.pins().display().to_string();
                predecessor.remove();
                tracing::info!(processes, pins, "sessions of another version were taken over");
            }
            (Ok(_), false) => stays(state, &predecessor, "find the scopes of all its sessions"),
            (Err(error), _) => stays(state, &predecessor, &error),
        }
    }
}

/// Reads the other version's table until a reading brings nothing new. Its programs still follow every fork; once all
/// that it has is here, whatever forks then is followed here as well.
fn take_members(state: &mut State, predecessor: &Predecessor, unknown: &[u64]) -> Result<usize, String> {
    let mut count = 0;
    loop {
        let held = predecessor
            .members()
            .map_err(|error: HandoverError| error.to_string())?;
        let mut fresh = 0;
        for (pid, member) in held {
            let known = state
                .kernel
                .maps
                .member(pid)
                .is_some_and(|here| here.cookie == member.cookie);
            let session = state.kernel.maps.session(member.session);
            let (false, false, Some(session)) = (known, unknown.contains(&member.session), session) else {
                continue;
            };
            let member = Member {
                session: member.session,
                cookie: member.cookie,
                policy: session.policy,
                ..Member::default()
            };
            if !is_of(pid, &member) {
                continue;
            }
            let labelled = state.labelled(pid, member);
            state
                .kernel
                .maps
                .set_member(pid, labelled)
                .map_err(|error| error.to_string())?;
            if is_of(pid, &member) {
                fresh += 1;
            } else {
                // It ended meanwhile: its number must not stay in the session for whoever gets it next.
                state.kernel.maps.remove_member(pid);
            }
        }
        if fresh == 0 {
            return Ok(count);
        }
        count += fresh;
    }
}

fn stays(state: &mut State, predecessor: &Predecessor, why: &str) {
    let sentence = format!(
        "the programs of another version stay in the kernel beside this one's ({}), because it failed to {why}; their \
         sessions stay held; `scopeward daemon --release` lets go of them",
        predecessor.pins().display()
    );
    tracing::warn!("{sentence}");
    state.set_degraded("handover", Some(sentence));
}
