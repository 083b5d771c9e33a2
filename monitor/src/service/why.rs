//! Why an act was answered as it was.

use crate::{
    api::types::{ChainLink, Why},
    ledger::{
        cut::{is_answer, object},
        patterns::watch::is_pattern,
    },
    record::event::{EventRecord, act_line},
    scope::{builtin, words::Response},
    service::{policies::Policy, state::State},
};

/// Puts together what is known of an event: the rule as written, the processes, the person, what would have allowed it.
pub fn explain(state: &State, event: EventRecord) -> Why {
    let scope = &event.verdict.scope;
    let policy = state
        .policies
        .iter()
        .map(|(_, policy)| policy)
        .find(|policy| policy.scope.name == *scope);
    let rule_text = event
        .verdict
        .rule
        .as_deref()
        .and_then(|rule| rule_text(policy, rule));
    Why {
        summary: summary(&event),
        rule_text,
        chain: chain(state, &event),
        owner: event.session.owner.clone(),
        origin: state
            .sessions
            .key(&event.session.id)
            .and_then(|key| state.sessions.get(key))
            .map(|session| session.origin.clone()),
        instead: instead(&event),
        grant_command: grant_command(state, &event),
        event,
    }
}

/// What a person would type to approve it; `None` where it was allowed, or where no grant can name it any more.
#[must_use]
pub fn grant_command(state: &State, event: &EventRecord) -> Option<String> {
    let key = state.sessions.key(&event.session.id)?;
    let live = state.sessions.get(key)?.is_live();
    let act = &event.act;
    let endpoint = act.address.is_some() && act.port.is_some();
    let nameable = endpoint || (act.inode.is_some() && act.dev.is_some() && act.path.is_some());
    let cut = event.verdict.called_for > Response::Allow;
    (live && nameable && cut).then(|| format!("scopeward grant {} --for 10m --reason \"…\"", event.id))
}

fn summary(event: &EventRecord) -> String {
    let verdict = &event.verdict;
    let act = act_line(&event.act);
    if verdict.called_for == Response::Allow {
        return match &verdict.rule {
            Some(rule) => format!("{act} is inside the scope {} ({rule})", verdict.scope),
            None => format!(
                "{act} is inside the scope {}: no rule speaks against it",
                verdict.scope
            ),
        };
    }
    let rule = verdict.rule.as_deref().unwrap_or("its default");
    if is_answer(event) {
        let why = verdict.reason.as_deref().unwrap_or_default();
        return format!(
            "{act} used up {rule} of the scope {}, which calls for `{}`: {why}; `{}` was applied {}",
            verdict.scope,
            verdict.called_for.word(),
            verdict.applied.word(),
            when(event)
        );
    }
    if is_pattern(event) {
        let what = verdict.reason.as_deref().unwrap_or_default();
        return format!("{act} completes {rule}: {what}; it counts {}", event.weight);
    }
    let applied = if verdict.applied == verdict.called_for {
        format!("it was applied {}", when(event))
    } else {
        format!("`{}` was applied {}", verdict.applied.word(), when(event))
    };
    let alias = match (&event.act.guarded_as, &event.act.path) {
        (Some(guarded), Some(path)) if guarded != path => format!(", guarded as {guarded}"),
        _ => String::new(),
    };
    let reason = verdict
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    format!(
        "{act}{alias} is outside the scope {}: {rule} calls for `{}`{reason}; {applied}",
        verdict.scope,
        verdict.called_for.word(),
    )
}

fn when(event: &EventRecord) -> &'static str {
    use crate::scope::words::When;
    match event.verdict.when {
        When::BeforeAct => "before the act took effect",
        When::BeforeUse => "after the system call and before the process could go on",
        When::After => "after the act",
    }
}

/// The rule as its author wrote it, with file and line.
fn rule_text(policy: Option<&Policy>, rule: &str) -> Option<String> {
    let (file, text, place) = match rule.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
        Some((fragment, place)) => (
            format!("@{fragment}"),
            builtin::lookup(fragment)?.source.to_owned(),
            place,
        ),
        None => {
            let source = &policy?.source;
            (source.file.clone(), source.text.clone(), rule)
        }
    };
    let (line, block) = block(&text, place)?;
    Some(format!("{file}:{line}\n{block}"))
}

/// The lines of `files.rule[2]`, `network.allow[0]`, `files.write-default` in a scope's text, and the first one's number.
fn block(text: &str, place: &str) -> Option<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    if let Some(index) = place
        .strip_prefix("budget[")
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let mut starts = (0..lines.len()).filter(|at| lines[*at].trim_start().starts_with("[[budget]]"));
        let start = starts.nth(index.parse().ok()?)?;
        let end = (start + 1..lines.len())
            .find(|at| lines[*at].trim_start().starts_with('['))
            .unwrap_or(lines.len());
        return Some((start + 1, lines[start..end].join("\n").trim_end().to_owned()));
    }
    let (table, key) = place.split_once('.')?;
    let index = key
        .split_once('[')
        .and_then(|(_, rest)| rest.strip_suffix(']'))
        .and_then(|n| n.parse().ok());
    if let (Some(index), true) = (index, key.starts_with("rule")) {
        let header = format!("[[{table}.rule]]");
        let starts = (0..lines.len()).filter(|at| lines[*at].trim_start().starts_with(&header));
        let start = starts.into_iter().nth(index)?;
        let own = format!("[[{table}.rule.");
        let end = (start + 1..lines.len())
            .find(|at| lines[*at].trim_start().starts_with('[') && !lines[*at].trim_start().starts_with(&own))
            .unwrap_or(lines.len());
        return Some((start + 1, lines[start..end].join("\n").trim_end().to_owned()));
    }
    let wanted = key.split('[').next().unwrap_or(key);
    let header = format!("[{table}]");
    let start = lines
        .iter()
        .position(|line| line.trim_start().starts_with(&header))?;
    let line = (start + 1..lines.len())
        .take_while(|at| !lines[*at].trim_start().starts_with("[["))
        .find(|at| lines[*at].trim_start().split(['=', ' ']).next() == Some(wanted))?;
    Some((line + 1, lines[line].trim().to_owned()))
}

fn chain(state: &State, event: &EventRecord) -> Vec<ChainLink> {
    let mut chain: Vec<ChainLink> = state
        .processes
        .chain(event.process.pid)
        .into_iter()
        .map(|(pid, process)| ChainLink {
            pid,
            exe: process.exe.as_deref().unwrap_or("?").to_owned(),
            argv: process.argv.to_vec(),
        })
        .collect();
    chain.reverse();
    let same = chain
        .last()
        .is_some_and(|last| last.pid == event.process.pid && Some(&last.exe) == event.process.exe.as_ref());
    if same {
        return chain;
    }
    // The processes are forgotten, or the number was used again: what the event itself says.
    let lineage = event.process.lineage.iter();
    let mut told: Vec<ChainLink> = lineage
        .map(|exe| ChainLink {
            pid: 0,
            exe: exe.clone(),
            argv: Vec::new(),
        })
        .collect();
    if let Some(last) = told.last_mut() {
        last.pid = event.process.pid;
        last.argv.clone_from(&event.process.argv);
    }
    told
}

/// What the scope would have to say.
fn instead(event: &EventRecord) -> Option<String> {
    if event.verdict.called_for == Response::Allow || is_answer(event) || is_pattern(event) {
        return None;
    }
    let act = &event.act;
    match event
        .verdict
        .rule
        .as_deref()
        .and_then(|rule| rule.rsplit('/').next())
    {
        // No scope says what a session has used before: a grant does, or a thaw.
        Some("tightened") => return None,
        Some("session.borrowed-identity") => {
            let file = act.borrowed.as_deref().unwrap_or_default();
            let exe = event.process.exe.as_deref().unwrap_or_default();
            return Some(format!(
                "[[files.rule.unless]]            # below the rule that guards {file}\nexe = \"{exe}\"\nthen-to = [\"{}\"]",
                object(act)
            ));
        }
        _ => {}
    }
    if let Some(address) = act.address {
        let host = act.name.clone().unwrap_or_else(|| match address {
            std::net::IpAddr::V4(address) => address.to_string(),
            std::net::IpAddr::V6(address) => format!("[{address}]"),
        });
        let port = act.port.map_or_else(String::new, |port| format!(":{port}"));
        return Some(format!("[network]\nallow = [\"{host}{port}\"]"));
    }
    let path = act.guarded_as.clone().or_else(|| act.path.clone())?;
    if act.kind.word().starts_with("process.") {
        return Some(format!(
            "[[exec.rule]]\nexe = [\"{}\"]\nresponse = \"allow\"",
            act.path.clone()?
        ));
    }
    let exe = event.process.exe.clone().unwrap_or_default();
    Some(format!(
        "[[files.rule.unless]]            # below the rule that guards {path}\nexe = \"{exe}\""
    ))
}
