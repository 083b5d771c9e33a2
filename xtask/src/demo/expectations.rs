//! What must have happened, each as a line that holds or does not.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::demo::listener::Listener;
use crate::demo::stage::{SECRET, Stage};

/// The lines that were checked, in order.
#[derive(Default)]
pub struct Expectations {
    broken: usize,
}

impl Expectations {
    /// Notes whether `what` holds; `seen` is what to show when it does not.
    pub fn expect(&mut self, what: &str, holds: bool, seen: &str) {
        if holds {
            println!("  ok      {what}");
        } else {
            self.broken += 1;
            println!("  BROKEN  {what}: {seen}");
        }
    }

    /// How many did not hold.
    pub const fn broken(&self) -> usize {
        self.broken
    }

    /// What each of the two could really do, by their own outcomes and the servers'.
    pub fn of_outcomes(&mut self, stage: &Stage, unlisted: &Listener) {
        let (session, outside) = (Outcomes::of(stage, "session"), Outcomes::of(stage, "outside"));
        self.expect(
            "git clones, commits and pushes in the session",
            session.is("git", 0),
            &session.seen("git"),
        );
        self.expect(
            "python3 asks the listed server",
            session.is("python3", 0),
            &session.seen("python3"),
        );
        self.expect(
            "curl reaches the listed server",
            session.is("listed", 0),
            &session.seen("listed"),
        );

        let heard = unlisted.heard();
        let from_outside = heard.len() == 1 && heard.iter().all(|words| words.starts_with("GET /outside "));
        self.expect(
            "curl cannot connect to an unlisted endpoint",
            session.is("unlisted", 7),
            &session.seen("unlisted"),
        );
        self.expect(
            "that endpoint heard nothing from the session",
            from_outside,
            &format!("{heard:?}"),
        );

        let loot = fs::read_to_string(stage.path("session/loot")).unwrap_or_default();
        self.expect(
            "reading the credential file by a symlink fails",
            !session.is("credential", 0),
            "it succeeded",
        );
        self.expect("not a byte of it was read", loot.is_empty(), &format!("{loot:?}"));

        let marker = stage.path("session/perl-ran").exists();
        self.expect(
            "the denied program fails",
            !session.is("denied-program", 0),
            "it succeeded",
        );
        self.expect("and never ran", !marker, "it left its mark");

        let taken = fs::read_to_string(stage.path("outside/loot")).unwrap_or_default();
        let all = outside.0.len() == 6 && outside.0.values().all(|status| *status == 0);
        self.expect(
            "the same deeds all succeed outside the session",
            all,
            &format!("{:?}", outside.0),
        );
        self.expect(
            "the credential file can be read there",
            taken == SECRET,
            &format!("{taken:?}"),
        );
    }

    /// What the daemon recorded of it.
    pub fn of_events(&mut self, stage: &Stage, events: &[Value]) {
        let cuts: Vec<&Value> = cuts(events).collect();
        let find = |kind: &str| cuts.iter().find(|event| event["act"]["kind"] == kind);
        let applied = |event: Option<&&Value>| {
            event
                .map(|event| event["verdict"]["applied"].clone())
                .unwrap_or_default()
        };
        let seen = || {
            cuts.iter()
                .map(|event| event["act"].to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };

        let connect = find("net.connect");
        self.expect(
            "the connect is recorded as denied",
            applied(connect) == "deny",
            &seen(),
        );
        let when = connect
            .map(|event| event["verdict"]["when"].clone())
            .unwrap_or_default();
        self.expect("before the act", when == "before_act", &when.to_string());

        let open = find("file.open");
        self.expect(
            "the reader is recorded as killed",
            applied(open) == "kill",
            &seen(),
        );
        let path = open.map(|event| event["act"]["path"].clone()).unwrap_or_default();
        let named = path == stage.credentials().display().to_string();
        self.expect(
            "with the file's own name, not the link's",
            named,
            &path.to_string(),
        );

        let exec = applied(find("process.exec"));
        self.expect(
            "the denied program is recorded",
            exec == "deny" || exec == "kill",
            &seen(),
        );

        let outside = stage.path("outside").display().to_string();
        let strangers = events
            .iter()
            .filter(|event| event.to_string().contains(&outside))
            .count();
        self.expect(
            "nothing is recorded of the process outside",
            strangers == 0,
            &format!("{strangers} events"),
        );
    }
}

/// Whether each of the agent's three cuts is among `events`.
pub fn all_cuts_are_in(events: &[Value]) -> bool {
    ["net.connect", "file.open", "process.exec"]
        .iter()
        .all(|kind| cuts(events).any(|cut| cut["act"]["kind"] == *kind))
}

fn cuts(events: &[Value]) -> impl Iterator<Item = &Value> {
    events
        .iter()
        .filter(|event| event["verdict"]["called_for"] != "allow")
}

/// The exit statuses that one run of the agent's script noted, by deed.
struct Outcomes(BTreeMap<String, i32>);

impl Outcomes {
    fn of(stage: &Stage, who: &str) -> Self {
        let text = fs::read_to_string(stage.path(who).join("outcomes")).unwrap_or_default();
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        Self(
            pairs
                .filter_map(|(deed, status)| Some((deed.to_owned(), status.parse().ok()?)))
                .collect(),
        )
    }

    fn is(&self, deed: &str, status: i32) -> bool {
        self.0.get(deed) == Some(&status)
    }

    fn seen(&self, deed: &str) -> String {
        self.0.get(deed).map_or_else(
            || "it was never tried".to_owned(),
            |status| format!("exit status {status}"),
        )
    }
}
