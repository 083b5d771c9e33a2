//! The check: each kernel of the lock against the programs' demands.

use std::fs;
use std::path::Path;

use scopeward_abi::layout::FIELDS;

use super::btf::Btf;
use super::gaps::{self, GAPS};
use super::object::{self, Demands};
use super::{frames, function_ids, section};
use crate::ci::Outcome;
use crate::toolchain;
use crate::vm::{kernels, store};

/// Architectures whose kernels are looked at.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// Checks every kernel that can be had; the command `cargo xtask btf-check`.
///
/// # Errors
/// A sentence a kernel that lacks something which is not a known gap, or that cannot be had.
pub fn run(root: &Path) -> Result<(), String> {
    match outcome(root)? {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) => Err(why),
    }
}

/// The same as a check of `cargo xtask ci`: skipped where no kernel can be had.
///
/// # Errors
/// A sentence for each kernel that lacks something which is not a known gap.
pub fn outcome(root: &Path) -> Result<Outcome, String> {
    let path = toolchain::object(root);
    let elf = fs::read(&path).unwrap_or_default();
    let Some(demands) = object::demands(&elf) else {
        return Ok(Outcome::Skipped(format!(
            "there is no object at {}: build first",
            path.display()
        )));
    };
    let store = store::directory(root);
    let (mut wrong, mut unavailable, mut checked) = (too_deep(&elf)?, Vec::new(), 0);
    for architecture in ARCHITECTURES {
        for series in kernels::SERIES {
            let kernel = match kernels::ensure(root, &store, series, architecture) {
                Ok(kernel) => kernel,
                Err(reason) => {
                    unavailable.push(format!("{series} {architecture}: {reason}"));
                    continue;
                }
            };
            checked += 1;
            let lacking = lacking(&kernel, &demands)?;
            println!(
                "{series} {architecture} (Linux {}): {} fields, {} hooks, {} helpers; {} lacking",
                kernel.version,
                FIELDS.len(),
                demands.hooks.len(),
                demands.helpers.len(),
                lacking.len()
            );
            wrong.extend(judged(series, architecture, &lacking));
        }
    }
    match (wrong.is_empty(), checked) {
        (false, _) => Err(format!("\n         {}", wrong.join("\n         "))),
        (true, 0) => Ok(Outcome::Skipped(unavailable.join("; "))),
        (true, _) if unavailable.is_empty() => Ok(Outcome::Passed),
        (true, _) => Err(unavailable.join("; ")),
    }
}

/// Programs that no kernel takes for what their functions keep on the stack.
fn too_deep(elf: &[u8]) -> Result<Vec<String>, String> {
    let chains = frames::chains(elf)?;
    if let Some(deepest) = chains.first() {
        println!(
            "stack: at most {} of {} bytes, in {}",
            deepest.bytes,
            frames::MOST,
            deepest.functions[0].0
        );
    }
    let over = chains.iter().filter(|chain| chain.bytes > frames::MOST);
    Ok(over
        .map(|chain| {
            let way: Vec<String> = chain
                .functions
                .iter()
                .map(|(name, bytes)| format!("{name} ({bytes})"))
                .collect();
            format!(
                "{} bytes of stack, {} at most: {}",
                chain.bytes,
                frames::MOST,
                way.join(" > ")
            )
        })
        .collect())
}

/// Tells known gaps, and gives what is wrong: unknown ones, and known ones that are none.
fn judged(series: &str, architecture: &str, lacking: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for what in lacking {
        match gaps::known(series, architecture, what) {
            Some(gap) => println!("  {what}: {}", gap.means),
            None => wrong.push(format!("{series} {architecture} has no {what}")),
        }
    }
    let here = GAPS.iter().filter(|gap| gap.fits(series, architecture));
    for gap in here.filter(|gap| !lacking.iter().any(|what| what == gap.what)) {
        wrong.push(format!(
            "{series} {architecture} has {} after all (or it is not needed): take it out of portability/gaps.rs",
            gap.what
        ));
    }
    wrong
}

/// Everything that is asked for and that `kernel` does not have.
fn lacking(kernel: &kernels::Kernel, demands: &Demands) -> Result<Vec<String>, String> {
    let unusable = |why: String| format!("{}: {why}", kernel.folder.display());
    let path = kernel.folder.join("btf");
    if !path.is_file() {
        let image = fs::read(kernel.vmlinux()).map_err(|error| unusable(error.to_string()))?;
        let types = section::btf(&image).ok_or_else(|| unusable("its image holds no BTF".to_owned()))?;
        fs::write(&path, types).map_err(|error| unusable(error.to_string()))?;
    }
    let btf = Btf::read(&path).map_err(|error| unusable(error.to_string()))?;
    let raw = fs::read(&path).map_err(|error| unusable(error.to_string()))?;
    let mut lacking = Vec::new();
    for field in FIELDS {
        if btf.offset(field.of, field.field).is_none() {
            lacking.push(format!("field {}.{}", field.of, field.field));
        }
    }
    for hook in &demands.hooks {
        if !has_hook(&btf, hook) {
            lacking.push(format!("hook {hook}"));
        }
    }
    let known = function_ids::of_kernel(&raw);
    for helper in &demands.helpers {
        if !known.contains_key(helper) {
            lacking.push(format!("helper {helper}"));
        }
    }
    Ok(lacking)
}

/// Whether the kernel has what a program of this section attaches to.
fn has_hook(btf: &Btf, section: &str) -> bool {
    let (kind, name) = section.split_once('/').unwrap_or((section, ""));
    match kind {
        "tp_btf" => btf.has_tracepoint(name),
        "lsm" | "lsm.s" => btf.function(&format!("bpf_lsm_{name}")).is_some(),
        "fentry" | "fexit" | "fmod_ret" => btf.function(name).is_some(),
        "iter" => btf.function(&format!("bpf_iter_{name}")).is_some(),
        // Attached to a cgroup by a number that is part of the system call's own interface, not of the types.
        "cgroup" | "cgroup_skb" => true,
        _ => false,
    }
}
