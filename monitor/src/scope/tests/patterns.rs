//! Path patterns: shapes, matching, order, errors.

use std::path::Path;

use globset::GlobBuilder;
use proptest::prelude::*;

use crate::scope::{
    name_glob::NameGlob,
    pattern::PathPattern,
    pattern_parse::{PatternError, expand_braces},
};

fn pattern(text: &str) -> PathPattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn each_text_has_its_shape() {
    let under = |dir: &str, depth, parent: Option<&str>, name: &str| PathPattern::UnderDir {
        dir: dir.into(),
        depth,
        parent: parent.map(Into::into),
        name: NameGlob::parse(name).unwrap(),
    };
    let anywhere = |parent: Option<&str>, name: &str| PathPattern::Anywhere {
        parent: parent.map(Into::into),
        name: NameGlob::parse(name).unwrap(),
    };
    for (text, shape) in [
        ("/a/b/c", PathPattern::Exact("/a/b/c".into())),
        ("/", PathPattern::Exact("/".into())),
        ("~", PathPattern::Exact("~".into())),
        ("~/.netrc", PathPattern::Exact("~/.netrc".into())),
        ("/**", PathPattern::Tree("/".into())),
        ("~/src/**", PathPattern::Tree("~/src".into())),
        ("/a/b/*.x", under("/a/b", Some(1), None, "*.x")),
        ("/*", under("/", Some(1), None, "*")),
        ("~/.ssh/id_*", under("~/.ssh", Some(1), None, "id_*")),
        ("/a/*/x", under("/a", Some(2), None, "x")),
        ("/a/*/*/x*", under("/a", Some(3), None, "x*")),
        ("/a/**/x", under("/a", None, None, "x")),
        ("/a/**/p/x", under("/a", None, Some("p"), "x")),
        (
            "/run/user/*/gnupg/S.*",
            under("/run/user", Some(3), Some("gnupg"), "S.*"),
        ),
        ("/run/user/*/bus", under("/run/user", Some(2), None, "bus")),
        ("**/.env", anywhere(None, ".env")),
        ("*.pem", anywhere(None, "*.pem")),
        ("nc", anywhere(None, "nc")),
        ("**/.docker/config.json", anywhere(Some(".docker"), "config.json")),
        (
            "**/secrets/**",
            PathPattern::DirAnywhere {
                parent: None,
                name: "secrets".into(),
            },
        ),
        (
            "**/.git/hooks/**",
            PathPattern::DirAnywhere {
                parent: Some(".git".into()),
                name: "hooks".into(),
            },
        ),
        ("memfd:*", PathPattern::Memfd(NameGlob::around("", ""))),
        ("*(deleted)", PathPattern::Deleted),
    ] {
        assert_eq!(pattern(text), shape, "{text}");
        assert_eq!(pattern(&shape.to_string()), shape, "{text} shown as {shape}");
    }
}

#[test]
fn what_cannot_be_held_is_refused_with_a_remedy() {
    let mut table = String::new();
    for text in [
        "",
        "src/x",
        "./x",
        "*/x/y",
        "~dev/x",
        "/a//b",
        "/a/b/",
        "/a/../b",
        "/a/./b",
        "/a/b?",
        "/a/[ab]",
        "/a\\b",
        "*a*",
        "/a/id_*_*",
        "/a/**b",
        "**",
        "/a/**/b/**",
        "**/a/**/b",
        "/a/*/**",
        "**/*/**",
        "/a/**/b/c/d",
        "**/a/b/c",
        "**/a/b/c/**",
        "/a/x*/b",
        "/a/**/p*/x",
        "**/x*/**",
        "/a/{b,c",
        "/a/b}",
        "/a/{b,{c,d}}",
        "@credentials/x",
    ] {
        let error = PathPattern::parse_all(text).expect_err(text);
        table += &format!("{text:16} {error}\n{:16} → {}\n", "", error.remedy());
    }
    let long = format!("/{}", "a".repeat(256));
    assert!(matches!(
        long.parse::<PathPattern>(),
        Err(PatternError::TooLong(_))
    ));
    assert!(format!("/{}", "a".repeat(255)).parse::<PathPattern>().is_ok());
    insta::assert_snapshot!(table);
}

#[test]
fn braces_expand_in_order() {
    assert_eq!(
        expand_braces("/{a,b}/x{1,2}").unwrap(),
        ["/a/x1", "/a/x2", "/b/x1", "/b/x2"]
    );
    assert_eq!(expand_braces("/plain").unwrap(), ["/plain"]);
    let many = "{0,1,2,3,4,5,6,7,8,9}".repeat(3);
    assert!(matches!(expand_braces(&many), Err(PatternError::Expansion(_))));
}

#[test]
fn paths_match_by_shape() {
    for (text, path, fits) in [
        ("/a/b/**", "/a/b", true),
        ("/a/b/**", "/a/b/c/d", true),
        ("/a/b/**", "/a/bc", false),
        ("/**", "/", true),
        ("/**", "/x", true),
        ("/a/*/x", "/a/b/x", true),
        ("/a/*/x", "/a/x", false),
        ("/a/*/x", "/a/b/c/x", false),
        ("/a/**/x", "/a/x", true),
        ("/a/**/x", "/a/b/c/x", true),
        ("/a/**/x", "/x", false),
        ("/a/**/p/x", "/a/p/x", true),
        ("/a/**/p/x", "/a/b/p/x", true),
        ("/a/**/p/x", "/a/p/b/x", false),
        ("/run/user/*/gnupg/S.*", "/run/user/1000/gnupg/S.gpg-agent", true),
        (
            "/run/user/*/gnupg/S.*",
            "/run/user/1000/x/gnupg/S.gpg-agent",
            false,
        ),
        ("**/.env", "/.env", true),
        ("**/.env", "/srv/.env", true),
        ("**/.env", "/srv/x.env", false),
        ("**/.docker/config.json", "/home/dev/.docker/config.json", true),
        ("**/.docker/config.json", "/config.json", false),
        ("**/secrets/**", "/srv/secrets", true),
        ("**/secrets/**", "/secrets/a/b", true),
        ("**/secrets/**", "/srv/secrets2/a", false),
        ("**/.git/hooks/**", "/r/.git/hooks/pre-commit", true),
        ("**/.git/hooks/**", "/r/hooks/pre-commit", false),
        ("memfd:*", "/memfd:x (deleted)", true),
        ("memfd:run*", "memfd:runc", true),
        ("memfd:*", "/bin/memfd", false),
        ("*(deleted)", "/tmp/x (deleted)", true),
        ("*(deleted)", "/tmp/x", false),
    ] {
        assert_eq!(pattern(text).matches(path), fits, "{text} on {path}");
    }
}

#[test]
fn the_more_specific_ranks_higher() {
    let order = [
        "/a/b/secrets.txt",
        "/a/b/*.txt",
        "/a/b/*",
        "/a/b/**/secrets.txt",
        "**/b/secrets.txt",
        "**/secrets.txt",
        "*.txt",
        "/a/b/**",
        "/a/**",
        "**/b/secrets/**",
        "**/b/**",
    ];
    for pair in order.windows(2) {
        assert!(
            pattern(pair[0]).rank() > pattern(pair[1]).rank(),
            "{} over {}",
            pair[0],
            pair[1]
        );
    }
}

#[test]
fn home_is_put_in() {
    let at = |text: &str, home: &str| pattern(text).resolve(Path::new(home)).to_string();
    assert_eq!(at("~/.ssh/id_*", "/home/dev"), "/home/dev/.ssh/id_*");
    assert_eq!(at("~/.ssh/id_*", "/home/dev/"), "/home/dev/.ssh/id_*");
    assert_eq!(at("~/**", "/root"), "/root/**");
    assert_eq!(at("~", "/"), "/");
    assert_eq!(at("~/x", "/"), "/x");
    assert_eq!(at("**/.env", "/root"), "**/.env");
}

fn component() -> impl Strategy<Value = String> {
    "[a-c.]{1,3}".prop_filter("no dots alone", |part| part != "." && part != "..")
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        component(),
        component().prop_map(|c| format!("{c}*")),
        component().prop_map(|c| format!("*{c}")),
        Just("*".into())
    ]
}

fn dir() -> impl Strategy<Value = String> {
    prop::collection::vec(component(), 1..3).prop_map(|parts| format!("/{}", parts.join("/")))
}

/// Texts of every shape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        dir(),
        dir().prop_map(|d| format!("{d}/**")),
        (dir(), 0..3usize, name()).prop_map(|(d, stars, n)| format!("{d}/{}{n}", "*/".repeat(stars))),
        (dir(), component(), name()).prop_map(|(d, p, n)| format!("{d}/*/{p}/{n}")),
        (dir(), name()).prop_map(|(d, n)| format!("{d}/**/{n}")),
        (dir(), component(), name()).prop_map(|(d, p, n)| format!("{d}/**/{p}/{n}")),
        name().prop_map(|n| format!("**/{n}")),
        (component(), name()).prop_map(|(p, n)| format!("**/{p}/{n}")),
        component().prop_map(|n| format!("**/{n}/**")),
        (component(), component()).prop_map(|(p, n)| format!("**/{p}/{n}/**")),
    ]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(component(), 1..6).prop_map(|parts| format!("/{}", parts.join("/")))
}

proptest! {
    #[test]
    fn reading_what_is_shown_gives_the_same(text in text()) {
        let read = pattern(&text);
        prop_assert_eq!(&pattern(&read.to_string()), &read);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn matching_agrees_with_globset(text in text(), path in path()) {
        let read = pattern(&text);
        let glob = GlobBuilder::new(&text).literal_separator(true).build().unwrap().compile_matcher();
        // A tree here is the directory too; for globset only what is below it.
        let itself = text.strip_suffix("/**").is_some_and(|dir| {
            GlobBuilder::new(dir).literal_separator(true).build().unwrap().compile_matcher().is_match(&path)
        });
        prop_assert_eq!(read.matches(&path), glob.is_match(&path) || itself, "{} on {}", text, path);
    }

    #[test]
    fn covering_is_sound(wide in text(), narrow in text(), path in path()) {
        let (wide, narrow) = (pattern(&wide), pattern(&narrow));
        if wide.covers(&narrow) && narrow.matches(&path) {
            prop_assert!(wide.matches(&path), "{} covers {} but not {}", wide, narrow, path);
        }
        prop_assert!(wide.covers(&wide));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,24}") {
        if let Err(error) = PathPattern::parse_all(&text) {
            prop_assert!(!error.remedy().is_empty());
        }
    }
}
