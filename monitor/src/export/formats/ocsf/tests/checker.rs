//! Holds a record to the compiled schema.

use serde_json::{Map, Value};

pub(super) struct Checker {
    schema: Value,
}

impl Checker {
    pub(super) fn new() -> Self {
        Self {
            schema: serde_json::from_str(include_str!("../schema.json")).unwrap(),
        }
    }

    /// What is wrong with `record`, a sentence each.
    pub(super) fn check(&self, record: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let class = &self.schema["classes"][record["class_uid"].to_string()];
        if class.is_null() {
            return vec![format!("no class {}", record["class_uid"])];
        }
        let profiles: Vec<&str> = record["metadata"]["profiles"]
            .as_array()
            .map(|profiles| profiles.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let known = class["profiles"].as_array().unwrap();
        for profile in &profiles {
            if !known.iter().any(|one| one == profile) {
                wrong.push(format!("the class does not have the profile {profile}"));
            }
        }
        let type_uid =
            record["class_uid"].as_u64().unwrap_or(0) * 100 + record["activity_id"].as_u64().unwrap_or(0);
        if record["type_uid"] != type_uid {
            wrong.push(format!("type_uid is not {type_uid}"));
        }
        if record["metadata"]["version"] != self.schema["version"] {
            wrong.push("another version".into());
        }
        self.fields("", record.as_object().unwrap(), class, &profiles, &mut wrong);
        wrong
    }

    fn fields(
        &self,
        at: &str,
        fields: &Map<String, Value>,
        kind: &Value,
        profiles: &[&str],
        wrong: &mut Vec<String>,
    ) {
        let attributes = kind["attributes"].as_object().unwrap();
        let applies = |attribute: &Value| {
            attribute["profile"]
                .as_str()
                .is_none_or(|profile| profiles.contains(&profile))
        };
        for (name, attribute) in attributes {
            if attribute["required"] == true && applies(attribute) && !fields.contains_key(name) {
                wrong.push(format!("{at}{name} is missing"));
            }
        }
        for (name, value) in fields {
            let Some(attribute) = attributes.get(name) else {
                wrong.push(format!("{at}{name} is no attribute"));
                continue;
            };
            if !applies(attribute) {
                wrong.push(format!("{at}{name} needs the profile {}", attribute["profile"]));
            }
            if attribute["deprecated"] == true {
                wrong.push(format!("{at}{name} is deprecated"));
            }
            let place = format!("{at}{name}");
            match (attribute["array"] == true, value) {
                (true, Value::Array(values)) => {
                    values
                        .iter()
                        .for_each(|value| self.value(&place, value, attribute, profiles, wrong));
                }
                (true, _) => wrong.push(format!("{place} is no array")),
                (false, value) => self.value(&place, value, attribute, profiles, wrong),
            }
            if let (Some(values), Some(sibling)) =
                (attribute["enum"].as_object(), attribute["sibling"].as_str())
            {
                let caption = &values.get(&value.to_string()).unwrap_or(&Value::Null)["caption"];
                let caption = if caption.is_null() {
                    values.get(&value.to_string())
                } else {
                    Some(caption)
                };
                if let (Some(said), Some(caption)) = (fields.get(sibling), caption)
                    && value != 99
                    && said != caption
                {
                    wrong.push(format!("{at}{sibling} is {said}, not the caption {caption}"));
                }
            }
        }
        let one_of = kind["constraints"]["at_least_one"].as_array();
        if one_of.is_some_and(|names| {
            !names
                .iter()
                .any(|name| fields.contains_key(name.as_str().unwrap()))
        }) {
            wrong.push(format!("{at} has not at least one of {:?}", kind["constraints"]));
        }
    }

    fn value(&self, at: &str, value: &Value, attribute: &Value, profiles: &[&str], wrong: &mut Vec<String>) {
        if let Some(values) = attribute["enum"].as_object() {
            let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !values.contains_key(&said) {
                wrong.push(format!("{at} is {said}, not one of {:?}", values.keys()));
            }
        }
        let name = attribute["type"].as_str().unwrap_or_default();
        if let Some(object) = self.schema["objects"].get(name) {
            match value.as_object() {
                // `object` itself is whatever one likes.
                Some(_) if name == "object" => {}
                Some(fields) => self.fields(&format!("{at}."), fields, object, profiles, wrong),
                None => wrong.push(format!("{at} is no {name}")),
            }
            return;
        }
        let Some(kind) = self.schema["types"].get(name) else {
            wrong.push(format!("{at}: the compiled schema does not have {name}"));
            return;
        };
        let base = kind["type"].as_str().unwrap_or(name);
        let fits = match base {
            "boolean_t" => value.is_boolean(),
            "integer_t" => value
                .as_i64()
                .is_some_and(|value| i32::try_from(value).is_ok() || value >= 0),
            "long_t" => value.is_i64() || value.is_u64(),
            "float_t" => value.is_number(),
            "json_t" => true,
            _ => value.is_string(),
        };
        if !fits {
            wrong.push(format!(
                "{at} is {value}, which is no {name} (a base of integer, text, …: {base})"
            ));
        }
        let text = value.as_str().unwrap_or_default();
        if kind["max_len"]
            .as_u64()
            .is_some_and(|most| text.len() as u64 > most)
        {
            wrong.push(format!("{at} is longer than {}", kind["max_len"]));
        }
        if let Some([low, high]) = kind["range"].as_array().map(Vec::as_slice)
            && !value
                .as_i64()
                .is_some_and(|value| value >= low.as_i64().unwrap() && value <= high.as_i64().unwrap())
        {
            wrong.push(format!("{at} is out of range"));
        }
        if name == "ip_t" && text.parse::<std::net::IpAddr>().is_err() {
            wrong.push(format!("{at} is no address"));
        }
    }
}
