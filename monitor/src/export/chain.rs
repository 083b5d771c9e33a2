//! The chain of fingerprints of an exporter's OCSF records: a record that was changed or left out shows.
//!
//! Each record carries the SHA-256 of its own canonical form (RFC 8785: keys sorted, no blanks), taken before the
//! attestation is put in, and the fingerprint of the record before it.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The last record of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The event's id.
    pub uid: String,
    /// The record's `type_uid`.
    pub type_uid: u64,
    /// Its fingerprint in hexadecimal digits.
    pub value: String,
}

/// The fingerprint of `record`: keys of a JSON object are sorted here, and there are no fractions in a record, so
/// that what is written is the canonical form.
#[must_use]
pub fn fingerprint(record: &Value) -> String {
    let hash = digest(&SHA256, record.to_string().as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the attestation into `record`, the one after `before` in the chain `name`; returns its own link.
pub fn attest(record: &mut Value, name: &str, before: Option<&Link>) -> Link {
    let hash = |value: &str| {
        json!({
            "algorithm": "SHA-256", "algorithm_id": 3, "encoding": "Hex", "encoding_id": 1,
            "serialization": "JCS", "serialization_id": 2, "value": value,
        })
    };
    let link = Link {
        uid: record["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        type_uid: record["type_uid"].as_u64().unwrap_or_default(),
        value: fingerprint(record),
    };
    let mut attestation = json!({"chain_uid": name, "fingerprint": hash(&link.value)});
    if let Some(before) = before {
        attestation["prev_event"] = json!({
            "uid": before.uid, "type_uid": before.type_uid, "fingerprint": hash(&before.value),
        });
    }
    record["attestation_list"] = json!([attestation]);
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_can_check_the_chain() {
        let mut link = None;
        let mut records = Vec::new();
        for n in 0..3 {
            let mut record =
                json!({"type_uid": 100_101, "metadata": {"uid": format!("e{n}")}, "b": "\u{7}é\n", "a": n});
            link = Some(attest(&mut record, "host:siem", link.as_ref()));
            records.push(record);
        }
        let mut before: Option<String> = None;
        for record in &records {
            let attestation = record["attestation_list"][0].clone();
            let mut bare = record.clone();
            bare.as_object_mut().unwrap().remove("attestation_list");
            assert_eq!(attestation["fingerprint"]["value"], fingerprint(&bare));
            let said = attestation["prev_event"]["fingerprint"]["value"].as_str();
            assert_eq!(said, before.as_deref());
            before = attestation["fingerprint"]["value"].as_str().map(str::to_owned);
        }
        assert_eq!(
            fingerprint(&json!({"b": 1, "a": "\u{7}"})),
            "504dea5a6812a8265c0e41e3f38b80836582174e09a60ea3699f67a196cc1014",
            "the canonical form is {{\"a\":\"\\u0007\",\"b\":1}}"
        );
    }
}
