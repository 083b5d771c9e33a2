//! What the program is linked with, as a CycloneDX document.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{process, toolchain};

/// The document for the program of the checkout at `root`: every crate that is linked into it, with version, checksum
/// and licence. Built from the lock file, and so the same each time.
///
/// # Errors
/// cargo's own words.
pub fn of(root: &Path) -> Result<String, String> {
    let cargo = |words: &[&str]| {
        process::read(
            Command::new(toolchain::running_cargo())
                .args(words)
                .current_dir(root),
        )
    };
    let tree = cargo(&[
        "tree",
        "--locked",
        "-p",
        "scopeward",
        "-e",
        "normal",
        "--prefix",
        "none",
        "-f",
        "{p}",
    ])?;
    // `name vVERSION (…)`
    let linked: BTreeSet<(String, String)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((
                words.next()?.to_owned(),
                words.next()?.strip_prefix('v')?.to_owned(),
            ))
        })
        .collect();
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--locked", "--format-version", "1"])?)
        .map_err(|error| format!("cannot read cargo's metadata: {error}"))?;
    let lock = std::fs::read_to_string(root.join("Cargo.lock"))
        .map_err(|error| format!("cannot read Cargo.lock: {error}"))?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    let mut components: Vec<(String, Value)> = packages
        .iter()
        .filter_map(|package| {
            let (name, version) = (package["name"].as_str()?, package["version"].as_str()?);
            linked.contains(&(name.to_owned(), version.to_owned())).then(|| {
                let purl = format!("pkg:cargo/{name}@{version}");
                (
                    purl.clone(),
                    component(name, version, &purl, &package["license"], &lock),
                )
            })
        })
        .collect();
    components.sort_by(|one, other| one.0.cmp(&other.0));
    let own = components
        .iter()
        .position(|(purl, _)| purl.starts_with("pkg:cargo/scopeward@"))
        .map(|at| components.remove(at).1)
        .ok_or("cargo's metadata do not name scopeward")?;
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": own },
        "components": components.into_iter().map(|(_, component)| component).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .map_err(|error| format!("cannot write the document: {error}"))
}

fn component(name: &str, version: &str, purl: &str, licence: &Value, lock: &str) -> Value {
    let mut component = json!({
        "type": if name == "scopeward" { "application" } else { "library" },
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    });
    if let Some(licence) = licence.as_str() {
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(sum) = checksum(lock, name, version) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

/// The checksum that the lock file holds for a crate.
fn checksum<'l>(lock: &'l str, name: &str, version: &str) -> Option<&'l str> {
    let head = format!("name = \"{name}\"\nversion = \"{version}\"\n");
    let entry = lock
        .split("[[package]]\n")
        .find(|entry| entry.starts_with(&head))?;
    let line = entry
        .lines()
        .find_map(|line| line.strip_prefix("checksum = \""))?;
    line.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_is_that_of_the_version() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"11\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\nchecksum = \"22\"\n\n\
                    [[package]]\nname = \"own\"\nversion = \"1.0.0\"\n";
        assert_eq!(checksum(lock, "a", "2.0.0"), Some("22"));
        assert_eq!(checksum(lock, "own", "1.0.0"), None);
        assert_eq!(checksum(lock, "a", "3.0.0"), None);
    }
}
