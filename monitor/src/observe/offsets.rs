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

/// The offset of each global, in bytes.
///
/// # Errors
/// The first field that this kernel does not have: no offset is ever guessed, or read as 0.
pub fn resolve(btf: &Btf) -> Result<Vec<(&'static str, u32)>, MissingField> {
    FIELDS
        .iter()
        .map(|field| {
            let offset = btf.offset(field.of, field.field);
            offset.map(|offset| (field.global, offset)).ok_or(MissingField {
                of: field.of,
                field: field.field,
            })
        })
        .collect()
}
