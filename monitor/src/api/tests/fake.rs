//! A pipeline that is made up, and the API served on top of it in a directory of its own.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tokio::sync::broadcast;

use super::fake_ledger;
use crate::api::control::{Control, ControlError};
use crate::api::peer::Peer;
use crate::api::report::Report;
use crate::api::tests::approvals;
use crate::api::tests::exporters;
pub(crate) use crate::api::tests::served::{Served, serve, serve_with};
use crate::api::types::{
    AgentInfo, ChainLink, CutInfo, CutsBy, EnrolRequest, Enrolled, Grant, GrantRequest, GrantState, Incident,
    Pending, Reason, Rotation, ScopeInfo, ScopeState, SessionInfo, SessionState, Status, Tally,
    TierGuarantee, Tree, TreeNode, Why,
};
use crate::export::status::{ExporterStatus, TestDelivery};
use crate::ledger::tally::Use;
use crate::record::event::{EventRecord, Origin, Owner};
use crate::record::filter::{Filter, Order};
use crate::record::health::{StoreHealth, StoreState};
use crate::record::tests::sample;
use crate::scope::words::{Mode, Response, Step, Tier};

/// Somebody who is not the one who runs the tests.
pub(crate) const OTHER: u32 = 54_321;

pub(crate) struct Fake {
    pub(crate) events: Mutex<Vec<EventRecord>>,
    pub(crate) live: broadcast::Sender<Arc<EventRecord>>,
    /// The process that is said to be inside a session.
    pub(crate) inside: Mutex<Option<u32>>,
    pub(crate) sessions: Mutex<Vec<SessionInfo>>,
    pub(crate) enrolled: Mutex<Vec<EnrolRequest>>,
    pub(crate) grants: Mutex<Vec<Grant>>,
}

pub(crate) fn owner(uid: u32, name: &str) -> Owner {
    Owner {
        uid,
        name: Some(name.into()),
        login_session: Some(3),
        tty: Some("pts/0".into()),
    }
}

pub(crate) fn session(id: &str, owner: Owner) -> SessionInfo {
    SessionInfo {
        id: id.into(),
        agent: "claude-code".into(),
        scope: "claude-code".into(),
        mode: Mode::Enforce,
        root_pid: 4_121,
        owner,
        origin: Origin::default(),
        since: sample::start(),
        status: SessionState::Running,
        tightened: None,
        budget: Some(Use {
            weight: 10,
            within: 300,
            response: Step::Freeze,
            sum: 7.5,
        }),
        processes: 3,
        acts: 1_204,
        cuts: 2,
        last_cut: Some(CutInfo {
            event: sample::event(9).id,
            time: sample::event(9).time,
            applied: Response::Deny,
            act: "net.connect 203.0.113.7:443".into(),
        }),
    }
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        let me = Peer::this_process().uid;
        let mut frozen = session("s-00000000000000bb", owner(OTHER, "eve\u{1b}[31m"));
        frozen.status = SessionState::Frozen("budget of 10 in 5m".into());
        frozen.agent = "codex".into();
        frozen.mode = Mode::Observe;
        let mut ended = session("s-00000000000000cc", owner(me, "dev"));
        ended.status = SessionState::Ended;
        ended.last_cut = None;
        Arc::new(Self {
            events: Mutex::new((0..30).map(sample::event).collect()),
            live: broadcast::channel(256).0,
            inside: Mutex::default(),
            sessions: Mutex::new(vec![
                session("s-00000000000000aa", owner(me, "dev")),
                frozen,
                ended,
            ]),
            enrolled: Mutex::default(),
            grants: Mutex::default(),
        })
    }

    /// Records an event, as the pipeline does: in the store and to those who follow.
    pub(crate) fn record(&self, event: EventRecord) {
        self.events.lock().unwrap().push(event.clone());
        drop(self.live.send(Arc::new(event)));
    }

    fn change(&self, id: &str, state: SessionState) -> Result<SessionInfo, ControlError> {
        let mut sessions = self.sessions.lock().unwrap();
        let session = sessions.iter_mut().find(|session| session.id == id);
        let session = session.ok_or(ControlError::NotFound {
            what: "session",
            id: id.into(),
        })?;
        session.status = state;
        Ok(session.clone())
    }
}

impl Control for Fake {
    fn status(&self) -> Status {
        let guarantee = |acts: &str, tiers: &[Tier], guarantee: &str| TierGuarantee {
            acts: acts.into(),
            tiers: tiers.to_vec(),
            guarantee: guarantee.into(),
        };
        Status {
            version: "0.1.0".into(),
            pid: 812,
            since: sample::start(),
            tiers: vec![
                guarantee(
                    "files",
                    &[Tier::Fanotify, Tier::Tracepoint],
                    "a guarded file is refused before it is opened; where the daemon cannot answer, the process dies before it can read a byte",
                ),
                guarantee(
                    "network",
                    &[Tier::Cgroup],
                    "an endpoint outside the scope is refused before a byte leaves",
                ),
            ],
            sessions: 2,
            events_per_second: 12.34,
            losses: BTreeMap::from([("connect".into(), 3), ("file_open".into(), 0)]),
            store: StoreHealth {
                state: StoreState::Failing(
                    "write /var/lib/scopeward/events/events-00000001.db: database or disk is full".into(),
                ),
                backlog: 12,
                written: 4_000,
                lost: 5,
                lost_cuts: 1,
                segments: 2,
                bytes: 70 << 20,
                oldest: Some(sample::start()),
                unclean_stops: 0,
                gap: None,
            },
            degraded: vec![
                "the fanotify thread did not answer in time, and its marks were taken away".into(),
            ],
            generation: 7,
            scopes: self.scopes(),
        }
    }

    fn sessions(&self) -> Vec<SessionInfo> {
        self.sessions.lock().unwrap().clone()
    }

    fn agents(&self) -> Vec<AgentInfo> {
        let sessions = self.sessions();
        vec![AgentInfo {
            name: "claude-code".into(),
            description: Some("Claude Code on developer machines".into()),
            mode: Mode::Enforce,
            sessions: 2,
            owners: sessions[..2]
                .iter()
                .map(|session| session.owner.clone())
                .collect(),
            since: Some(sample::start()),
            acts: 2_408,
            cuts: 4,
        }]
    }

    fn metrics(&self) -> String {
        "# HELP a b\n# TYPE a gauge\na 1\n".to_owned()
    }

    fn reload(&self) -> crate::api::types::Reloaded {
        crate::api::types::Reloaded::default()
    }

    fn scopes(&self) -> Vec<ScopeInfo> {
        vec![
            ScopeInfo {
                name: "claude-code".into(),
                file: Some("/etc/scopeward/scopes/claude-code.toml".into()),
                mode: Mode::Enforce,
                state: ScopeState::OldInForce,
                error: Some("line 3: unknown key `netwrok`\n  3 | netwrok = 1\x1b[0m".into()),
            },
            ScopeInfo {
                name: "codex".into(),
                file: None,
                mode: Mode::Observe,
                state: ScopeState::InForce,
                error: None,
            },
        ]
    }

    fn exporters(&self) -> Vec<ExporterStatus> {
        vec![exporters::failing()]
    }

    fn test_export(&self, name: &str) -> Result<TestDelivery, ControlError> {
        exporters::test(name)
    }

    fn tree(&self, id: &str) -> Result<Tree, ControlError> {
        let node = |pid, exe: &str, argv: &[&str], children| TreeNode {
            pid,
            ppid: 1,
            exe: Some(exe.into()),
            argv: argv.iter().map(|argument| (*argument).into()).collect(),
            uid: 1_000,
            started: None,
            alive: pid != 4_204,
            cuts: u64::from(pid == 4_212),
            children,
        };
        let cat = node(4_212, "/usr/bin/cat", &["cat", "/home/dev/.netrc"], vec![]);
        let bash = node(
            4_200,
            "/usr/bin/bash",
            &["bash", "-c", "cat ~/.netrc\n\x1b[2J"],
            vec![cat],
        );
        let git = node(4_204, "/usr/bin/git", &["git", "status"], vec![]);
        Ok(Tree {
            session: self.session(id)?,
            roots: vec![node(4_121, "/usr/bin/claude", &["claude"], vec![bash, git])],
        })
    }

    fn session_of(&self, pid: u32) -> Option<String> {
        let inside = *self.inside.lock().unwrap() == Some(pid);
        inside.then(|| "s-00000000000000aa".to_owned())
    }

    fn enrol(&self, request: &EnrolRequest, peer: &Peer) -> Result<Enrolled, ControlError> {
        assert!(peer.pid > 0);
        self.enrolled.lock().unwrap().push(request.clone());
        Ok(Enrolled {
            session: "s-00000000000000dd".into(),
            scope: "claude-code".into(),
            mode: request.mode.unwrap_or(Mode::Enforce),
            warnings: vec!["names are resolved by the daemon in this tier".into()],
        })
    }

    fn freeze(&self, session: &str, reason: &str, _peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, SessionState::Frozen(reason.into()))
    }

    fn thaw(&self, session: &str, _reason: &str, _peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, SessionState::Running)
    }

    fn kill(&self, session: &str, reason: &str, _peer: &Peer) -> Result<SessionInfo, ControlError> {
        self.change(session, SessionState::Killed(reason.into()))
    }

    fn grant(&self, request: &GrantRequest, peer: &Peer) -> Result<Grant, ControlError> {
        let grant = approvals::grant(request, peer);
        self.grants.lock().unwrap().push(grant.clone());
        Ok(grant)
    }

    fn grants(&self) -> Vec<Grant> {
        self.grants.lock().unwrap().clone()
    }

    fn revoke(&self, grant: &str, _reason: &str, _peer: &Peer) -> Result<Grant, ControlError> {
        let mut grants = self.grants.lock().unwrap();
        let known = grants.iter_mut().find(|known| known.id == grant);
        let known = known.expect("a grant of this test");
        known.state = GrantState::Revoked;
        Ok(known.clone())
    }

    fn pending(&self) -> Vec<Pending> {
        self.sessions().iter().filter_map(approvals::pending).collect()
    }

    fn events(
        &self,
        filter: &Filter,
        visit: &mut dyn FnMut(EventRecord) -> ControlFlow<()>,
    ) -> Result<(), ControlError> {
        let mut events = self.events.lock().unwrap().clone();
        if filter.order == Order::Newest {
            events.reverse();
        }
        let wanted = events.into_iter().filter(|event| filter.matches(event));
        for event in wanted.take(filter.limit.unwrap_or(usize::MAX)) {
            if visit(event).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn event(&self, id: &str) -> Result<EventRecord, ControlError> {
        let filter = Filter {
            id: Some(id.into()),
            ..Filter::default()
        };
        let events = self.events.lock().unwrap();
        let event = events.iter().find(|event| filter.matches(event)).cloned();
        event.ok_or(ControlError::NotFound {
            what: "event",
            id: id.into(),
        })
    }

    fn last_reason(&self, session: &str) -> Result<Reason, ControlError> {
        assert_eq!(session, "s-00000000000000aa");
        Ok(Reason::of(&sample::event(9)))
    }

    fn cuts(&self, by: CutsBy, only: Option<u32>) -> Vec<Tally> {
        fake_ledger::cuts(&self.events.lock().unwrap(), by, only)
    }

    fn report(&self, session: &str) -> Result<Report, ControlError> {
        let tree = self.tree(session)?;
        Ok(fake_ledger::report(&tree, &self.events.lock().unwrap()))
    }

    fn incidents(&self) -> Vec<Incident> {
        fake_ledger::book().0.all().into_iter().cloned().collect()
    }

    fn rotations(&self) -> Vec<Rotation> {
        fake_ledger::book().1.all().to_vec()
    }

    fn rotate(&self, name: &str, note: &str, peer: &Peer) -> Result<Rotation, ControlError> {
        fake_ledger::rotate(name, note, peer)
    }

    fn why(&self, event: EventRecord) -> Result<Why, ControlError> {
        Ok(Why {
            summary: "Denied: this endpoint is not in the scope of claude-code.".into(),
            rule_text: Some("claude-code.toml, line 12:\ndefault = \"deny\"".into()),
            chain: vec![
                ChainLink {
                    pid: 4_121,
                    exe: "/usr/bin/claude".into(),
                    argv: vec!["claude".into()],
                },
                ChainLink {
                    pid: 4_200,
                    exe: "/usr/bin/bash".into(),
                    argv: vec!["bash".into(), "-c".into(), "cargo\x1b[2J fetch".into()],
                },
            ],
            owner: event.session.owner.clone(),
            origin: None,
            instead: Some("[network]\nallow = [\"203.0.113.7:443\"]".into()),
            grant_command: None,
            event,
        })
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<EventRecord>> {
        self.live.subscribe()
    }
}
