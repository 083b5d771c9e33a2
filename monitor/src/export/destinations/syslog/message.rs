//! One message of RFC 5424.

use crate::export::formats::cef;
use crate::export::item::Item;
use crate::record::event::EventRecord;

/// The longest that each part of the header may be.
const MOST_HOST: usize = 255;
const MOST_MESSAGE_ID: usize = 32;

/// `item` as a message: header, structured data with what receivers sort by, and the record.
#[must_use]
pub fn write(item: &Item, facility: u8) -> Vec<u8> {
    let event = &item.event;
    let priority = u16::from(facility) * 8 + u16::from(severity(event));
    let mut message = format!(
        "<{priority}>1 {} {} scopeward {} {} [scopeward@32473",
        // RFC 5424 has six digits of a second at most.
        event.time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        printable(&event.host.name, MOST_HOST),
        event.process.pid,
        printable(event.act.kind.word(), MOST_MESSAGE_ID),
    );
    for (name, value) in [
        ("id", event.id.as_str()),
        ("session", &event.session.id),
        ("agent", &event.session.agent),
        ("verdict", event.verdict.applied.word()),
    ] {
        message.push(' ');
        message.push_str(name);
        message.push_str("=\"");
        for character in value.chars() {
            if matches!(character, '"' | '\\' | ']') {
                message.push('\\');
            }
            message.push(character);
        }
        message.push('"');
    }
    message.push_str("] ");
    let mut message = message.into_bytes();
    message.extend_from_slice(&item.body);
    message
}

/// From 7, debug, to 0: what is allowed is informational, tampering an alert.
const fn severity(event: &EventRecord) -> u8 {
    match cef::severity(event) {
        0..=1 => 6,
        2..=4 => 5,
        5..=6 => 4,
        7..=8 => 3,
        9 => 2,
        _ => 1,
    }
}

/// `text` as a part of the header: printable ASCII without blanks; `-` where nothing is left.
fn printable(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|character| {
            if character.is_ascii_graphic() {
                character
            } else {
                '?'
            }
        })
        .take(most)
        .collect();
    if clean.is_empty() { "-".to_owned() } else { clean }
}

/// What a receiver makes of a message: host, structured data and the rest.
#[cfg(test)]
pub(crate) fn parse(message: &[u8]) -> (String, std::collections::BTreeMap<String, String>, Vec<u8>) {
    let begin = b" [scopeward@32473";
    let open = message.windows(begin.len()).position(|at| at == begin).unwrap() + 1;
    let header = std::str::from_utf8(&message[..open]).unwrap();
    let parts: Vec<&str> = header.trim_end().split(' ').collect();
    assert_eq!(parts.len(), 6, "{header}");
    assert!(parts[0].starts_with('<') && parts[0].ends_with(">1"));
    assert!(parts[1].parse::<jiff::Timestamp>().is_ok());
    let mut fields = std::collections::BTreeMap::new();
    let mut at = open + "[scopeward@32473".len();
    loop {
        if message[at] == b']' {
            break;
        }
        assert_eq!(message[at], b' ');
        let equals = at + message[at..].iter().position(|byte| *byte == b'=').unwrap();
        let name = String::from_utf8(message[at + 1..equals].to_vec()).unwrap();
        assert_eq!(message[equals + 1], b'"');
        let mut value = Vec::new();
        at = equals + 2;
        while message[at] != b'"' {
            if message[at] == b'\\' {
                at += 1;
            }
            value.push(message[at]);
            at += 1;
        }
        at += 1;
        fields.insert(name, String::from_utf8(value).unwrap());
    }
    assert_eq!(message[at + 1], b' ');
    (parts[2].to_owned(), fields, message[at + 2..].to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::formats::Formatter;
    use crate::export::settings::Format;
    use crate::export::tests::corpus;
    use crate::record::tail::Position;

    fn item(event: EventRecord, format: Format) -> Item {
        let (body, link) = Formatter { format, chain: None }.write(&event, None);
        Item {
            event,
            body,
            after: Position::default(),
            link,
        }
    }

    #[test]
    fn every_kind_and_verdict_parses_back() {
        for event in corpus::all() {
            let item = item(event, Format::Native);
            let (host, fields, rest) = parse(&write(&item, 16));
            assert_eq!(host, "agent-7");
            assert_eq!(fields["id"], item.event.id);
            assert_eq!(serde_json::from_slice::<EventRecord>(&rest).unwrap(), item.event);
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_parse_back_to_the_same_values(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            agent in "[\"\\\\\\]\n\r\0 =|a\u{2028}é]{0,30}",
        ) {
            let mut event = corpus::all().swap_remove(400);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            event.session.agent = agent.clone();
            event.act.path = Some(text.clone());
            event.process.argv = vec![agent.clone(), text.clone()];
            event.host.name = text.clone();
            for format in [Format::Native, Format::Ocsf, Format::Ecs] {
                let item = item(event.clone(), format);
                prop_assert!(!item.body.contains(&b'\n'), "one line");
                let (_, fields, rest) = parse(&write(&item, 1));
                prop_assert_eq!(&fields["agent"], &agent);
                let value: serde_json::Value = serde_json::from_slice(&rest).unwrap();
                if format == Format::Native {
                    prop_assert_eq!(serde_json::from_value::<EventRecord>(value).unwrap(), event.clone());
                }
            }
        }
    }
}
