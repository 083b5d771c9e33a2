//! Which files are secrets by their names, where no catalogue knows them.

/// Words of a name that say so: at their end comes no other letter (a tokenizer is none), but for an `s`.
const WORDS: [&str; 8] = [
    "token",
    "secret",
    "credential",
    "password",
    "passwd",
    "apikey",
    "api-key",
    "api_key",
];
/// Ends of a name that say so.
const ENDS: [&str; 8] = [".key", "_key", ".pem", ".p12", ".pfx", ".jks", ".kdbx", ".env"];
/// Whole names that say so.
const NAMES: [&str; 8] = [
    ".netrc",
    ".pgpass",
    ".npmrc",
    ".pypirc",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    ".git-credentials",
];
/// Ends of what is source or documentation about secrets, what is made of it, or an example of one, and none.
const NONE: [&str; 48] = [
    ".rs",
    ".py",
    ".pyc",
    ".pyi",
    ".pyd",
    ".js",
    ".mjs",
    ".cjs",
    ".jsx",
    ".ts",
    ".tsx",
    ".map",
    ".wasm",
    ".rb",
    ".go",
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".hpp",
    ".java",
    ".class",
    ".kt",
    ".swift",
    ".css",
    ".svg",
    ".png",
    ".md",
    ".rst",
    ".html",
    ".proto",
    ".snap",
    ".so",
    ".o",
    ".d",
    ".a",
    ".rlib",
    ".rmeta",
    ".node",
    ".pub",
    ".crt",
    ".dist-info",
    ".egg-info",
    ".example",
    ".sample",
    ".template",
    ".dist",
    ".1",
];
/// Names of what everybody reads: the list of users, bundles of certificates, and what language models split text by.
const PUBLIC: [&str; 9] = [
    "passwd",
    "passwd-",
    "cacert.pem",
    "cert.pem",
    "ca-bundle.pem",
    "ca-certificates.pem",
    "ca.pem",
    "added_tokens.json",
    "common-password",
];

/// Whether the name of a file says that it is a secret.
#[must_use]
pub fn is_secret_like(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_public = PUBLIC.contains(&name.as_str())
        || ["public", "pubkey", "special_tokens", "-ca.pem"]
            .iter()
            .any(|part| name.contains(part));
    if is_public || NONE.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    WORDS.iter().any(|word| has_word(&name, word))
        || ENDS.iter().any(|end| name.ends_with(end))
        || NAMES.contains(&name.as_str())
        || name.starts_with(".env.")
}

/// Whether `word`, or more than one of it, ends in `name` where no other letter follows.
fn has_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let rest = &name[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        !rest.starts_with(|next: char| next.is_ascii_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for path in [
            "/home/dev/.config/forum/token",
            "/srv/a/.env",
            "/srv/a/.env.production",
            "/home/dev/.ssh/id_ed25519",
            "/x/API_KEY",
            "/x/server.key",
            "/home/dev/.netrc",
            "/home/dev/.config/forum/accessToken",
            "/home/dev/passwords.txt",
            "/srv/a/client_secret_1.json",
        ] {
            assert!(is_secret_like(path), "{path}");
        }
        for path in [
            "/home/dev/src/tokenizer.rs",
            "/home/dev/src/environment",
            "/usr/lib/python3/secrets.py",
            "/home/dev/.ssh/id_ed25519.pub",
            "/etc/hosts",
            "/models/llama/tokenizer.json",
            "/models/llama/tokenizer_config.json",
            "/models/llama/special_tokens_map.json",
            "/models/llama/added_tokens.json",
            "/root/.pyenv/lib/python3.11/site-packages/asttokens-3.0.1.dist-info",
            "/home/dev/.venv/lib/python3.11/site-packages/secretstorage",
            "/home/dev/app/target/debug/deps/libsecrecy-token.rlib",
            "/home/dev/other/.env.example",
            "/home/dev/keys/public_key.pem",
            "/etc/pam.d/common-password",
            "/etc/passwd",
            "/root/.pyenv/versions/3.11.7/lib/python3.11/__pycache__/token.cpython-311.pyc",
            "/home/dev/.venv/lib/python3.11/site-packages/certifi/cacert.pem",
        ] {
            assert!(!is_secret_like(path), "{path}");
        }
    }
}
