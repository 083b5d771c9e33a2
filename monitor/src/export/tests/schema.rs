//! The JSON Schema of the event record, generated from its types: docs/export/event.schema.json.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::export::tests::corpus;
use crate::record::event::EventRecord;
use crate::record::tests::sample;

/// Writes the file in place of comparing it: `cargo xtask schema`.
const WRITE: &str = "SCOPEWARD_WRITE_SCHEMA";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export/event.schema.json")
}

fn generated() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<EventRecord>();
    schema.insert(
        "title".to_owned(),
        json!("Scopeward event record, scopeward.event/1"),
    );
    schema.to_value()
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("the file is a JSON Schema")
}

#[test]
fn the_file_is_what_the_types_say() {
    let text = format!("{:#}\n", generated());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file(), &text).unwrap();
    }
    let kept = std::fs::read_to_string(file()).unwrap_or_default();
    assert!(
        kept == text,
        "docs/export/event.schema.json is not up to date: `cargo xtask schema`"
    );
}

#[test]
fn every_event_validates() {
    let validator = validator();
    let samples = (0..200).map(sample::event);
    for event in corpus::all().into_iter().chain(samples) {
        let value = serde_json::to_value(&event).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:?}\n{value:#}");
    }
}

#[test]
fn what_is_no_event_does_not() {
    let validator = validator();
    let event = serde_json::to_value(sample::event(1)).unwrap();
    for (place, wrong) in [
        ("/schema", json!("scopeward.event/2")),
        ("/id", json!("1")),
        ("/time", json!("yesterday")),
        ("/session/id", json!("s-xyz")),
        ("/act/kind", json!("file.dream")),
        ("/verdict/applied", json!("block")),
        ("/verdict/tier", json!(3)),
        ("/process/pid", json!(-1)),
        ("/process/argv", Value::Null),
        ("/weight", json!("much")),
    ] {
        let mut event = event.clone();
        *event.pointer_mut(place).unwrap() = wrong;
        assert!(!validator.is_valid(&event), "{place}");
    }
    for member in [
        "host",
        "session",
        "process",
        "act",
        "verdict",
        "weight",
        "generation",
    ] {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove(member).unwrap();
        assert!(!validator.is_valid(&event), "{member}");
    }
}
