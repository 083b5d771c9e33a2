//! How it is shown: in 80 columns and 24 lines, with colours and without.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::view::{Decision, View};
use crate::api::types::{Pending, SessionInfo, SessionState};
use crate::cli::pending::then_words;
use crate::cli::render::escape::escape;
use crate::cli::render::time::age;
use crate::cli::render::words::counted;
use crate::cli::sessions::{mode_word, owner_words};
use crate::record::health::StoreState;
use crate::scope::words::Response;

/// Most pending sessions that are shown at one time.
const WAITING: usize = 5;

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, view: &View) {
    let waiting = u16::try_from(view.pending.len().clamp(1, WAITING)).unwrap_or(1);
    let details = if view.pending.is_empty() { 0 } else { 3 };
    let [
        head,
        pending_head,
        pending,
        detail,
        sessions_head,
        sessions,
        message,
        keys,
    ] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(waiting),
        Constraint::Length(details),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(headline(view)), head);
    let heading = |text: String| Paragraph::new(Line::styled(text, bold()));
    frame.render_widget(
        heading(format!("WAITS FOR A PERSON ({})", view.pending.len())),
        pending_head,
    );
    draw_pending(frame, view, pending, detail);
    frame.render_widget(
        heading(format!("SESSIONS ({})", view.sessions.len())),
        sessions_head,
    );
    draw_sessions(frame, view, sessions);
    let question = view.asked.as_ref().map(question);
    let said = question.unwrap_or_else(|| escape(&view.message).into_owned());
    let style = if view.asked.is_some() {
        reversed()
    } else {
        Style::new()
    };
    frame.render_widget(Paragraph::new(Line::styled(said, style)), message);
    let help = if view.asked.is_some() {
        "y yes   any other key no"
    } else {
        "↑↓ choose   a approve 10 min   d deny (kill)   t thaw without grant   q quit"
    };
    frame.render_widget(Paragraph::new(Line::styled(help, dim())), keys);
}

const fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

const fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

const fn reversed() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

fn coloured(view: &View, colour: Color) -> Style {
    if view.colours {
        Style::new().fg(colour)
    } else {
        Style::new()
    }
}

fn headline(view: &View) -> Line<'static> {
    let Some(status) = &view.status else {
        return Line::styled("scopeward", bold());
    };
    let losses = view.losses();
    let store = match &status.store.state {
        StoreState::Failing(_) => Span::styled(
            "  store failing",
            coloured(view, Color::Red).add_modifier(Modifier::BOLD),
        ),
        _ => Span::raw(""),
    };
    let lost = if losses == 0 {
        Style::new()
    } else {
        coloured(view, Color::Red).add_modifier(Modifier::BOLD)
    };
    Line::from(vec![
        Span::styled("scopeward", bold()),
        Span::raw(format!(
            "  {}  {:.0} events/s  ",
            counted(status.sessions, "session"),
            status.events_per_second
        )),
        Span::styled(format!("{losses} lost"), lost),
        store,
        Span::raw(match status.degraded.len() {
            0 => String::new(),
            count => format!(
                "  {} (status)",
                counted(u64::try_from(count).unwrap_or(u64::MAX), "warning")
            ),
        }),
    ])
}

fn draw_pending(frame: &mut Frame<'_>, view: &View, list: Rect, detail: Rect) {
    let Some(chosen) = view.pending.get(view.selected) else {
        frame.render_widget(Paragraph::new(Line::styled("  nothing", dim())), list);
        return;
    };
    let first = view.selected.saturating_sub(WAITING - 1);
    let rows = view
        .pending
        .iter()
        .enumerate()
        .skip(first)
        .take(WAITING)
        .map(|(at, one)| {
            let mark = if at == view.selected { ">" } else { " " };
            let style = if at == view.selected {
                reversed()
            } else {
                coloured(view, Color::Magenta)
            };
            let cells = [
                Cell::from(mark),
                Cell::from(escape(&one.agent).into_owned()),
                Cell::from(escape(&owner_words(&one.owner)).into_owned()),
                Cell::from(asks(one)),
                Cell::from(age(one.since, view.now)),
            ];
            Row::new(cells).style(style)
        });
    let widths = [
        Constraint::Length(1),
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Min(20),
        Constraint::Length(8),
    ];
    frame.render_widget(Table::new(rows, widths), list);
    frame.render_widget(Paragraph::new(details(view, chosen)), detail);
}

fn asks(one: &Pending) -> String {
    let what = one.act.as_deref().unwrap_or(&one.reason);
    let process = one
        .process
        .as_deref()
        .map_or_else(String::new, |process| format!("{} ", escape(process)));
    format!("{process}{}", escape(what))
}

fn details(view: &View, one: &Pending) -> Vec<Line<'static>> {
    let rule = one.rule.as_deref().unwrap_or("by hand");
    let reason = one
        .rule_reason
        .as_deref()
        .map_or_else(String::new, |reason| format!(": {}", escape(reason)));
    vec![
        Line::raw(format!("  rule     {}{reason}", escape(rule))),
        Line::raw(format!("  then     {}", then_words(one, view.now))),
        Line::raw(format!("  session  {}", escape(&one.session))),
    ]
}

fn draw_sessions(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let rows = view.sessions.iter().map(|one| {
        let style = match &one.status {
            SessionState::Frozen(_) => coloured(view, Color::Magenta),
            _ if is_nearly_used_up(one) => coloured(view, Color::Red),
            _ if one.cuts > 0 => coloured(view, Color::Yellow),
            _ => Style::new(),
        };
        Row::new([
            Cell::from(escape(&one.agent).into_owned()),
            Cell::from(escape(&owner_words(&one.owner)).into_owned()),
            Cell::from(state(one)),
            Cell::from(age(one.since, view.now)),
            Cell::from(one.acts.to_string()),
            Cell::from(one.cuts.to_string()),
            Cell::from(budget(one)),
            Cell::from(last_cut(one)),
        ])
        .style(style)
    });
    let widths = [
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(9),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(5),
        Constraint::Length(8),
        Constraint::Min(10),
    ];
    let heads = Row::new([
        "AGENT", "FOR", "STATE", "AGE", "ACTS", "CUTS", "BUDGET", "LAST CUT",
    ])
    .style(dim());
    frame.render_widget(Table::new(rows, widths).header(heads), area);
}

fn state(one: &SessionInfo) -> String {
    match &one.status {
        SessionState::Frozen(_) => "frozen".to_owned(),
        _ if one.tightened.is_some() => "tightened".to_owned(),
        _ => mode_word(one.mode).to_owned(),
    }
}

/// Whether three quarters of a budget are used up.
fn is_nearly_used_up(one: &SessionInfo) -> bool {
    one.budget
        .as_ref()
        .is_some_and(|used| used.sum >= 0.75 * f64::from(used.weight))
}

/// What has gathered in the budget that is nearest to its end, of how much.
fn budget(one: &SessionInfo) -> String {
    one.budget
        .as_ref()
        .map_or_else(|| "-".to_owned(), |used| format!("{}/{}", used.sum, used.weight))
}

fn last_cut(one: &SessionInfo) -> String {
    one.last_cut.as_ref().map_or_else(String::new, |cut| {
        let word = if cut.applied == Response::Allow {
            "allow"
        } else {
            cut.applied.word()
        };
        format!("{word}: {}", escape(&cut.act))
    })
}

fn question(decision: &Decision) -> String {
    let about = asks(decision.about());
    match decision {
        Decision::Approve(_) => format!("Approve for 10 minutes and let it go on? {about}"),
        Decision::Deny(_) => format!("Kill the whole session? {about}"),
        Decision::Thaw(_) => format!("Let it go on without a grant? {about}"),
    }
}
