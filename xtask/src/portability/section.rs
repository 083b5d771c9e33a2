//! The types that a kernel describes, out of its unpacked image.

/// How every BTF of these kernels begins: magic, version 1, no flags, a header of 24 bytes, types at once after it.
const START: [u8; 12] = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0];

/// The largest BTF in `image`: an ELF file, or the flat image that ARM's boot loaders load, which has no sections.
pub fn btf(image: &[u8]) -> Option<&[u8]> {
    let starts = image
        .windows(START.len())
        .enumerate()
        .filter(|(_, window)| *window == START);
    starts
        .filter_map(|(at, _)| {
            let word = |offset: usize| {
                let bytes = image.get(at + offset..at + offset + 4)?;
                usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
            };
            let (types, strings, strings_len) = (word(12)?, word(16)?, word(20)?);
            // The strings follow the types.
            (types == strings).then_some(())?;
            image.get(at..at + 24 + strings + strings_len)
        })
        .max_by_key(|found| found.len())
}

#[cfg(test)]
mod tests {
    use super::{START, btf};

    #[test]
    fn the_largest_whole_one_is_found() {
        let one = |types: u32, strings: u32| {
            let mut bytes = START.to_vec();
            for word in [types, types, strings] {
                bytes.extend(word.to_le_bytes());
            }
            bytes.extend(vec![7; (types + strings) as usize]);
            bytes
        };
        let image = [
            b"noise".to_vec(),
            one(12, 4),
            vec![0; 9],
            one(24, 8),
            START.to_vec(),
        ]
        .concat();
        assert_eq!(btf(&image), Some(one(24, 8).as_slice()));
        assert_eq!(btf(b"nothing"), None);
    }
}
