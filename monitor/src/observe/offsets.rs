//! The offsets that the programs are given before they are loaded.

use scopeward_abi::layout::FIELDS;

use super::btf::Btf;

/// A field that this kernel does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("find {of}.{field} in this kernel's BTF")]
pub struct MissingField {
    /// The struct.
    pub of: &'static str,
    /// The field.
    pub field: &'static str,
}

/// The offset with which every read of a field fails: no kernel address has another top bit than the kernel's.
#[cfg(debug_assertions)]
const UNREADABLE: u64 = 1 << 63;

/// For the tests of what the programs answer when a read fails: the fields (by the names of their globals, between
/// commas) that this environment variable names cannot be read. Only programs that were built for debugging look at it.
#[cfg(debug_assertions)]
const FAULTS: &str = "SCOPEWARD_FAULT";

/// Makes the fields unreadable that the tests name.
///
/// # Errors
/// The first name that no field has.
#[cfg(debug_assertions)]
pub fn with_faults(mut fields: Vec<(&'static str, u64)>) -> Result<Vec<(&'static str, u64)>, MissingField> {
    let named = std::env::var(FAULTS).unwrap_or_default();
    for name in named.split(',').filter(|name| !name.is_empty()) {
        let Some(field) = fields.iter_mut().find(|(global, _)| *global == name) else {
            return Err(MissingField {
                of: FAULTS,
                field: name.to_owned().leak(),
            });
        };
        tracing::warn!(field = name, "cannot be read, for a test");
        field.1 = UNREADABLE;
    }
    Ok(fields)
}

/// The offset of each global, in bytes.
///
/// # Errors
/// The first field that this kernel does not have: no offset is ever guessed, or read as 0.
pub fn resolve(btf: &Btf) -> Result<Vec<(&'static str, u64)>, MissingField> {
    FIELDS
        .iter()
        .map(|field| {
            let offset = btf.offset(field.of, field.field);
            offset
                .map(|offset| (field.global, u64::from(offset)))
                .ok_or(MissingField {
                    of: field.of,
                    field: field.field,
                })
        })
        .collect()
}
