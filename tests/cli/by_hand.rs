//! Freeze, thaw and kill: by a rule, by root's hand, and never from inside a session.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::{Bounded, wait_until};
use scopeward_tests::requirement::take_turn;
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

use crate::trying::ready;

const BOUND: Duration = Duration::from_secs(30);
/// Long enough for a process that can go on to have gone on.
const MOMENT: Duration = Duration::from_millis(400);

/// A session that counts its own progress in a file, and has a child that does so in another.
struct Counting<'a> {
    scratch: &'a Scratch,
    session: Session<'a>,
    running: Bounded,
    id: String,
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

impl<'a> Counting<'a> {
    /// Starts it; `then` is what the root does when the file `sign` appears.
    fn start(scratch: &'a Scratch, scope: &Path, then: &str) -> Self {
        let [child, root, sign] =
            ["child", "root", "sign"].map(|name| scratch.path(name).display().to_string());
        let script = format!(
            "(while :; do printf x >>{child}; sleep 0.02; done) & \
             while ! test -e {sign}; do printf x >>{root}; sleep 0.02; done; {then}; \
             while :; do printf x >>{root}; sleep 0.02; done"
        );
        let session = Session::new(scratch, scope);
        let running = session.start(&["sh", "-c", &script]).expect("start");
        let mut sessions = Vec::new();
        let listed = wait_until(BOUND, || {
            sessions = listing(scratch, &["sessions", "--json"]).unwrap_or_default();
            !sessions.is_empty() && length(&scratch.path("child")) > 0
        });
        assert!(listed, "the session is not listed");
        let id = sessions[0]["id"].as_str().expect("an id").to_owned();
        Self {
            scratch,
            session,
            running,
            id,
        }
    }

    /// Whether root and child make progress.
    fn progress(&self) -> [bool; 2] {
        let now = || ["root", "child"].map(|name| length(&self.scratch.path(name)));
        let before = now();
        std::thread::sleep(MOMENT);
        let after = now();
        [after[0] > before[0], after[1] > before[1]]
    }

    fn change(&self, verb: &str) {
        let output = ask(self.scratch, &[verb, &self.id, "--reason", "the test says so"]).expect("ask");
        assert!(output.status.success(), "{verb}: {}", said(&output));
    }

    /// Kills the session and returns the status of `scopeward run`.
    fn kill(self) -> Option<i32> {
        self.change("kill");
        let ended = self.session.end(self.running).expect("it ends");
        ended.status.code()
    }
}

fn write_scope(scratch: &Scratch, tables: &str) -> PathBuf {
    scratch
        .write("scope.toml", scope::with(tables))
        .expect("write the scope")
}

#[test]
fn root_freezes_thaws_and_kills_a_whole_tree() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = write_scope(&scratch, "");
    let counting = Counting::start(&scratch, &scope, "true");
    assert_eq!(counting.progress(), [true, true], "before");
    counting.change("freeze");
    assert_eq!(counting.progress(), [false, false], "frozen");
    counting.change("thaw");
    assert_eq!(counting.progress(), [true, true], "thawed");
    assert_eq!(counting.kill(), Some(137));
    daemon.stop().expect("stop");
}

#[test]
fn a_rule_freezes_a_whole_tree_before_the_bytes_are_had() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let guarded = scratch.write("guarded/credential", "secret\n").expect("write");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = scratch.write(
        "scope.toml",
        scope::guarding(std::slice::from_ref(&guarded), "freeze"),
    );
    let loot = scratch.path("loot");
    let then = format!("cat {} >{}", guarded.display(), loot.display());
    let counting = Counting::start(&scratch, &scope.expect("write the scope"), &then);
    std::fs::write(scratch.path("sign"), "").expect("give the sign");
    let frozen = wait_until(BOUND, || {
        listing(&scratch, &["sessions", "--json"]).is_ok_and(|sessions| {
            sessions
                .iter()
                .any(|session| session.to_string().contains("\"frozen\""))
        })
    });
    assert!(frozen, "the session is not listed as frozen");
    assert_eq!(counting.progress(), [false, false], "frozen");
    assert_eq!(length(&loot), 0, "the bytes were had");
    assert_eq!(counting.kill(), Some(137));
    assert_eq!(length(&loot), 0, "the bytes were had at the end");
    daemon.stop().expect("stop");
}

#[test]
fn nothing_is_changed_from_inside_a_session_not_even_by_root() {
    if !ready() {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let scope = write_scope(&scratch, "");
    let program = scratch
        .scopeward::<&str>(&[])
        .get_program()
        .to_string_lossy()
        .into_owned();
    let told = scratch.path("told");
    let id = format!("$({program} sessions --json | sed 's/.*\"id\":\"\\(s-[0-9a-f]*\\)\".*/\\1/')");
    let verbs = ["freeze", "thaw", "kill"];
    let lines =
        verbs.map(|verb| format!("{program} {verb} $id --reason mine >/dev/null 2>&1; echo {verb} $?; "));
    let then = format!(
        "id={id}; ({}) >{}; echo end >>{}",
        lines.concat(),
        told.display(),
        told.display()
    );
    let counting = Counting::start(&scratch, &scope, &then);
    std::fs::write(scratch.path("sign"), "").expect("give the sign");
    let text = || std::fs::read_to_string(&told).unwrap_or_default();
    assert!(wait_until(BOUND, || text().contains("end")), "{}", text());
    for verb in verbs {
        assert!(
            text().contains(verb) && !text().contains(&format!("{verb} 0\n")),
            "{verb} was done: {}",
            text()
        );
    }
    assert_eq!(counting.progress(), [true, true], "it goes on");
    assert_eq!(counting.kill(), Some(137));
    daemon.stop().expect("stop");
}
