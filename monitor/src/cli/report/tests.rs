//! What the page says, and what it does not let through.

use jiff::tz::TimeZone;

use super::render;
use crate::api::control::Control;
use crate::api::tests::fake::Fake;

#[test]
fn the_page_is_whole_and_safe() {
    let report = Fake::new().report("s-00000000000000aa").unwrap();
    let page = render(&report, &TimeZone::UTC).unwrap();
    for part in [
        "<svg",
        "role=\"img\"",
        "Credentials to rotate",
        "/home/dev/.aws/credentials",
        "203.0.113.7:443",
        "unknown",
        "exposure window of",
        "claude [4121]",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // What people and agents wrote is text, and stays text.
    assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\x1b'));
    // Nothing is fetched from anywhere.
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains(" src="));
    insta::assert_snapshot!(page);
}
