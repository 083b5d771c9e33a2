//! `[network]`.

use toml::{Spanned, de::DeValue};

use super::section::Section;
use crate::scope::{
    endpoint::Endpoint,
    error::Span,
    model::{Network, NetworkRule},
    ports::Ports,
};

pub(super) fn section(table: &Section<'_>) -> Network {
    table.allow_keys(&["default", "allow", "rule"]);
    Network {
        default: table.response("default").map(|(response, _)| response),
        allow: endpoints(table, table.strings("allow")),
        rules: table.tables("rule").iter().map(rule).collect(),
    }
}

fn rule(table: &Section<'_>) -> NetworkRule {
    table.allow_keys(&["to", "port", "response", "weight", "reason"]);
    let mut to = endpoints(table, table.some_strings("to", "[\"@private\"]"));
    if let Some(ports) = ports(table) {
        for (endpoint, span) in &mut to {
            if endpoint.ports.is_any() {
                endpoint.ports = ports.clone();
            } else {
                table.error(
                    span.clone(),
                    format!("`{endpoint}` names ports, and so does the rule's `port`"),
                    "write the ports in one of the two",
                );
            }
        }
    }
    NetworkRule {
        rule: table.rule(false).1,
        to,
    }
}

/// Reads endpoints, and reports those that are none.
pub(super) fn endpoints(table: &Section<'_>, texts: Vec<(String, Span)>) -> Vec<(Endpoint, Span)> {
    let mut endpoints = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        match text.parse() {
            Ok(endpoint) => endpoints.push((endpoint, span)),
            Err(error) => {
                let error: crate::scope::endpoint_error::EndpointError = error;
                table.error(span, error.to_string(), error.remedy());
            }
        }
    }
    endpoints
}

/// `port = [22, "8000-8999"]`, or one of them alone.
fn ports(table: &Section<'_>) -> Option<Ports> {
    let value = table.value("port")?;
    let one = |item: &Spanned<DeValue<'_>>| {
        let text = match item.get_ref() {
            DeValue::Integer(number) => number.to_string(),
            DeValue::String(text) => text.to_string(),
            other => {
                table.wrong_type(item, other, "a port, as `22` or `\"8000-8999\"`");
                return Vec::new();
            }
        };
        match text.parse::<Ports>() {
            Ok(ports) => ports.ranges().to_vec(),
            Err(error) => {
                table.error(item.span(), error.to_string(), error.remedy());
                Vec::new()
            }
        }
    };
    let ranges: Vec<_> = match value.get_ref() {
        DeValue::Array(items) => items.iter().flat_map(one).collect(),
        _ => one(value),
    };
    Some(Ports::of(ranges))
}
