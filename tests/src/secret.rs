//! What a guarded file holds: bytes that are nowhere else on the machine.

use std::io::{self, Read};

/// Bytes of a secret.
pub const LENGTH: usize = LENGTH_BYTE as usize;
/// The same, as an instruction takes it.
const LENGTH_BYTE: u8 = 48;

/// Random printable bytes that stand for a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret([u8; LENGTH]);

impl Secret {
    /// New random bytes.
    ///
    /// # Errors
    /// Those of reading `/dev/urandom`.
    pub fn new() -> io::Result<Self> {
        let mut bytes = [0; LENGTH];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        for byte in &mut bytes {
            *byte = b"0123456789abcdefghijklmnopqrstuv"[usize::from(*byte % 32)];
        }
        Ok(Self(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes of the secret stand at the beginning of `loot`.
    #[must_use]
    pub fn found_in(&self, loot: &[u8]) -> usize {
        self.0
            .iter()
            .zip(loot)
            .take_while(|(secret, found)| secret == found)
            .count()
    }

    /// A program that prints the secret: a whole ELF file for x86-64, with no library and no section.
    #[must_use]
    pub fn program(&self) -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        const HEADERS: u64 = 64 + 56;
        // write(1, secret, LENGTH); exit(0). The secret follows the code, 21 bytes after the `lea`.
        let code: [u8; 33] = [
            0xb8,
            1,
            0,
            0,
            0,
            0xbf,
            1,
            0,
            0,
            0,
            0x48,
            0x8d,
            0x35,
            16,
            0,
            0,
            0,
            0xba,
            LENGTH_BYTE,
            0,
            0,
            0,
            0x0f,
            0x05,
            0xb8,
            60,
            0,
            0,
            0,
            0x31,
            0xff,
            0x0f,
            0x05,
        ];
        let size = HEADERS + code.len() as u64 + LENGTH as u64;
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(2_u16.to_le_bytes());
        file.extend(62_u16.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        for word in [BASE + HEADERS, 64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        for half in [64_u16, 56, 1, 64, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        file.extend(1_u32.to_le_bytes());
        file.extend(5_u32.to_le_bytes());
        for word in [0, BASE, BASE, size, size, 0x1000] {
            file.extend(word.to_le_bytes());
        }
        file.extend(code);
        file.extend(self.0);
        file
    }
}
