//! `[processes]`, `[session]`, `[[budget]]` and `[freeze]`.

use super::section::Section;
use crate::scope::{
    effective::DEFAULT_FREEZE,
    model::{Account, AfterFreeze, Budget, Freeze, Processes, SessionActs},
    words::Response,
};

pub(super) fn processes(table: &Section<'_>) -> Processes {
    table.allow_keys(&["trace", "signal"]);
    Processes {
        trace: table.response("trace"),
        signal: table.response("signal"),
    }
}

pub(super) fn session(table: &Section<'_>) -> SessionActs {
    table.allow_keys(&["requested-start", "leave", "mount"]);
    SessionActs {
        requested_start: table.response("requested-start"),
        leave: table.response("leave"),
        mount: table.response("mount"),
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
    let response = table.response("response");
    if let Some((Response::Allow | Response::Deny, span)) = &response {
        table.error(
            span.clone(),
            "a budget that is used up cannot be answered like this: the act that used it up is already decided",
            "write `flag`, `freeze` or `kill`",
        );
    }
    let weight = table.integer("weight", 1, 1_000_000_000);
    let within = table.duration("within");
    Some(Budget {
        weight: weight?,
        within: within?,
        account,
        response: response?.0,
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
