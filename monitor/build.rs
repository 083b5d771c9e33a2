//! Builds or finds the eBPF object, nothing else: it is left as `scopeward.bpf.o` in `OUT_DIR`.

#[path = "../xtask/src/toolchain.rs"]
mod toolchain;

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use object::{
    build::elf::{Builder, SectionData},
    elf,
};

fn main() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .expect("cargo names the package's folder");
    let root = manifest
        .parent()
        .expect("the package is a folder of the checkout");
    let target = env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .expect("cargo names the output folder");

    for name in [toolchain::OBJECT_ENV, toolchain::TOOLCHAIN_ENV] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let object = match env::var_os(toolchain::OBJECT_ENV) {
        Some(path) => {
            let given = PathBuf::from(path);
            println!("cargo::rerun-if-changed={}", given.display());
            given
        }
        None => match build(root) {
            Ok(object) => object,
            Err(reason) => return refuse(&reason),
        },
    };
    let stripped = fs::read(&object)
        .map_err(|error| error.to_string())
        .and_then(|object| strip(&object))
        .and_then(|slim| fs::write(target.join("scopeward.bpf.o"), slim).map_err(|error| error.to_string()));
    if let Err(error) = stripped {
        refuse(&format!(
            "the eBPF object {} cannot be taken in: {error}",
            object.display()
        ));
    }
}

/// The object without what only a debugger reads: DWARF, once BTF is made from it, and the source line of each
/// instruction. Two thirds of its size, and 20 MiB of a daemon that starts, because aya's loader keeps every relocation as
/// a value, and every line once for each function.
fn strip(object: &[u8]) -> Result<Vec<u8>, String> {
    let mut elf = Builder::read(object).map_err(|error| error.to_string())?;
    for section in &mut elf.sections {
        // Relocations of BTF are for linkers: loaders go by what stands in place.
        section.delete = [&b".debug_"[..], b".rel.debug_", b".rel.BTF"]
            .iter()
            .any(|start| section.name.starts_with(start));
        if section.name.as_slice() == b".BTF.ext"
            && let SectionData::Data(data) = &mut section.data
        {
            drop_lines(data.to_mut()).ok_or("its .BTF.ext ends too early")?;
        }
    }
    elf.delete_orphans();
    // LLVM keeps the names of sections and symbols in one table; what writes here, in two.
    let names = elf.sections.add();
    names.name = b".shstrtab"[..].into();
    names.sh_type = elf::SHT_STRTAB;
    names.data = SectionData::SectionString;
    let mut slim = Vec::new();
    elf.write(&mut slim).map_err(|error| error.to_string())?;
    Ok(slim)
}

/// Takes the lines out of a `.BTF.ext` (Documentation/bpf/btf.rst, 4.2) that tells functions, lines, and no relocations of
/// types; another is left as it is. `None` where the section is too short for its header.
fn drop_lines(section: &mut Vec<u8>) -> Option<()> {
    let word = |at: usize| Some(u32::from_le_bytes(section.get(at..at + 4)?.try_into().ok()?) as usize);
    let (header, lines, length) = (word(4)?, word(16)?, word(20)?);
    let (relocations, none) = (word(24)?, word(28)? == 0);
    let end = header + lines;
    if none && relocations == lines + length && section.len() == end + length {
        section.truncate(end);
        // No length, and relocations, none, where the lines began.
        section.copy_within(16..20, 24);
        section.get_mut(20..24)?.fill(0);
    }
    Some(())
}

/// Builds the programs of the checkout at `root`; the error is one sentence for a person.
fn build(root: &Path) -> Result<PathBuf, String> {
    for source in ["src", "abi/src", "abi/Cargo.toml", "Cargo.toml", "Cargo.lock"] {
        println!(
            "cargo::rerun-if-changed={}",
            root.join("monitor-ebpf").join(source).display()
        );
    }
    println!(
        "cargo::rerun-if-changed={}",
        root.join("xtask/src/toolchain.rs").display()
    );
    let toolchain = toolchain::find(root).ok_or_else(|| {
        // Looked for again at every build until it is there.
        println!(
            "cargo::rerun-if-changed={}",
            toolchain::stamp(&toolchain::directory(root)).display()
        );
        toolchain::MISSING.to_owned()
    })?;
    let output = toolchain
        .cargo(root, "build")
        .output()
        .map_err(|error| format!("cannot start {}: {error}", toolchain.rustc().display()))?;
    if !output.status.success() {
        // The compiler's own words are what is wanted here, and cargo shows them only after a failure.
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        process::exit(1);
    }
    Ok(toolchain::object(root))
}

/// One readable line instead of a page of what failed afterwards.
fn refuse(reason: &str) {
    println!("cargo::error={reason}");
}
