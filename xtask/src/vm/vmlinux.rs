//! The kernel proper out of the file that boot loaders load.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

/// How the payload of a bzImage may be packed: its first bytes, and the program that unpacks it.
const PACKINGS: [(&[u8], &str); 4] = [
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\xfd7zXZ", "xz"),
    (b"\x1f\x8b", "gzip"),
];

/// What stands at 0x38 in a flat image for ARM.
const ARM64: &[u8] = b"ARM\x64";

/// Unpacks the boot loader's `image` into `vmlinux`: an ELF file, or ARM's flat image; `programs` finds the unpackers.
///
/// # Errors
/// A sentence, when the image is of another kind.
pub fn extract(
    image: &Path,
    vmlinux: &Path,
    programs: impl Fn(&str) -> Option<Command>,
) -> Result<(), String> {
    let wrong = |why: &str| format!("{}: {why}", image.display());
    let bytes = fs::read(image).map_err(|error| wrong(&error.to_string()))?;
    let Some(payload) = payload(&bytes).or_else(|| zboot(&bytes)) else {
        // ARM's boot loaders also take a kernel that is not packed at all.
        if bytes.get(0x38..0x3c) != Some(ARM64) {
            return Err(wrong("is no image of a kind that is known here"));
        }
        return fs::write(vmlinux, &bytes).map_err(|error| format!("{}: {error}", vmlinux.display()));
    };
    let (_, program) = PACKINGS
        .iter()
        .find(|(magic, _)| payload.starts_with(magic))
        .ok_or_else(|| wrong("its payload is packed in a way that is not known here"))?;
    let packed = vmlinux.with_extension("packed");
    let unwritable = |error: std::io::Error| format!("{}: {error}", vmlinux.display());
    fs::write(&packed, payload).map_err(unwritable)?;
    let mut command =
        programs(program).ok_or_else(|| format!("there is no `{program}` to unpack a kernel"))?;
    let status = command
        .args(["-d", "-c"])
        .stdin(File::open(&packed).map_err(unwritable)?)
        .stdout(File::create(vmlinux).map_err(unwritable)?)
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    fs::remove_file(&packed).map_err(unwritable)?;
    // Some unpackers complain of the size that the kernel's build appends; what counts is what came out.
    let whole = fs::read(vmlinux).map_err(unwritable)?;
    if is_whole_elf(&whole) || whole.get(0x38..0x3c) == Some(ARM64) {
        Ok(())
    } else {
        Err(wrong(&format!(
            "{program} ended with {status}, and gave no whole kernel"
        )))
    }
}

/// The packed kernel, by the offsets of the boot protocol's header.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?));
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let sectors = usize::from(*image.get(0x1f1)?);
    let start = (sectors + 1) * 512 + usize::try_from(word(0x248)?).ok()?;
    let length = usize::try_from(word(0x24c)?).ok()?;
    // The last four bytes are the unpacked size, which the kernel's build appends.
    image.get(start..start + length.checked_sub(4)?)
}

/// The packed kernel in an image that EFI starts (`EFI_ZBOOT`).
fn zboot(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?));
    if image.get(4..8)? != b"zimg" {
        return None;
    }
    let (start, length) = (usize::try_from(word(8)?).ok()?, usize::try_from(word(12)?).ok()?);
    image.get(start..start + length)
}

/// Whether the section headers, which stand last, are inside.
fn is_whole_elf(bytes: &[u8]) -> bool {
    let table = bytes.get(0x28..0x30).and_then(|at| at.try_into().ok());
    let end = table
        .map(u64::from_le_bytes)
        .and_then(|at| usize::try_from(at).ok());
    bytes.starts_with(b"\x7fELF") && end.is_some_and(|at| at > 0 && at < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::payload;

    #[test]
    fn the_payload_is_where_the_header_says() {
        let mut image = vec![0_u8; 4096];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&12_u32.to_le_bytes());
        image[1040..1052].copy_from_slice(b"kernel!!SIZE");
        assert_eq!(payload(&image), Some(&b"kernel!!"[..]));
        image[0x24c..0x250].copy_from_slice(&9999_u32.to_le_bytes());
        assert_eq!(payload(&image), None);
    }
}
