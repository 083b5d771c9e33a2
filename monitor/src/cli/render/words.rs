//! Figures in words.

/// `1 cut`, `2 cuts`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// Bytes in the unit that suits.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => counted(bytes, "byte"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        10_485_760..10_737_418_240 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}
