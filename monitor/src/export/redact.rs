//! Takes out of arguments and paths what looks like a secret: events are read by more people than the host is.
//!
//! It goes by names (`--password x`, `TOKEN=x`, `?api_key=x`, `user:x@host`), by the beginnings that issuers give to
//! their tokens, and by looks: long, of mixed case, with digits. Digests in hexadecimal digits stay.

use crate::record::event::EventRecord;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Words that, in the name of an option or variable, say that its value is a secret.
const NAMES: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "accesskey",
    "access_key",
    "access-key",
    "credential",
    "authorization",
];

/// How issuers begin their tokens.
const BEGINNINGS: [&str; 27] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "sk-ant-",
    "sk-proj-",
    "sk_live_",
    "rk_live_",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "npm_",
    "pypi-",
    "hf_",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "eyJ",
    "dop_v1_",
    "shpat_",
    "SG.",
];
/// The least that must follow such a beginning.
const LEAST_AFTER: usize = 12;
/// From this length on, a word of mixed case with digits is taken for a secret.
const LONG: usize = 32;

/// Redacts `event`; true where something was taken out.
pub fn redact(event: &mut EventRecord) -> bool {
    let mut changed = arguments(&mut event.process.argv);
    let process = &mut event.process;
    let act = &mut event.act;
    for path in [
        &mut process.exe,
        &mut process.script,
        &mut process.cwd,
        &mut act.path,
        &mut act.to,
    ]
    .into_iter()
    .flatten()
    {
        if let Some(clean) = in_path(path) {
            *path = clean;
            changed = true;
        }
    }
    changed
}

fn arguments(argv: &mut [String]) -> bool {
    let mut changed = false;
    let mut value_follows = false;
    for argument in argv.iter_mut().skip(1) {
        let is_option = argument.starts_with('-');
        let clean = if value_follows && !is_option {
            Some(REDACTED.to_owned())
        } else {
            in_argument(argument)
        };
        value_follows = is_option && !argument.contains('=') && names_secret(argument);
        if let Some(clean) = clean {
            *argument = clean;
            changed = true;
        }
    }
    changed
}

/// Whether the name of an option or variable says that its value is a secret.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `--token-file x` names where one is, not what it is.
    let elsewhere = ["file", "path", "dir", "stdin", "url"]
        .iter()
        .any(|end| name.ends_with(end));
    !elsewhere && NAMES.iter().any(|word| name.contains(word))
}

/// An argument without its secrets; `None` where it has none. It may be a whole command line, as behind `sh -c`.
fn in_argument(argument: &str) -> Option<String> {
    let mut out = String::with_capacity(argument.len());
    let mut changed = false;
    let mut value_follows = false;
    for piece in argument
        .split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '?' | ','))
    {
        let end = piece
            .char_indices()
            .next_back()
            .filter(|(_, c)| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '?' | ','))
            .map_or(piece.len(), |(at, _)| at);
        let (word, separator) = piece.split_at(end);
        if word.is_empty() {
            out.push_str(separator);
            continue;
        }
        let lower = word.to_ascii_lowercase();
        if value_follows && !word.starts_with('-') && !matches!(lower.as_str(), "bearer" | "basic" | "token")
        {
            out.push_str(REDACTED);
            changed = true;
            value_follows = false;
        } else {
            match in_word(word) {
                Some(clean) => {
                    out.push_str(&clean);
                    changed = true;
                }
                None => out.push_str(word),
            }
            let header = lower.strip_suffix(':').is_some_and(names_secret);
            let option = word.starts_with('-')
                && !word.contains('=')
                && argument.len() > word.len()
                && names_secret(word);
            value_follows =
                header || option || (value_follows && matches!(lower.as_str(), "bearer" | "basic" | "token"));
            value_follows |= matches!(lower.as_str(), "bearer");
        }
        out.push_str(separator);
    }
    changed.then_some(out)
}

fn in_word(word: &str) -> Option<String> {
    // NAME=value, --name=value, and of a header NAME:value.
    for separator in ['=', ':'] {
        if let Some((name, value)) = word.split_once(separator)
            && !value.is_empty()
            && !value.starts_with("//")
            && !value.starts_with(':')
            && value != REDACTED
            && names_secret(name)
        {
            return Some(format!("{name}{separator}{REDACTED}"));
        }
    }
    // scheme://user:secret@host
    if let Some((scheme, rest)) = word.split_once("://") {
        let authority = rest.split('/').next().unwrap_or(rest);
        if let Some((who, _)) = authority.rsplit_once('@') {
            let user = who.split(':').next().unwrap_or(who);
            let shown = if who.contains(':') {
                format!("{user}:{REDACTED}")
            } else {
                REDACTED.to_owned()
            };
            return Some(format!("{scheme}://{shown}{}", &rest[who.len()..]));
        }
    }
    let (before, value) = word
        .rsplit_once(['=', ':'])
        .map_or(("", word), |(name, value)| (&word[..=name.len()], value));
    (is_token(value) || is_random(value)).then(|| format!("{before}{REDACTED}"))
}

fn in_path(path: &str) -> Option<String> {
    let mut changed = false;
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| {
            if part.split(['.', '=', ':', '@']).any(is_token) || is_token(part) {
                changed = true;
                REDACTED
            } else {
                part
            }
        })
        .collect();
    changed.then(|| parts.join("/"))
}

fn is_token(word: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| {
        word.strip_prefix(beginning).is_some_and(|rest| {
            rest.len() >= LEAST_AFTER
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+/=".contains(&byte))
                && rest
                    .bytes()
                    .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        })
    })
}

fn is_random(word: &str) -> bool {
    let word = word.trim_end_matches('=');
    word.len() >= LONG
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte))
        // A path or a name of several words has separators at short intervals.
        && word.split(['/', '-', '_']).any(|run| {
            run.len() >= LONG / 2
                && run.bytes().any(|byte| byte.is_ascii_digit())
                && run.bytes().any(|byte| byte.is_ascii_uppercase())
                && run.bytes().any(|byte| byte.is_ascii_lowercase())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(argv: &[&str]) -> Vec<String> {
        let mut argv: Vec<String> = argv.iter().map(|one| (*one).to_owned()).collect();
        arguments(&mut argv);
        argv
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let table: &[(&[&str], &[&str])] = &[
            (&["x", "--password", "hunter2"], &["x", "--password", REDACTED]),
            (
                &["x", "--token=abc", "--verbose"],
                &["x", "--token=[redacted]", "--verbose"],
            ),
            (&["x", "--token-file", "/etc/t"], &["x", "--token-file", "/etc/t"]),
            (&["env", "API_KEY=abc", "x"], &["env", "API_KEY=[redacted]", "x"]),
            (
                &["curl", "-H", "Authorization: Bearer abc.def", "https://x.org/a"],
                &[
                    "curl",
                    "-H",
                    "Authorization: Bearer [redacted]",
                    "https://x.org/a",
                ],
            ),
            (
                &["git", "clone", "https://dev:s3cret@x.org/r.git"],
                &["git", "clone", "https://dev:[redacted]@x.org/r.git"],
            ),
            (
                &["curl", "https://x.org/?q=1&access_token=zz&n=2"],
                &["curl", "https://x.org/?q=1&access_token=[redacted]&n=2"],
            ),
            (
                &[
                    "sh",
                    "-c",
                    "export TOKEN=abc; echo ghp_0123456789abcdefABCD | cat",
                ],
                &["sh", "-c", "export TOKEN=[redacted]; echo [redacted] | cat"],
            ),
            (
                &["x", "wJalrXUtnFEMI7K7MDENGbPxRfiCYEXAMPLEKEY9"],
                &["x", REDACTED],
            ),
            (
                &["git", "show", "9f2c1a7b3d5e8f60718293a4b5c6d7e8f9012345"],
                &["git", "show", "9f2c1a7b3d5e8f60718293a4b5c6d7e8f9012345"],
            ),
            (
                &[
                    "cat",
                    "/home/dev/src/a-very-long-directory-name/with/Many/parts/file1.rs",
                ],
                &[
                    "cat",
                    "/home/dev/src/a-very-long-directory-name/with/Many/parts/file1.rs",
                ],
            ),
            (
                &["cargo", "test", "--", "token::tests"],
                &["cargo", "test", "--", "token::tests"],
            ),
        ];
        for (given, expected) in table {
            assert_eq!(clean(given), *expected);
        }
    }

    #[test]
    fn a_token_in_a_path_goes() {
        assert_eq!(
            in_path("/tmp/ghp_0123456789abcdefABCD/x").unwrap(),
            "/tmp/[redacted]/x"
        );
        for path in [
            "/home/dev/.aws/credentials",
            "/usr/share/npm_config_registry",
            "/a/password.txt",
        ] {
            assert_eq!(in_path(path), None, "{path}");
        }
    }
}
