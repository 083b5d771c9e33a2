use jiff::Span;

use super::sample;
use crate::record::event::EventRecord;
use crate::record::filter::{Filter, Order, Pattern};
use crate::record::store::{Store, StoreConfig};
use crate::scope::words::{Kind, Response};

fn asked(store: &Store, filter: &Filter) -> Vec<EventRecord> {
    store
        .query(filter)
        .unwrap()
        .into_iter()
        .map(sample::plain)
        .collect()
}

#[test]
fn the_stored_answer_is_the_live_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(
        dir.path(),
        &StoreConfig {
            segment_bytes: 20_000,
            ..StoreConfig::default()
        },
    )
    .unwrap();
    let events: Vec<_> = (0..1_000).map(sample::event).collect();
    for chunk in events.chunks(200) {
        chunk
            .iter()
            .cloned()
            .for_each(|event| store.writer().append(event));
        assert!(store.writer().flush(std::time::Duration::from_secs(10)));
    }
    let pattern = |text| Some(Pattern::parse(text).unwrap());
    let at = |n| Some(sample::start().checked_add(Span::new().milliseconds(n)).unwrap());
    let all = Filter::default;
    let filters = [
        all(),
        Filter {
            agent: vec!["codex".into()],
            ..all()
        },
        Filter {
            session: vec!["s-0000000000000000".into()],
            ..all()
        },
        Filter {
            owner: vec!["dev".into()],
            ..all()
        },
        Filter {
            owner: vec!["1001".into(), "nobody".into()],
            ..all()
        },
        Filter {
            owner_uid: Some(1_000),
            ..all()
        },
        Filter {
            kind: vec![Kind::NetConnect, Kind::FileLink],
            ..all()
        },
        Filter {
            verdict: vec![Response::Deny],
            ..all()
        },
        Filter {
            verdict: vec![Response::Kill],
            ..all()
        },
        Filter {
            since: at(100),
            until: at(300),
            ..all()
        },
        Filter {
            path: pattern("/home/dev/src/project/module-3"),
            ..all()
        },
        Filter {
            path: pattern("**/file-1?.rs"),
            kind: vec![Kind::FileOpen],
            ..all()
        },
        Filter {
            path: pattern("/nowhere"),
            ..all()
        },
        Filter {
            host: pattern("203.0.113.*"),
            since: at(500),
            ..all()
        },
        Filter {
            host: pattern("evil.example.net"),
            ..all()
        },
        Filter {
            host: pattern("agent-7"),
            owner: vec!["eve".into()],
            ..all()
        },
    ];
    for mut filter in filters {
        let expected: Vec<_> = events
            .iter()
            .filter(|event| filter.matches(event))
            .cloned()
            .collect();
        assert_eq!(asked(&store, &filter), expected, "{filter:?}");
        filter.limit = Some(7);
        assert_eq!(
            asked(&store, &filter),
            expected[..expected.len().min(7)],
            "{filter:?}"
        );
        filter.order = Order::Newest;
        let newest: Vec<_> = expected.iter().rev().take(7).cloned().collect();
        assert_eq!(asked(&store, &filter), newest, "{filter:?}");
    }
}
