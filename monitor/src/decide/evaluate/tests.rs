//! Tables for what each section means.

mod catalogue;
mod fits;
mod properties;

use std::{net::IpAddr, path::Path};

use super::{Verdict, evaluate};
use crate::{
    decide::act_facts::{ActFacts, ConnectFacts, ExecFacts, FileFacts, SocketFacts},
    scope::{
        effective::Effective,
        endpoint::Proto,
        tests::effective_of,
        words::{Access, Response},
    },
};

fn scope(text: &str) -> Effective {
    effective_of(text).resolve(Path::new("/home/dev"))
}

fn file(scope: &Effective, path: &str, access: &[Access]) -> Verdict {
    evaluate(
        scope,
        &ActFacts::File(FileFacts {
            path,
            guarded_as: None,
            access,
            exe: "/usr/bin/cat",
            lineage: &[],
        }),
    )
}

fn connect(scope: &Effective, to: &str, port: u16, names: &[&str]) -> Verdict {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let addr: IpAddr = to.parse().unwrap();
    evaluate(
        scope,
        &ActFacts::Connect(ConnectFacts {
            addr,
            port,
            proto: Some(Proto::Tcp),
            names: &names,
            borrowed: false,
        }),
    )
}

#[test]
fn a_borrowed_identity_is_answered_with_the_stronger_of_two() {
    let asked = |scope: &Effective, borrowed| {
        let connect = ConnectFacts {
            addr: "192.0.2.7".parse().unwrap(),
            port: 443,
            proto: Some(Proto::Tcp),
            names: &[],
            borrowed,
        };
        said(&evaluate(scope, &ActFacts::Connect(connect)))
    };
    let own = "session.borrowed-identity";
    let text = |network: &str, response: &str| {
        scope(&format!(
            "name = \"a\"\n[[match]]\nexe = \"/a\"\n[network]\ndefault = \"{network}\"\n[session]\nborrowed-identity = \"{response}\"\n"
        ))
    };
    let frozen = text("allow", "freeze");
    assert_eq!(asked(&frozen, false), (Response::Allow, String::new()));
    assert_eq!(asked(&frozen, true), (Response::Freeze, own.into()));
    let killed = text("kill", "flag");
    assert_eq!(asked(&killed, true), (Response::Kill, "network.default".into()));
    let allowed = text("allow", "allow");
    assert_eq!(asked(&allowed, true), (Response::Allow, String::new()));
}

fn exec(scope: &Effective, argv: &[&str]) -> Verdict {
    let argv: Vec<String> = argv.iter().map(|arg| (*arg).to_owned()).collect();
    let exec = ExecFacts {
        path: &argv[0],
        memfd: None,
        deleted: false,
        argv: &argv,
    };
    evaluate(scope, &ActFacts::Exec(exec))
}

fn said(verdict: &Verdict) -> (Response, String) {
    (
        verdict.response,
        verdict
            .rule
            .as_ref()
            .map_or_else(String::new, ToString::to_string),
    )
}

const READ: &[Access] = &[Access::Read];
const WRITE: &[Access] = &[Access::Write];

#[test]
fn the_contracts_example_decides_as_it_reads() {
    let scope = scope(include_str!("../../scope/tests/product.toml"));
    let reads = |path| said(&file(&scope, path, READ));
    assert_eq!(
        reads("/home/dev/.aws/credentials"),
        (Response::Kill, "files.rule[0]".into())
    );
    assert_eq!(
        reads("/home/dev/.netrc"),
        (Response::Kill, "files.rule[0]".into())
    );
    assert_eq!(reads("/srv/.env"), (Response::Kill, "files.rule[0]".into()));
    assert_eq!(reads("/srv/readme"), (Response::Allow, String::new()));
    assert_eq!(
        said(&file(&scope, "/srv/readme", WRITE)),
        (Response::Flag, "files.write-default".into())
    );
    assert_eq!(
        said(&file(&scope, "/home/dev/src/x", WRITE)),
        (Response::Allow, String::new())
    );
    let to = |addr, port, names: &[&str]| said(&connect(&scope, addr, port, names));
    assert_eq!(
        to("192.0.2.7", 443, &["api.anthropic.com"]),
        (Response::Allow, "network.allow[0]".into())
    );
    assert_eq!(
        to("192.0.2.7", 80, &["api.anthropic.com"]),
        (Response::Deny, "network.default".into())
    );
    assert_eq!(
        to("192.0.2.7", 443, &["x.githubusercontent.com"]),
        (Response::Allow, "network.allow[1]".into())
    );
    assert_eq!(
        to("192.0.2.7", 443, &[]),
        (Response::Deny, "network.default".into())
    );
    assert_eq!(
        to("169.254.169.254", 80, &[]),
        (Response::Kill, "network.rule[0]".into())
    );
    assert_eq!(
        to("::ffff:169.254.169.254", 80, &[]),
        (Response::Kill, "network.rule[0]".into())
    );
    assert_eq!(
        to("10.1.2.3", 22, &[]),
        (Response::Freeze, "network.rule[1]".into())
    );
    assert_eq!(
        to("10.20.1.1", 5432, &[]),
        (Response::Allow, "network.allow[3]".into())
    );
    assert_eq!(
        said(&exec(&scope, &["/usr/bin/nc", "-l"])),
        (Response::Deny, "exec.rule[0]".into())
    );
    assert_eq!(
        said(&exec(
            &scope,
            &["/usr/bin/claude", "--dangerously-skip-permissions"]
        )),
        (Response::Flag, "exec.rule[1]".into())
    );
    assert_eq!(
        said(&evaluate(
            &scope,
            &ActFacts::Unix {
                path: "/run/user/1000/bus"
            }
        )),
        (Response::Freeze, "sockets.rule[0]".into())
    );
    assert_eq!(
        said(&evaluate(&scope, &ActFacts::Unix { path: "@ssh-agent" })).0,
        Response::Freeze
    );
    assert_eq!(
        said(&evaluate(&scope, &ActFacts::Unix { path: "/ssh-agent" })).0,
        Response::Allow
    );
    assert_eq!(
        said(&evaluate(&scope, &ActFacts::Trace)),
        (Response::Deny, "processes.trace".into())
    );
    assert_eq!(
        said(&evaluate(&scope, &ActFacts::RequestedStart)),
        (Response::Freeze, "session.requested-start".into())
    );
}

#[test]
fn a_verdict_says_why_and_what_would_have_allowed_it() {
    let text = "[network]\ndefault = \"deny\"\n[[files.rule]]\npaths = [\"/k\"]\nresponse = \"kill\"\nweight = 7\nreason = \"secret\"";
    let scope = scope(text);
    let verdict = file(&scope, "/k", READ);
    assert_eq!((verdict.weight, verdict.reason.as_deref()), (7, Some("secret")));
    let shown = |verdict: Verdict| verdict.instead.unwrap_or_default();
    assert_eq!(
        shown(verdict),
        "a [[files.rule.unless]] of files.rule[0] with exe = \"/usr/bin/cat\" and paths = [\"/k\"]"
    );
    assert_eq!(
        shown(connect(&scope, "192.0.2.7", 443, &[])),
        "\"192.0.2.7:443/tcp\" in `allow` of [network]"
    );
    assert_eq!(
        shown(connect(&scope, "192.0.2.7", 443, &["x.org"])),
        "\"x.org:443/tcp\" in `allow` of [network]"
    );
    assert_eq!(file(&scope, "/x", READ), Verdict::ALLOWED);
}

#[test]
fn reading_and_writing_are_judged_each() {
    let scope = scope(
        "[[files.rule]]\npaths = [\"/d/**\"]\naccess = \"write\"\nresponse = \"deny\"\n[[files.rule]]\npaths = [\"/d/x\"]\naccess = \"read\"\nresponse = \"flag\"",
    );
    assert_eq!(file(&scope, "/d/x", READ).response, Response::Flag);
    assert_eq!(file(&scope, "/d/x", WRITE).response, Response::Deny);
    assert_eq!(
        file(&scope, "/d/x", &[Access::Read, Access::Write]).response,
        Response::Deny
    );
    assert_eq!(file(&scope, "/d/y", READ).response, Response::Allow);
}

#[test]
fn another_name_never_loosens_what_guards_an_object() {
    let scope = scope(
        "[[files.rule]]\npaths = [\"~/.ssh/id_*\"]\nresponse = \"kill\"\n[[files.rule.unless]]\nexe = \"/usr/bin/ssh\"\n\
         [[files.rule]]\npaths = [\"/home/dev/src/notes/of/mine\"]\nresponse = \"allow\"\n[[files.rule]]\npaths = [\"~/.ssh/id_*.pub\"]\nresponse = \"allow\"\n[[files.rule]]\npaths = [\"/trap\"]\nresponse = \"freeze\"",
    );
    let by = |path, exe| {
        let guarded_as = Some("/home/dev/.ssh/id_*");
        evaluate(
            &scope,
            &ActFacts::File(FileFacts {
                path,
                guarded_as,
                access: READ,
                exe,
                lineage: &[],
            }),
        )
        .response
    };
    assert_eq!(by("/home/dev/src/notes/of/mine", "/usr/bin/cat"), Response::Kill);
    assert_eq!(by("/tmp/link", "/usr/bin/cat"), Response::Kill);
    assert_eq!(by("/tmp/link", "/usr/bin/ssh"), Response::Allow);
    assert_eq!(by("/trap", "/usr/bin/ssh"), Response::Freeze);
    assert_eq!(by("/home/dev/.ssh/id_rsa", "/usr/bin/cat"), Response::Kill);
    assert_eq!(by("/home/dev/.ssh/id_link.pub", "/usr/bin/cat"), Response::Kill);
    assert_eq!(
        file(&scope, "/home/dev/.ssh/id_rsa.pub", READ).response,
        Response::Allow
    );
}

#[test]
fn the_narrower_endpoint_decides() {
    let scope = scope(
        "[network]\ndefault = \"allow\"\n[[network.rule]]\nto = [\"10.0.0.0/8\"]\nresponse = \"kill\"\n\
         [[network.rule]]\nto = [\"10.1.0.0/16:443\"]\nresponse = \"flag\"\n[[network.rule]]\nto = [\"10.1.0.0/16:400-500\"]\nresponse = \"freeze\"\n\
         [[network.rule]]\nto = [\"10.1.0.0/16:443/udp\"]\nresponse = \"deny\"",
    );
    let to = |addr, port| connect(&scope, addr, port, &[]).response;
    assert_eq!(to("10.2.0.1", 443), Response::Kill);
    assert_eq!(to("10.1.0.1", 443), Response::Flag);
    assert_eq!(to("10.1.0.1", 450), Response::Freeze);
    assert_eq!(to("10.1.0.1", 22), Response::Kill);
    assert_eq!(to("192.0.2.7", 443), Response::Allow);
}

#[test]
fn a_name_never_loosens_what_an_address_is_answered_with() {
    let scope = scope(
        "[network]\ndefault = \"deny\"\nallow = [\"x.example.org:80\"]\n[[network.rule]]\nto = [\"@metadata\"]\nresponse = \"kill\"",
    );
    assert_eq!(
        connect(&scope, "169.254.169.254", 80, &["x.example.org"]).response,
        Response::Kill
    );
    assert_eq!(
        connect(&scope, "192.0.2.7", 80, &["x.example.org"]).response,
        Response::Allow
    );
}

#[test]
fn sockets_that_pass_no_hook_are_answered_when_they_are_made() {
    let (inet, inet6, packet, unix, vsock) = (2, 10, 17, 1, 40);
    let scope = scope("[network]\ndefault = \"deny\"");
    for (family, kind, protocol, response) in [
        (inet, 1, 6, Response::Allow),
        (inet6, 1, 0, Response::Allow),
        (inet, 2, 17, Response::Allow),
        (inet, 1, 262, Response::Allow),
        (unix, 1, 0, Response::Allow),
        (inet, 3, 255, Response::Deny),
        (inet, 2, 1, Response::Deny),
        (inet, 1, 132, Response::Deny),
        (packet, 3, 768, Response::Deny),
        (vsock, 1, 0, Response::Deny),
    ] {
        let verdict = evaluate(
            &scope,
            &ActFacts::Socket(SocketFacts {
                family,
                kind,
                protocol,
            }),
        );
        assert_eq!(verdict.response, response, "{family} {kind} {protocol}");
    }
}

#[test]
fn arguments_only_add() {
    let scope = scope(
        "[[exec.rule]]\nexe = [\"**/git\"]\nresponse = \"flag\"\n[[exec.rule]]\nargv = [\"*/git push*\"]\nresponse = \"deny\"\n\
         [[exec.rule]]\nexe = [\"**/git\"]\nargv = [\"* status\"]\nresponse = \"allow\"",
    );
    assert_eq!(exec(&scope, &["/usr/bin/git", "status"]).response, Response::Flag);
    assert_eq!(
        exec(&scope, &["/usr/bin/git", "push", "-f"]).response,
        Response::Deny
    );
    assert_eq!(exec(&scope, &["/usr/bin/ls"]).response, Response::Allow);
}

#[test]
fn programs_without_a_file_are_seen() {
    let scope = scope("[[exec.rule]]\nexe = [\"memfd:*\", \"*(deleted)\"]\nresponse = \"deny\"");
    let by = |path, memfd, deleted| {
        evaluate(
            &scope,
            &ActFacts::Exec(ExecFacts {
                path,
                memfd,
                deleted,
                argv: &[],
            }),
        )
        .response
    };
    assert_eq!(by("/memfd:x (deleted)", None, false), Response::Deny);
    assert_eq!(by("/", Some("x"), false), Response::Deny);
    assert_eq!(by("/tmp/x", None, true), Response::Deny);
    assert_eq!(by("/tmp/x", None, false), Response::Allow);
}

#[test]
fn an_expired_scope_permits_nothing_of_its_own() {
    let text = "on-expiry = \"deny\"\n[network]\ndefault = \"flag\"\nallow = [\"10.0.0.1\"]\n[[files.rule]]\npaths = [\"/x\"]\nresponse = \"kill\"\n\
                [[files.rule]]\npaths = [\"/y\"]\nresponse = \"allow\"";
    let expired = scope(text).after_expiry();
    assert_eq!(connect(&expired, "10.0.0.1", 1, &[]).response, Response::Deny);
    assert_eq!(connect(&expired, "10.0.0.2", 1, &[]).response, Response::Flag);
    assert_eq!(file(&expired, "/x", READ).response, Response::Kill);
    assert_eq!(file(&expired, "/y", READ).response, Response::Deny);
    assert_eq!(file(&expired, "/z", READ).response, Response::Allow);
}
