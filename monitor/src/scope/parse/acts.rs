//! `[processes]`, `[session]`, `[[budget]]` and `[freeze]`.

use super::section::Section;
use crate::scope::{
    effective::DEFAULT_FREEZE,
    error::Span,
    model::{Account, AfterFreeze, Budget, Freeze, Processes, SessionActs},
    words::Step,
};

pub(super) fn processes(table: &Section<'_>) -> Processes {
    table.allow_keys(&["trace", "signal"]);
    Processes {
        trace: table.response("trace"),
        signal: table.response("signal"),
    }
}

pub(super) fn session(table: &Section<'_>) -> SessionActs {
    table.allow_keys(&["requested-start", "leave", "mount", "borrowed-identity"]);
    SessionActs {
        requested_start: table.response("requested-start"),
        leave: table.response("leave"),
        mount: table.response("mount"),
        borrowed_identity: table.response("borrowed-identity"),
    }
}

pub(super) fn budget(table: &Section<'_>) -> Option<Budget> {
    table.allow_keys(&["weight", "within", "account", "response"]);
    for (key, example) in [("weight", "10"), ("within", "\"5m\""), ("response", "\"freeze\"")] {
        if table.value(key).is_none() {
            table.error(
                table.span.clone(),
                format!("{} has no `{key}`", table.name),
                format!("write `{key} = {example}`"),
            );
        }
    }
    let accounts = [
        ("session", Account::Session),
        ("agent", Account::Agent),
        ("owner", Account::Owner),
        ("host", Account::Host),
    ];
    let account = table
        .word("account", &accounts)
        .map_or(Account::Session, |(account, _)| account);
    let steps = [Step::Flag, Step::Tighten, Step::Freeze, Step::Kill].map(|step| (step.word(), step));
    let response = table.word("response", &steps);
    let weight = table.integer("weight", 1, 1_000_000_000);
    let within = table.duration("within");
    Some(Budget {
        weight: weight?,
        within: within?,
        account,
        response: response?.0,
    })
}

/// Where a budget says `tighten`: `scope check` says what this host makes of it.
pub(super) fn tightens(tables: &[Section<'_>]) -> Option<(usize, Span)> {
    tables.iter().enumerate().find_map(|(n, table)| {
        let step = table.value("response")?;
        (step.get_ref().as_str() == Some(Step::Tighten.word())).then(|| (n, step.span()))
    })
}

pub(super) fn freeze(table: &Section<'_>) -> Freeze {
    table.allow_keys(&["timeout", "then"]);
    let then = [
        ("kill", AfterFreeze::Kill),
        ("thaw", AfterFreeze::Thaw),
        ("freeze", AfterFreeze::Freeze),
    ];
    Freeze {
        timeout: table.duration("timeout").unwrap_or(DEFAULT_FREEZE.timeout),
        then: table
            .word("then", &then)
            .map_or(DEFAULT_FREEZE.then, |(then, _)| then),
    }
}
