//! From the first cut to containment: what was exposed, what has to be rotated, who marked it.

use scopeward_tests::attack::technique::Transport;
use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::listener::Listener;
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;
use serde_json::Value;

use crate::trying::{BOUND, kill, ready, seconds};

/// How far the kernel's time of an act may lie from the script's own clock, which is read before and after.
const CLOSE: f64 = 0.002;
/// Bytes that the session sends between its first cut and its containment.
const SENT: usize = 12_345;

fn only(scratch: &Scratch, arguments: &[&str]) -> Value {
    let mut found = listing(scratch, arguments).expect("ask");
    assert_eq!(found.len(), 1, "{arguments:?}: {found:#?}");
    found.remove(0)
}

/// A secret is read, which is only flagged; then an endpoint is asked for that is off limits: frozen at the second step.
#[test]
fn exposure_is_measured_and_what_was_read_is_to_be_rotated() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let secret = scratch.write("guarded/forum-token", "token").expect("write");
    let clocks = scratch.path("clocks");
    let scope = scratch
        .write(
            "scope.toml",
            scope::with(&format!(
                "[network]\ndefault = \"allow\"\n[[network.rule]]\nto = [\"127.0.0.9\"]\nresponse = \"freeze\"\n\
                 [[files.rule]]\npaths = [{secret:?}]\naccess = [\"read\"]\nresponse = \"flag\"\nweight = 5\n"
            )),
        )
        .expect("write the scope");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let server = Listener::start(Transport::Tcp, ([127, 0, 0, 1], 0).into()).expect("listen");
    let script = format!(
        "now() {{ date +%s.%N >>{0}; }}; send() {{ head -c $1 /dev/zero >/dev/tcp/127.0.0.1/{2}; }}; send 999; \
         now; read x <{1}; now; send {3}; sleep 0.7; now; : 2>&1 >/dev/tcp/127.0.0.9/9; now; sleep 60",
        clocks.display(),
        secret.display(),
        server.address().port(),
        SENT
    );
    let session = Session::new(&scratch, &scope);
    let running = session.start(&["bash", "-c", &script]).expect("start");
    let contained = wait_until(BOUND, || {
        listing(&scratch, &["incidents", "--json"])
            .is_ok_and(|found| found.iter().any(|one| !one["contained"].is_null()))
    });
    assert!(contained, "{:#?}", listing(&scratch, &["incidents", "--json"]));
    let incident = only(&scratch, &["incidents", "--json"]);
    let clocks: Vec<f64> = std::fs::read_to_string(&clocks)
        .expect("read")
        .lines()
        .map(|line| line.parse().expect("a time"))
        .collect();
    let began = seconds(&incident["began"]);
    assert!(
        began >= clocks[0] - CLOSE && began <= clocks[1] + CLOSE,
        "{began} is not within {clocks:?}"
    );
    let ended = seconds(&incident["contained"]["time"]);
    assert!(
        ended >= clocks[2] - CLOSE && ended < clocks[2] + 5.0,
        "{ended} for {clocks:?}"
    );
    assert_eq!(incident["contained"]["response"], "freeze", "{incident:#}");
    assert_eq!(incident["cuts"], 2, "{incident:#}");
    assert_eq!(server.tally().bytes, 999 + SENT, "what arrived");
    assert_eq!(
        incident["bytes_out"], SENT,
        "what left from the first cut on: {incident:#}"
    );
    assert_eq!(
        incident["sent"],
        serde_json::json!([{"endpoint": server.address().to_string(), "protocol": "tcp", "bytes": SENT}])
    );
    assert_eq!(
        incident["credentials"][0]["path"],
        secret.display().to_string(),
        "{incident:#}"
    );
    // The list says so with its exit code, until somebody has marked it; and a restart forgets neither.
    let listed = ask(&scratch, &["rotate"]).expect("ask");
    assert_eq!(listed.status.code(), Some(1), "{}", said(&listed));
    assert!(said(&listed).contains("forum-token"), "{}", said(&listed));
    daemon.stop().expect("stop");
    let daemon = Daemon::start(&scratch).expect("start the daemon again");
    let again = only(&scratch, &["incidents", "--json"]);
    assert_eq!(
        (&again["id"], &again["cuts"], &again["contained"]),
        (&incident["id"], &incident["cuts"], &incident["contained"])
    );
    let name = secret.display().to_string();
    let marked = ask(&scratch, &["rotate", &name, "--note", "replaced by hand"]).expect("ask");
    assert!(marked.status.success(), "{}", said(&marked));
    let twice = ask(&scratch, &["rotate", &name, "--note", "again"]).expect("ask");
    assert_eq!(twice.status.code(), Some(1), "{}", said(&twice));
    assert!(ask(&scratch, &["rotate"]).expect("ask").status.success());
    let entry = only(&scratch, &["rotate", "--all", "--json"]);
    assert_eq!(
        (&entry["rotated"]["by"], &entry["rotated"]["note"]),
        (&"root".into(), &"replaced by hand".into()),
        "{entry:#}"
    );
    kill(&scratch, again["session"].as_str().expect("an id"));
    session.end(running).expect("it ends");
    daemon.stop().expect("stop");
}
