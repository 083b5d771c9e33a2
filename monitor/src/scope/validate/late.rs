//! What this host decides after the act, or not at all.

use crate::scope::{
    capability::{Capabilities, Guarantee},
    endpoint::{Endpoint, Host},
    error::{ScopeError, Span},
    model::{FileRule, PathEntry, Scope},
    words::{Response, Tier, When},
};

/// How often the daemon asks for the addresses of names, in seconds.
const RESOLVE_SECONDS: u32 = 30;

/// Everything in one file, in no order.
pub(super) fn findings(scope: &Scope, host: &Capabilities) -> Vec<ScopeError> {
    let mut found = Vec::new();
    for (n, rule) in scope.files.rules.iter().enumerate() {
        files(n, rule, host, &mut found);
    }
    exec(scope, host, &mut found);
    names(scope, host, &mut found);
    sockets(scope, host, &mut found);
    if let Some((n, span)) = &scope.tightens {
        judge(
            span.clone(),
            &format!("budget[{n}]: what is new to a tightened session"),
            Response::Deny,
            host.file_names,
            (
                "the open of a file",
                "the process is killed before it can use the file",
            ),
            &mut found,
        );
    }
    let processes = &scope.processes;
    let session = &scope.session;
    for (key, given, guarantee) in [
        ("processes.trace", &processes.trace, host.trace),
        ("processes.signal", &processes.signal, host.signal),
        (
            "session.requested-start",
            &session.requested_start,
            host.requested_start,
        ),
        ("session.leave", &session.leave, host.leave),
        ("session.mount", &session.mount, host.mount),
        (
            "session.borrowed-identity",
            &session.borrowed_identity,
            host.network,
        ),
    ] {
        let Some((response, span)) = given else { continue };
        match guarantee {
            None if *response > Response::Allow => found.push(not_yet(span.clone(), &format!("`{key}`"))),
            Some(Guarantee { tier, when }) if *response >= Response::Deny && when == When::After => {
                found.push(after(
                    span.clone(),
                    &format!("`{key}` with response {}", response.word()),
                    tier,
                ));
            }
            _ => {}
        }
    }
    found
}

fn files(n: usize, rule: &FileRule, host: &Capabilities, found: &mut Vec<ScopeError>) {
    let response = rule.rule.response;
    let mut objects: Vec<(String, &Span)> = Vec::new();
    let mut names: Vec<(String, &Span)> = Vec::new();
    for (entry, span) in &rule.paths {
        match entry {
            PathEntry::Pattern(pattern) if pattern.is_object() => objects.push((pattern.to_string(), span)),
            PathEntry::Pattern(pattern) => names.push((pattern.to_string(), span)),
            PathEntry::Credentials | PathEntry::CredentialClass(_) if rule.by_class => {}
            PathEntry::Credentials => names.push(("@credentials".into(), span)),
            PathEntry::CredentialClass(class) => names.push((format!("@credentials/{class}"), span)),
        }
    }
    for (things, guarantee) in [(objects, host.file_objects), (names, host.file_names)] {
        let Some((_, span)) = things.first() else { continue };
        let what = format!(
            "files.rule[{n}]: {} with response {}",
            some(&things),
            response.word()
        );
        let killed = "the process is killed before it can use the file";
        judge(
            (*span).clone(),
            &what,
            response,
            guarantee,
            ("the open", killed),
            found,
        );
    }
    if let Some(unless) = rule
        .unless
        .iter()
        .find(|unless| !unless.then_to.is_empty() && host.then_to.is_none())
    {
        let message = format!(
            "files.rule[{n}]: `then-to` is not in this tier yet: where the process connects afterwards is not held against it"
        );
        found.push(ScopeError::new(
            unless.span.clone(),
            message,
            "`[network]` holds for that process as for every other",
        ));
    }
}

fn exec(scope: &Scope, host: &Capabilities, found: &mut Vec<ScopeError>) {
    for (n, rule) in scope.exec.rules.iter().enumerate() {
        let response = rule.rule.response;
        if rule.argv.is_empty() {
            let things: Vec<(String, &Span)> = rule
                .exe
                .iter()
                .map(|(exe, span)| (exe.to_string(), span))
                .collect();
            let Some((_, span)) = things.first() else { continue };
            let what = format!(
                "exec.rule[{n}]: {} with response {}",
                some(&things),
                response.word()
            );
            let killed = "the program is killed before its first instruction";
            judge(
                (*span).clone(),
                &what,
                response,
                host.exec,
                ("the exec", killed),
                found,
            );
        } else if let Some((glob, span)) = rule.argv.first() {
            match host.exec_argv {
                None => found.push(not_yet(span.clone(), &format!("exec.rule[{n}]: `argv`"))),
                Some(guarantee) if guarantee.when == When::After && response >= Response::Deny => {
                    let message = format!(
                        "exec.rule[{n}]: `{glob}` is decided in user space after the exec; the program has started by then"
                    );
                    let remedy =
                        "name the program with `exe` in a rule without `argv` to stop it before it runs";
                    found.push(ScopeError::new(span.clone(), message, remedy));
                }
                Some(_) => {}
            }
        }
    }
}

fn names(scope: &Scope, host: &Capabilities, found: &mut Vec<ScopeError>) {
    if host.names_in_kernel {
        return;
    }
    let allow = scope.network.allow.iter();
    let rules = scope.network.rules.iter().flat_map(|rule| rule.to.iter());
    let written: Vec<&(Endpoint, Span)> = allow.chain(rules).collect();
    let of = |wanted: fn(&Host) -> bool| -> Vec<&(Endpoint, Span)> {
        written
            .iter()
            .filter(|(endpoint, _)| wanted(&endpoint.host))
            .copied()
            .collect()
    };
    let resolved = of(|host| matches!(host, Host::Name(_)));
    if let Some((_, span)) = resolved.first() {
        let message = format!(
            "{}: resolved by the daemon every {RESOLVE_SECONDS} s; addresses shared with other names are reachable too",
            listed(&resolved)
        );
        found.push(ScopeError::new(
            span.clone(),
            message,
            "name the addresses or networks where they are known",
        ));
    }
    let wild = of(|host| matches!(host, Host::Below(_)));
    if let Some((_, span)) = wild.first() {
        let message = format!("{}: cannot be resolved, and is not reachable yet", listed(&wild));
        found.push(ScopeError::new(
            span.clone(),
            message,
            "name the hosts one by one until names are held in the kernel",
        ));
    }
    if host.network.is_none() {
        let span = written.first().map_or(0..0, |(_, span)| span.clone());
        found.push(not_yet(span, "[network]"));
    }
}

/// `name `a.example.org`, `b.example.org` and 3 more`.
fn listed(endpoints: &[&(Endpoint, Span)]) -> String {
    let shown: Vec<String> = endpoints
        .iter()
        .take(3)
        .map(|(endpoint, _)| format!("`{}`", endpoint.host))
        .collect();
    let word = if endpoints.len() == 1 { "name" } else { "names" };
    match endpoints.len().saturating_sub(3) {
        0 => format!("{word} {}", shown.join(", ")),
        more => format!("{word} {} and {more} more", shown.join(", ")),
    }
}

fn sockets(scope: &Scope, host: &Capabilities, found: &mut Vec<ScopeError>) {
    match (scope.sockets.rules.first(), host.sockets) {
        (Some(rule), None) => found.push(not_yet(rule.rule.span.clone(), "[sockets]")),
        (None, None)
            if scope
                .sockets
                .default
                .is_some_and(|response| response > Response::Allow) =>
        {
            found.push(not_yet(0..0, "[sockets]"));
        }
        _ => {
            for (n, rule) in scope.sockets.rules.iter().enumerate() {
                let what = format!("sockets.rule[{n}] with response {}", rule.rule.response.word());
                let words = ("the connection", "the process is killed before it can use it");
                judge(
                    rule.rule.span.clone(),
                    &what,
                    rule.rule.response,
                    host.sockets,
                    words,
                    found,
                );
            }
        }
    }
}

/// `` `a`, `b` and 2 more ``.
fn some(things: &[(String, &Span)]) -> String {
    let shown: Vec<String> = things
        .iter()
        .take(2)
        .map(|(thing, _)| format!("`{thing}`"))
        .collect();
    match things.len().saturating_sub(2) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `words` name the act, and say what happens where it cannot be refused.
fn judge(
    span: Span,
    what: &str,
    response: Response,
    guarantee: Option<Guarantee>,
    (act, killed): (&str, &str),
    found: &mut Vec<ScopeError>,
) {
    match guarantee {
        None => found.push(not_yet(span, what)),
        Some(Guarantee {
            tier,
            when: When::BeforeUse,
        }) if response == Response::Deny => {
            let message = format!(
                "{what}: the {} tier cannot refuse {act}; {killed}",
                tier_word(tier)
            );
            found.push(ScopeError::new(
                span,
                message,
                "write `kill` if that is meant; `scopeward doctor` says what would let this kernel refuse",
            ));
        }
        Some(Guarantee {
            tier,
            when: When::After,
        }) if response >= Response::Deny => found.push(after(span, what, tier)),
        Some(_) => {}
    }
}

fn not_yet(span: Span, what: &str) -> ScopeError {
    let message = format!("{what} is not decided in this tier yet: nothing is done and nothing recorded");
    ScopeError::new(
        span,
        message,
        "keep it for hosts that can; `scopeward doctor` says what this one can do",
    )
}

fn after(span: Span, what: &str, tier: Tier) -> ScopeError {
    let message = format!(
        "{what}: the {} tier answers after the act, from user space",
        tier_word(tier)
    );
    ScopeError::new(
        span,
        message,
        "`scopeward doctor` says what would let this kernel decide before",
    )
}

const fn tier_word(tier: Tier) -> &'static str {
    match tier {
        Tier::Lsm => "lsm",
        Tier::FmodRet => "fmod_ret",
        Tier::Tracepoint => "tracepoint",
        Tier::Fanotify => "fanotify",
        Tier::Cgroup => "cgroup",
        Tier::Daemon => "daemon",
    }
}
