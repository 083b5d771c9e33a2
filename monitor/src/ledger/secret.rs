//! Which files are secrets by their names, where no catalogue knows them.

/// Parts of a name that say so.
const PARTS: [&str; 8] = [
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
/// Whole names, or their beginnings up to a `.`, that say so.
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
/// Ends of what is source or documentation about secrets, and none.
const NONE: [&str; 22] = [
    ".rs", ".py", ".pyc", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".map", ".wasm", ".rb",
    ".go", ".c", ".h", ".java", ".class", ".md", ".html", ".so", ".pub",
];
/// Names of what everybody reads: the list of users, and bundles of certificates.
const PUBLIC: [&str; 7] = [
    "passwd",
    "passwd-",
    "cacert.pem",
    "cert.pem",
    "ca-bundle.pem",
    "ca-certificates.pem",
    "ca.pem",
];

/// Whether the name of a file says that it is a secret.
#[must_use]
pub fn is_secret_like(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if NONE.iter().any(|end| name.ends_with(end)) || PUBLIC.contains(&name.as_str()) {
        return false;
    }
    PARTS.iter().any(|part| name.contains(part))
        || ENDS.iter().any(|end| name.ends_with(end))
        || NAMES.contains(&name.as_str())
        || name.starts_with(".env.")
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
        ] {
            assert!(is_secret_like(path), "{path}");
        }
        for path in [
            "/home/dev/src/tokenizer.rs",
            "/home/dev/src/environment",
            "/usr/lib/python3/secrets.py",
            "/home/dev/.ssh/id_ed25519.pub",
            "/etc/hosts",
            "/etc/passwd",
            "/root/.pyenv/versions/3.11.7/lib/python3.11/__pycache__/token.cpython-311.pyc",
            "/home/dev/.venv/lib/python3.11/site-packages/certifi/cacert.pem",
        ] {
            assert!(!is_secret_like(path), "{path}");
        }
    }
}
