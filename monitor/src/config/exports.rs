//! All `[[export]]` tables of the file together: what is wrong with them, with lines; and secrets that do not belong there.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::export::ExportTable;
use crate::export::settings::ExportSettings;

/// Keys that hold a secret in other programs' files; here it is kept elsewhere.
const SECRET_KEYS: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "api-key",
    "apikey",
    "api_key",
    "authorization",
    "bearer",
    "credentials",
    "x-api-key",
];

/// The exporters, as they are to run; without those that have mistakes (there are none in a file that was read).
#[must_use]
pub fn settings(tables: &[ExportTable]) -> Vec<ExportSettings> {
    tables.iter().filter_map(|table| table.settings().ok()).collect()
}

/// What is wrong with `tables`, one sentence each, with the line in `text`.
#[must_use]
pub fn mistakes(text: &str, tables: &[ExportTable]) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let shown = if table.name.is_empty() {
            format!("number {}", index + 1)
        } else {
            table.name.clone()
        };
        let mut say = |key: &str, what: &str| {
            let line = line_of(text, index, key).map_or_else(String::new, |line| format!("line {line}: "));
            let gap = if key.is_empty() { "" } else { " " };
            mistakes.push(format!("{line}[[export]] {shown}: {key}{gap}{what}"));
        };
        for (key, what) in table.settings().err().unwrap_or_default() {
            say(&key, &what);
        }
        if tables[..index].iter().any(|other| other.name == table.name) {
            say(
                "name",
                "is the name of an exporter above: each has a name of its own",
            );
        }
    }
    mistakes
}

/// Secrets that stand in `[[export]]` tables of `text`, one sentence each, with the line; never the secret.
#[must_use]
pub fn secrets(text: &str) -> Vec<String> {
    let Ok(file) = DeTable::parse(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(exports) = file.get_ref().get("export") {
        look(text, exports, &mut found);
    }
    found
}

fn look(text: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<String>) {
    match value.get_ref() {
        DeValue::Array(entries) => entries.iter().for_each(|entry| look(text, entry, found)),
        DeValue::Table(table) => {
            for (key, value) in table {
                let name = key.get_ref().to_ascii_lowercase();
                let line = line_at(text, key.span().start);
                let is_text = value.get_ref().as_str();
                if SECRET_KEYS.contains(&name.as_str()) && is_text.is_some() {
                    found.push(format!(
                        "line {line}: [[export]] {name} would be a secret in daemon.toml: put it into a file that only \
                         root reads and name it with {name}-file, or with {name}-credential where systemd gives it"
                    ));
                } else if is_text.is_some_and(has_user) {
                    found.push(format!(
                        "line {line}: [[export]] {name} has a user name and password in its URL: leave them out, and \
                         name the file with user-name and password (user:password) as basic-file"
                    ));
                }
                look(text, value, found);
            }
        }
        _ => {}
    }
}

/// Whether `text` is a URL with `user:password@`.
fn has_user(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        rest.split('/')
            .next()
            .is_some_and(|authority| authority.contains('@'))
    })
}

/// The line (from 1) where `key` (as `name` or `file.path`) of the `index`th table stands; its head, where it does not.
fn line_of(text: &str, index: usize, key: &str) -> Option<usize> {
    let file = DeTable::parse(text).ok()?;
    let exports = file.get_ref().get("export")?.get_ref().as_array()?;
    let table = exports.get(index)?;
    let mut at = table.span().start;
    let mut inside = table.get_ref().as_table()?;
    for part in key.split('.').filter(|part| !part.is_empty()) {
        let Some((name, value)) = inside.get_key_value(part) else {
            break;
        };
        at = name.span().start;
        match value.get_ref().as_table() {
            Some(below) => inside = below,
            None => break,
        }
    }
    Some(line_at(text, at))
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::file::Config;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("daemon.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn mistakes_of_exporters_are_named_with_their_line() {
        let good = "[[export]]\nname = \"a\"\n[export.file]\npath = \"/x\"\n";
        assert!(Config::parse(good, Path::new("x")).is_ok());
        for (text, parts) in [
            (
                format!("{good}\n[[export]]\nname = \"a\"\n[export.file]\npath = \"/y\"\n"),
                ["line 7", "name of an exporter above"],
            ),
            (
                "[[export]]\nname = \"a b\"\n[export.file]\npath = \"/x\"\n".into(),
                ["line 2", "other characters"],
            ),
            ("[[export]]\nname = \"a\"\n".into(), ["line 1", "0 destinations"]),
            (
                "[[export]]\nname = \"a\"\n[export.file]\npath = \"x\"\n".into(),
                ["line 4", "not an absolute path"],
            ),
            (
                "[[export]]\nname = \"a\"\n[export.file]\npath = \"/x\"\nsize = 1\n".into(),
                ["line 5", "unknown field `size`"],
            ),
            (
                "[[export]]\nname = \"a\"\nkind = [\"file.opn\"]\n".into(),
                ["line 3", "unknown variant `file.opn`"],
            ),
            (
                "[[export]]\nname = \"a\"\nbatch = 0\n[export.file]\npath = \"/x\"\n".into(),
                ["line 3", "batch is not between"],
            ),
        ] {
            let error = error(&text);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_an_error_that_does_not_show_it() {
        for text in [
            "[[export]]\nname = \"a\"\n[export.splunk-hec]\ntoken = \"hunter2\"\n",
            "[[export]]\nname = \"a\"\n[export.webhook]\nheaders = { Authorization = \"hunter2\" }\n",
            "[[export]]\nname = \"a\"\n[export.webhook]\nurl = \"https://me:hunter2@siem/\"\n",
        ] {
            let error = error(text);
            assert!(error.contains("line 4") || error.contains("line 3"), "{error}");
            assert!(error.contains("secret") || error.contains("password"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
