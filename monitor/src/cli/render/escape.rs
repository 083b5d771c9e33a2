//! Text that an agent chose, made safe to show: nothing in it can move the cursor, colour, or reorder.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every control character, and every character that reorders or hides, written as `\n`, `\x1b` or
/// `\u{202e}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            _ if character.is_ascii_control() => {
                push(&mut safe, format_args!("\\x{:02x}", u32::from(character)));
            }
            _ if is_unsafe(character) => push(&mut safe, format_args!("\\u{{{:x}}}", u32::from(character))),
            _ => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// JSON with every character that [`escape`] would write otherwise as `\u202e`: the same value, safe to show.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                push(&mut safe, format_args!("\\u{unit:04x}"));
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// [`escape`], but lines stay lines: for text of several lines.
#[must_use]
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// A command line as one could type it: arguments that need it are in quotes.
#[must_use]
pub fn command_line(argv: &[String]) -> String {
    let word = |argument: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:@%+,~".contains(&byte);
        let quoted = argument.is_empty() || (argument.is_ascii() && !argument.bytes().all(plain));
        let safe = escape(argument);
        if quoted {
            format!("'{}'", safe.replace('\'', "'\\''"))
        } else {
            safe.into_owned()
        }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    if text.write_fmt(arguments).is_err() {
        text.push('\u{fffd}');
    }
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            // Soft hyphen, zero widths, directions, line and paragraph separators, invisible operators, BOM,
            // interlinear marks, tags.
            0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
            | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_to_the_terminal() {
        let table = [
            ("/home/dev/é 名前", "/home/dev/é 名前"),
            ("a\x1b[2Jb", "a\\x1b[2Jb"),
            ("a\nb\tc\r\0\x7f", "a\\nb\\tc\\r\\x00\\x7f"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("safe\u{202e}gpj.exe", "safe\\u{202e}gpj.exe"),
        ];
        for (text, expected) in table {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(escape_lines("a\x07\nb"), "a\\x07\nb");
        let json = serde_json::to_string("a\x1b\x7f\u{9b}\u{202e}\u{e0041}é").unwrap();
        assert_eq!(
            escape_json(&json),
            "\"a\\u001b\\u007f\\u009b\\u202e\\udb40\\udc41é\""
        );
        assert_eq!(
            serde_json::from_str::<String>(&escape_json(&json)).ok(),
            serde_json::from_str(&json).ok()
        );
        let argv = ["sh", "-c", "echo 'a'\n", "", "--x=1"].map(str::to_owned);
        assert_eq!(command_line(&argv), "sh -c 'echo '\\''a'\\''\\n' '' --x=1");
    }
}
