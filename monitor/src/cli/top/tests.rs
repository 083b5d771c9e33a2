use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::draw::draw;
use super::keys::{Next, press};
use super::view::{Decision, View};
use crate::api::control::Control as _;
use crate::api::tests::fake::Fake;
use crate::record::tests::sample;

fn view(colours: bool) -> View {
    let fake = Fake::new();
    let mut view = View::new(colours);
    view.take(fake.status(), fake.sessions(), fake.pending());
    view.now = sample::start() + jiff::SignedDuration::from_secs(125);
    view.message = String::new();
    view
}

fn screen(view: &View, width: u16, height: u16) -> (String, bool) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut lines = Vec::new();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        lines.push(line.trim_end().to_owned());
    }
    let coloured = buffer
        .content()
        .iter()
        .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    (lines.join("\n"), coloured)
}

fn key(code: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(code), KeyModifiers::NONE)
}

#[test]
fn everything_is_seen_in_80_by_24_and_in_less() {
    let (text, coloured) = screen(&view(false), 80, 24);
    assert!(!coloured, "no colours were wanted");
    for seen in [
        "2 sessions  12 events/s  9 lost  store failing  1 warning",
        "WAITS FOR A PERSON (1)",
        "> codex          eve\\x1b[31 curl[4212] net.connect 203.0.113.7:443",
        "2m 5s",
        "rule     network.default",
        "then     kill in 12m 55s",
        "session  s-00000000000000bb",
        "SESSIONS (2)",
        "AGENT       FOR         STATE   AGE   ACTS CUTS BUDGET LAST CUT",
        "claude-code dev         enforce 2m 5s 1204    2 7.5/10 deny: net.connect 203.0.…",
        "a approve 10 min   d deny (kill)   t thaw without grant   q quit",
    ] {
        assert!(text.contains(seen), "{seen:?} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    let (text, _) = screen(&view(true), 40, 8);
    assert!(text.contains("WAITS FOR A PERSON"), "{text}");
    assert!(screen(&view(true), 120, 40).1, "colours were wanted");
}

#[test]
fn a_number_is_shown_whole_and_a_long_object_by_its_end() {
    let mut view = view(false);
    view.sessions[0].acts = 123_456_789;
    view.sessions[0].cuts = 1_234_567;
    let cut = view.sessions[0].last_cut.as_mut().unwrap();
    cut.act = "file.open /home/dev/a/long/way/down/to/the/secret.txt".into();
    let (text, _) = screen(&view, 80, 24);
    assert!(text.contains("2m 5s 123456789 1234567 7.5/10"), "{text}");
    assert!(text.contains("deny: file.open …"), "{text}");
    let (text, _) = screen(&view, 100, 24);
    assert!(text.contains("deny: file.open …"), "{text}");
    assert!(text.contains("/the/secret.txt\n"), "{text}");
    let (text, _) = screen(&view, 140, 24);
    assert!(
        text.contains("/home/dev/a/long/way/down/to/the/secret.txt"),
        "{text}"
    );
}

#[test]
fn a_decision_takes_two_keys() {
    let mut shown = view(false);
    assert_eq!(press(&mut shown, key('a')), Next::Show);
    let (text, _) = screen(&shown, 80, 24);
    assert!(
        text.contains("Approve for 10 minutes and let it go on? curl[4212]"),
        "{text}"
    );
    assert_eq!(press(&mut shown, key('n')), Next::Show);
    assert_eq!(shown.asked, None);
    for (code, decides) in [
        ('a', Decision::Approve as fn(_) -> _),
        ('d', Decision::Deny),
        ('t', Decision::Thaw),
    ] {
        assert_eq!(press(&mut shown, key(code)), Next::Show);
        let expected = decides(shown.pending[0].clone());
        assert_eq!(press(&mut shown, key('y')), Next::Decide(Box::new(expected)));
    }
    assert_eq!(press(&mut shown, key('q')), Next::Quit);
    press(&mut shown, key('d'));
    let fake = Fake::new();
    shown.take(fake.status(), fake.sessions(), Vec::new());
    assert_eq!(
        (shown.asked.is_none(), press(&mut shown, key('y'))),
        (true, Next::Show)
    );
}
