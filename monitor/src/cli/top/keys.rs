//! What each key does. Nothing is decided by one key alone.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::view::{Decision, View};

/// What a key leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Show it again.
    Show,
    /// Carry a decision out.
    Decide(Box<Decision>),
    /// End.
    Quit,
}

/// Takes a key.
pub(super) fn press(view: &mut View, key: KeyEvent) -> Next {
    if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
        return Next::Quit;
    }
    if let Some(decision) = view.asked.take() {
        return if matches!(key.code, KeyCode::Char('y' | 'Y')) {
            Next::Decide(Box::new(decision))
        } else {
            view.message = "nothing was decided".to_owned();
            Next::Show
        };
    }
    let chosen = view.pending.get(view.selected).cloned();
    match (key.code, chosen) {
        (KeyCode::Char('q') | KeyCode::Esc, _) => return Next::Quit,
        (KeyCode::Up | KeyCode::Char('k'), _) => view.selected = view.selected.saturating_sub(1),
        (KeyCode::Down | KeyCode::Char('j'), _) => {
            view.selected = (view.selected + 1).min(view.pending.len().saturating_sub(1));
        }
        (KeyCode::Char('a'), Some(chosen)) if chosen.grant_command.is_none() => {
            view.message = "no grant can name what it asks for: t lets it go on without one".to_owned();
        }
        (KeyCode::Char('a'), Some(chosen)) => view.asked = Some(Decision::Approve(chosen)),
        (KeyCode::Char('d'), Some(chosen)) => view.asked = Some(Decision::Deny(chosen)),
        (KeyCode::Char('t'), Some(chosen)) => view.asked = Some(Decision::Thaw(chosen)),
        (KeyCode::Char('a' | 'd' | 't'), None) => view.message = "nothing waits for a person".to_owned(),
        _ => {}
    }
    Next::Show
}
