//! Where QEMU and the kernels are unpacked.

use std::env;
use std::path::{Path, PathBuf};

/// Environment variable: the folder, so that several checkouts can share one.
const STORE_ENV: &str = "SCOPEWARD_VM";

/// The folder for the checkout at `root`.
pub fn directory(root: &Path) -> PathBuf {
    root.join(env::var_os(STORE_ENV).unwrap_or_else(|| "target/vm".into()))
}
