//! What a machine is to do: the file that its init reads.

use serde_json::{Value, json};

/// The word of the report's lines, new for every boot: nothing else that a machine writes can be taken for it.
///
/// # Errors
/// A sentence, when this host gives no randomness.
pub fn nonce() -> Result<String, String> {
    let path = "/proc/sys/kernel/random/uuid";
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    Ok(text.trim().to_owned())
}

/// One test program in the machine.
pub struct Step {
    /// What the report calls it.
    pub name: String,
    /// Its path in the machine.
    pub program: String,
    /// Whether it is a test program: then each of its tests runs by itself.
    pub is_test: bool,
    /// Its arguments; those of a test program say which tests.
    pub arguments: Vec<String>,
    /// Its bound in seconds; that of each test, if it is a test program.
    pub seconds: u64,
}

/// The plan as its reader (`tests/src/guest/plan.rs`) takes it.
pub fn write(nonce: &str, modules: &[String], steps: &[Step], environment: &[(&str, String)]) -> Vec<u8> {
    let environment: serde_json::Map<String, Value> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())))
        .collect();
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!({
                "name": step.name, "program": step.program, "is_test": step.is_test, "arguments": step.arguments,
                "environment": environment, "seconds": step.seconds,
            })
        })
        .collect();
    let plan = json!({ "nonce": nonce, "modules": modules, "steps": steps, "results": ["/target/evasion"] });
    plan.to_string().into_bytes()
}
