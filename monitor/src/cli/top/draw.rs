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
    // What the other columns, and the gaps between all of them, leave.
    let asked = usize::from(list.width.saturating_sub(1 + 14 + 10 + 8 + 4)).max(20);
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
                Cell::from(ended(&asks(one), asked)),
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
    frame.render_widget(
        Paragraph::new(details(view, chosen, usize::from(detail.width))),
        detail,
    );
}

fn asks(one: &Pending) -> String {
    let what = one.act.as_deref().unwrap_or(&one.reason);
    let process = one
        .process
        .as_deref()
        .map_or_else(String::new, |process| format!("{} ", escape(process)));
    format!("{process}{}", escape(what))
}

fn details(view: &View, one: &Pending, width: usize) -> Vec<Line<'static>> {
    let why = match (one.rule.as_deref(), one.rule_reason.as_deref()) {
        (Some(rule), Some(reason)) => format!("  rule     {}: {}", escape(rule), escape(reason)),
        (Some(rule), None) => format!("  rule     {}", escape(rule)),
        // A budget, or a person.
        (None, _) => format!("  why      {}", escape(&one.reason)),
    };
    vec![
        Line::raw(ended(&why, width)),
        Line::raw(format!("  then     {}", then_words(one, view.now))),
        Line::raw(format!("  session  {}", escape(&one.session))),
    ]
}

fn draw_sessions(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let shown: Vec<(&SessionInfo, [String; 7])> = view
        .sessions
        .iter()
        .map(|one| (one, columns(one, view)))
        .collect();
    // As wide as what is in them, so that the last cut gets all the rest.
    let widths: [u16; 7] = std::array::from_fn(|column| {
        let longest = shown.iter().map(|(_, cells)| cells[column].chars().count());
        let longest = longest.max().unwrap_or(0).max(HEADS[column].len());
        u16::try_from(longest).unwrap_or(u16::MAX)
    });
    let taken: u16 = widths.iter().map(|width| width.saturating_add(1)).sum();
    let rest = usize::from(area.width.saturating_sub(taken));
    let rows = shown.into_iter().map(|(one, cells)| {
        let style = match &one.status {
            SessionState::Frozen(_) => coloured(view, Color::Magenta),
            _ if is_nearly_used_up(one) => coloured(view, Color::Red),
            _ if one.cuts > 0 => coloured(view, Color::Yellow),
            _ => Style::new(),
        };
        let cells = aligned(cells).chain([Cell::from(shortened(&last_cut(one), rest))]);
        Row::new(cells).style(style)
    });
    let heads = aligned(HEADS.map(str::to_owned)).chain([Cell::from("LAST CUT")]);
    let widths = widths.map(Constraint::Length).into_iter();
    let table = Table::new(rows, widths.chain([Constraint::Min(0)]));
    frame.render_widget(table.header(Row::new(heads).style(dim())), area);
}

/// The columns of a session before its last cut.
const HEADS: [&str; 7] = ["AGENT", "FOR", "STATE", "AGE", "ACTS", "CUTS", "BUDGET"];
/// The columns that hold numbers.
const NUMBERS: [usize; 2] = [4, 5];
/// How much of a name is shown.
const NAME: usize = 16;
/// The fewest letters of an object's end that say something.
const END: usize = 10;

/// What stands in them.
fn columns(one: &SessionInfo, view: &View) -> [String; 7] {
    [
        shortened(&escape(&one.agent), NAME),
        shortened(&escape(&owner_words(&one.owner)), NAME),
        state(one),
        age(one.since, view.now),
        one.acts.to_string(),
        one.cuts.to_string(),
        budget(one),
    ]
}

/// Cells of them, with numbers to the right.
fn aligned(cells: [String; 7]) -> impl Iterator<Item = Cell<'static>> {
    cells.into_iter().enumerate().map(|(column, text)| {
        let line = Line::raw(text);
        Cell::from(if NUMBERS.contains(&column) {
            line.right_aligned()
        } else {
            line
        })
    })
}

/// `text` in at most `width` characters, and a sign where it goes on.
fn ended(text: &str, width: usize) -> String {
    if text.chars().count() <= width || width == 0 {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// `text` in at most `width` characters: of an act, its beginning as far as the kind and the end of its object.
fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width || width == 0 {
        return text.to_owned();
    }
    let kind: usize = text
        .split_inclusive(' ')
        .take(2)
        .map(|word| word.chars().count())
        .sum();
    // Where the object would be a few letters, the beginning says more.
    let head = if kind + END < width { kind } else { width - 1 };
    let end = width - head - 1;
    let mut shown: String = text.chars().take(head).collect();
    shown.push('…');
    shown.extend(text.chars().skip(length - end));
    shown
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
