//! What the terminal says, in the words of the editor.

use ratatui::crossterm::event::{Event as Raw, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use zeroize::Zeroizing;

use super::event::{Event, Press};

/// `None` for what means nothing here: a key that is released, a mouse, the focus.
pub(super) fn event(raw: Raw) -> Option<Event> {
    match raw {
        Raw::Key(key) if key.kind != KeyEventKind::Release => press(key).map(Event::Pressed),
        Raw::Paste(text) => Some(Event::Pasted(Zeroizing::new(text))),
        Raw::Key(_) | Raw::Resize(..) | Raw::Mouse(_) | Raw::FocusGained | Raw::FocusLost => None,
    }
}

fn press(key: KeyEvent) -> Option<Press> {
    let shift = key.modifiers.contains(KeyModifiers::SHIFT);
    match key.code {
        KeyCode::Char(character) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Some(Press::Control(character.to_ascii_lowercase()))
        }
        KeyCode::Char(_) if key.modifiers.contains(KeyModifiers::ALT) => None,
        KeyCode::Char(character) => Some(Press::Char(character)),
        KeyCode::Up if shift => Some(Press::ShiftUp),
        KeyCode::Down if shift => Some(Press::ShiftDown),
        KeyCode::Up => Some(Press::Up),
        KeyCode::Down => Some(Press::Down),
        KeyCode::Left => Some(Press::Left),
        KeyCode::Right => Some(Press::Right),
        KeyCode::PageUp => Some(Press::PageUp),
        KeyCode::PageDown => Some(Press::PageDown),
        KeyCode::Home => Some(Press::Home),
        KeyCode::End => Some(Press::End),
        KeyCode::Enter => Some(Press::Enter),
        KeyCode::Esc => Some(Press::Escape),
        KeyCode::Tab | KeyCode::BackTab => Some(Press::Tab),
        KeyCode::Backspace => Some(Press::Backspace),
        KeyCode::Delete => Some(Press::Delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_meaning() {
        let cases = [
            (KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Press::Control('c'))),
            (KeyCode::Char('T'), KeyModifiers::SHIFT, Some(Press::Char('T'))),
            (KeyCode::Char('t'), KeyModifiers::ALT, None),
            (KeyCode::Up, KeyModifiers::SHIFT, Some(Press::ShiftUp)),
            (KeyCode::Up, KeyModifiers::NONE, Some(Press::Up)),
            (KeyCode::F(1), KeyModifiers::NONE, None),
        ];
        for (code, modifiers, expected) in cases {
            assert_eq!(press(KeyEvent::new(code, modifiers)), expected, "{code:?}");
        }
    }
}
