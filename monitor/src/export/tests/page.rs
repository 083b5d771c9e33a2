//! The page of events says what exporters write.

use crate::export::formats::ocsf::activity::activity;
use crate::export::formats::{ecs, techniques};
use crate::export::tests::corpus;
use crate::scope::words::{Kind, Response};

#[test]
fn every_kind_has_its_row() {
    let page = include_str!("../../../../docs/events.md");
    for kind in Kind::ALL {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", kind.word())))
            .unwrap_or_else(|| panic!("no row for {}", kind.word()));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (class, id, caption) = activity(kind);
        assert_eq!(cells[3], format!("{} {}", class.caption, class.uid), "{row}");
        assert_eq!(cells[4], format!("{id} {caption}"), "{row}");
        let event = corpus::all()
            .into_iter()
            .find(|event| event.act.kind == kind && event.verdict.called_for == Response::Allow)
            .unwrap();
        let about = ecs::record(&event)["event"].clone();
        let said = |name: &str| about[name][0].as_str().unwrap().to_owned();
        assert_eq!(
            cells[5],
            format!("{} / {}", said("category"), said("type")),
            "{row}"
        );
        let attacks: Vec<String> = techniques::of(kind)
            .iter()
            .map(|one| format!("{} {}", one.uid, one.name))
            .collect();
        assert_eq!(cells[6], attacks.join("; "), "{row}");
    }
}
