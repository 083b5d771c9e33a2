//! ArcSight Common Event Format, version 0: one line of `key=value` behind a header. Backslash, equals sign and line
//! ends of values are escaped; everything else stands as it is.

use std::fmt::Write;

use crate::export::formats::words;
use crate::record::event::EventRecord;
use crate::scope::words::{Kind, Response};

/// How bad, from 0 to 10.
#[must_use]
pub const fn severity(event: &EventRecord) -> u8 {
    if matches!(event.act.kind, Kind::MonitorTamper) {
        return 10;
    }
    match event.verdict.called_for {
        Response::Allow => 1,
        Response::Flag => 4,
        Response::Deny => 6,
        Response::Freeze => 8,
        Response::Kill => 9,
    }
}

/// `event` as one line.
#[must_use]
pub fn write(event: &EventRecord) -> Vec<u8> {
    let (act, verdict, process) = (&event.act, &event.verdict, &event.process);
    let mut line = format!(
        "CEF:0|Scopeward|Scopeward|{}|{}|{}|{}|",
        env!("CARGO_PKG_VERSION"),
        act.kind.word(),
        words::title(event),
        severity(event)
    );
    let mut first = true;
    let mut put = |key: &str, value: Option<&str>| {
        let Some(value) = value else { return };
        if !std::mem::take(&mut first) {
            line.push(' ');
        }
        line.push_str(key);
        line.push('=');
        escape(value, &mut line);
    };
    put("rt", Some(&event.time.as_millisecond().to_string()));
    put("externalId", Some(&event.id));
    put("cat", Some(act.kind.word()));
    put("act", Some(verdict.applied.word()));
    put("dvchost", Some(&event.host.name));
    put("deviceExternalId", event.host.machine_id.as_deref());
    put("suid", Some(&event.session.owner.uid.to_string()));
    put("suser", event.session.owner.name.as_deref());
    put("spid", Some(&process.pid.to_string()));
    put("sproc", process.exe.as_deref());
    let renamed = act.to.is_some();
    put("oldFilePath", act.path.as_deref().filter(|_| renamed));
    put("filePath", act.to.as_deref().or(act.path.as_deref()));
    put("fileId", act.inode.map(|inode| inode.to_string()).as_deref());
    let address = act.address.map(|address| address.to_string());
    let four = act.address.is_some_and(|address| address.is_ipv4());
    put("dst", address.as_deref().filter(|_| four));
    put(
        "c6a3Label",
        address
            .as_deref()
            .filter(|_| !four)
            .map(|_| "Destination IPv6 Address"),
    );
    put("c6a3", address.as_deref().filter(|_| !four));
    put("dpt", act.port.map(|port| port.to_string()).as_deref());
    put("dhost", act.name.as_deref());
    put("proto", act.protocol.as_deref());
    put("reason", verdict.reason.as_deref());
    put("cnt", Some(&event.count.to_string()));
    let mut called_for = String::new();
    // Writing to a text cannot fail.
    write!(called_for, "{} {:?}", verdict.called_for.word(), verdict.when).ok();
    for (key, label, value) in [
        ("cs1", "session", Some(event.session.id.as_str())),
        ("cs2", "agent", Some(event.session.agent.as_str())),
        ("cs3", "rule", verdict.rule.as_deref()),
        ("cs4", "arguments", Some(process.argv.join(" ").as_str())),
        ("cs5", "lineage", Some(process.lineage.join(" ").as_str())),
        ("cs6", "calledFor", Some(called_for.as_str())),
        ("cn1", "weight", Some(event.weight.to_string().as_str())),
        ("cn2", "generation", Some(event.generation.to_string().as_str())),
    ] {
        put(&format!("{key}Label"), value.map(|_| label));
        put(key, value);
    }
    put("msg", Some(&words::sentence(event)));
    line.into_bytes()
}

fn escape(value: &str, line: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '=' => line.push_str("\\="),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            other => line.push(other),
        }
    }
}

/// What a reader makes of the extension of a line: for tests here and of destinations.
#[cfg(test)]
pub(crate) fn parse(line: &str) -> std::collections::BTreeMap<String, String> {
    let extension = line.splitn(8, '|').nth(7).unwrap();
    let mut fields = std::collections::BTreeMap::new();
    let mut key = String::new();
    let mut value = String::new();
    let mut characters = extension.chars();
    let mut in_key = true;
    while let Some(character) = characters.next() {
        match character {
            '=' if in_key => in_key = false,
            _ if in_key => key.push(character),
            '\\' => match characters.next().unwrap() {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                other => value.push(other),
            },
            '=' => {
                // The word behind the last blank was the next key.
                let at = value.rfind(' ').unwrap();
                let next = value.split_off(at)[1..].to_owned();
                fields.insert(std::mem::replace(&mut key, next), std::mem::take(&mut value));
            }
            other => value.push(other),
        }
    }
    fields.insert(key, value);
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::tests::corpus;

    #[test]
    fn every_kind_and_verdict_parses_back() {
        for event in corpus::all() {
            let line = String::from_utf8(write(&event)).unwrap();
            assert!(!line.contains('\n'), "{line}");
            let fields = parse(&line);
            assert_eq!(fields["externalId"], event.id);
            assert_eq!(fields["cat"], event.act.kind.word());
            assert_eq!(fields["act"], event.verdict.applied.word());
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_parse_back_to_the_same_values(
            path in proptest::collection::vec(any::<u8>(), 0..60),
            name in "[|=\\\\\n\r\0 a\u{85}\u{2028}]{0,30}",
            argument in "\\PC{0,20}[\n\r=|\\\\]{0,5} cs1=x",
        ) {
            let mut event = corpus::all().swap_remove(400);
            let path = String::from_utf8_lossy(&path).into_owned();
            event.act.path = Some(path.clone());
            event.act.to = None;
            event.act.name = Some(name.clone());
            event.process.argv = vec!["x".into(), argument.clone()];
            event.session.agent = name.clone();
            event.verdict.reason = Some(argument.clone());
            let line = String::from_utf8(write(&event)).unwrap();
            prop_assert!(!line.contains(['\n', '\r']));
            let fields = parse(&line);
            prop_assert_eq!(&fields["filePath"], &path);
            prop_assert_eq!(&fields["dhost"], &name);
            prop_assert_eq!(&fields["cs2"], &name);
            prop_assert_eq!(&fields["reason"], &argument);
            prop_assert_eq!(&fields["cs4"], &format!("x {argument}"));
            prop_assert_eq!(&fields["cs1"], &event.session.id);
        }
    }
}
