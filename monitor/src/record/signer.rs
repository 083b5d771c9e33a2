//! The key that signs the heads of the chain: a credential that systemd hands to the daemon, or a file that only root can read.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::record::chain::Link;

/// The credential's name (`LoadCredential=scopeward-chain-key:…` in the unit).
const CREDENTIAL: &str = "scopeward-chain-key";
/// The key's file, in the store's directory.
const KEY_FILE: &str = "chain.key";
/// The public key's file, in hexadecimal digits.
pub const PUBLIC_FILE: &str = "chain.pub";

/// What a signature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Where a segment begins.
    Origin,
    /// A head that stays.
    Head,
    /// The last head of a segment: one that stays does not pass for it, so that the end cannot be cut back to one.
    Last,
    /// A segment that retention removed, by its last head.
    Removed,
}

impl About {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Origin => b"scopeward.chain.origin/1",
            Self::Head => b"scopeward.chain.head/1",
            Self::Last => b"scopeward.chain.last/1",
            Self::Removed => b"scopeward.chain.removed/1",
        }
    }
}

/// What is signed: of which segment, up to which record of the store (0 for none), with which link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub about: About,
    /// The segment.
    pub segment: u64,
    /// The number of the segment's first record.
    pub first: u64,
    /// The number of the record that the link belongs to.
    pub number: u64,
    /// The link.
    pub link: Link,
}

impl Statement {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.about.word().to_vec();
        for number in [self.segment, self.first, self.number] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.link);
        bytes
    }

    /// Whether `signature` is that of `key` for this.
    #[must_use]
    pub fn is_signed(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify_strict(&self.bytes(), &signature).is_ok())
    }
}

/// The daemon's key.
#[derive(Debug)]
pub struct Signer(SigningKey);

impl Signer {
    /// The credential's key, else the one in `dir`, which is made where there is none. The public key is put beside it.
    ///
    /// # Errors
    /// What the filesystem says; a key that is not 32 bytes long.
    pub fn open(dir: &Path) -> std::io::Result<Self> {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|at| PathBuf::from(at).join(CREDENTIAL))
            .filter(|at| at.exists());
        let key = match credential {
            Some(at) => read_key(&at)?,
            None => key_in(&dir.join(KEY_FILE))?,
        };
        let signer = Self(SigningKey::from_bytes(&key));
        let public = hex(signer.0.verifying_key().as_bytes());
        let at = dir.join(PUBLIC_FILE);
        if fs::read_to_string(&at).ok().as_deref().map(str::trim) != Some(public.as_str()) {
            fs::write(&at, format!("{public}\n"))?;
        }
        Ok(signer)
    }

    /// The signature of a statement.
    #[must_use]
    pub fn sign(&self, statement: &Statement) -> [u8; 64] {
        self.0.sign(&statement.bytes()).to_bytes()
    }
}

fn key_in(path: &Path) -> std::io::Result<[u8; 32]> {
    match read_key(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        read => return read,
    }
    let mut key = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    let fresh = path.with_extension("key.new");
    // Left by a start that was cut short.
    drop(fs::remove_file(&fresh));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(fresh, path)?;
    Ok(key)
}

fn read_key(path: &Path) -> std::io::Result<[u8; 32]> {
    let bytes = fs::read(path)?;
    let wrong = || {
        let why = format!("{} is not a key of 32 bytes", path.display());
        std::io::Error::new(std::io::ErrorKind::InvalidData, why)
    };
    <[u8; 32]>::try_from(bytes.as_slice()).or_else(|_| {
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
        unhex(text.trim()).ok_or_else(wrong)
    })
}

/// Hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits, where they are as many as wanted.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The public key of the store in `dir`.
///
/// # Errors
/// What the filesystem says; what is no key.
pub fn public_key(dir: &Path) -> std::io::Result<VerifyingKey> {
    let text = fs::read_to_string(dir.join(PUBLIC_FILE))?;
    parse_public(text.trim()).ok_or_else(|| {
        let why = format!("{} is not a public key", dir.join(PUBLIC_FILE).display());
        std::io::Error::new(std::io::ErrorKind::InvalidData, why)
    })
}

/// A public key in hexadecimal digits.
#[must_use]
pub fn parse_public(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&unhex(text)?).ok()
}
