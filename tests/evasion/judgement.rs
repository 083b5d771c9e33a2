//! Whether a row is what the table of expectations says.

use scopeward_tests::session::cuts;
use scopeward_tests::table::Row;
use serde_json::Value;

/// Nothing may be obtained, unless the technique is open in this tier; where the act itself must be refused, a cut
/// says that it was.
pub fn judge(row: &Row, open: Option<&str>, events: &[Value], said: &str) {
    if open.is_some() {
        return;
    }
    assert_eq!(
        row.obtained, 0,
        "in the session the technique must not work: {said}"
    );
    if row.tier.denies() {
        let refused = cuts(events).any(|event| event["verdict"]["when"] == "before_act");
        assert!(refused, "nothing was refused before the act: {said}");
    }
}
