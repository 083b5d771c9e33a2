//! What a scope inherits.

use super::effective_of;
use crate::scope::{
    extends::ScopeFile,
    merge::effective,
    words::{Mode, Response},
};

fn load(name: &str) -> Option<(String, String)> {
    let text = match name.trim_end_matches(".toml") {
        "team" => "extends = [\"@coding-agent\"]\n[network]\ndefault = \"freeze\"\nallow = [\"10.0.0.1\"]",
        "loop-a" => "extends = [\"loop-b\"]",
        "loop-b" => "extends = [\"loop-a\"]",
        "broken" => "mode = 1",
        _ => return None,
    };
    let name = name.trim_end_matches(".toml");
    Some((format!("{name}.toml"), text.into()))
}

fn errors_of(text: &str) -> String {
    let file = ScopeFile::read("mine.toml", text).unwrap();
    let errors = effective(&file, &load).unwrap_err();
    errors.iter().map(|one| format!("{one}\n")).collect()
}

#[test]
fn the_nearest_value_holds() {
    let file = ScopeFile::read("mine.toml", "extends = [\"team\"]\n[files]\ndefault = \"flag\"").unwrap();
    let scope = effective(&file, &load).unwrap();
    assert_eq!(scope.fragments, ["team", "@coding-agent"]);
    assert_eq!(scope.network.default.response, Response::Freeze);
    assert_eq!(scope.network.default.id.to_string(), "team/network.default");
    assert_eq!(scope.files.default.id.to_string(), "files.default");
    assert_eq!(scope.mode, Mode::Observe);
    let ids: Vec<String> = scope
        .network
        .rules
        .iter()
        .map(|rule| rule.rule.id.to_string())
        .collect();
    assert!(ids.contains(&"team/network.allow[0]".to_owned()));
    assert!(ids.contains(&"@coding-agent/network.rule[0]".to_owned()));
    assert!(scope.files.rules.iter().all(|rule| rule.rule.layer == 2));
}

#[test]
fn an_allow_list_means_that_the_rest_is_not_allowed() {
    assert_eq!(
        effective_of("[network]\nallow = [\"10.0.0.1\"]")
            .network
            .default
            .response,
        Response::Deny
    );
    assert_eq!(
        effective_of("[network]").network.default.response,
        Response::Allow
    );
}

#[test]
fn what_cannot_be_followed_is_an_error() {
    assert!(
        errors_of("extends = [\"loop-a\"]")
            .contains("builds on itself: mine.toml → loop-a.toml → loop-b.toml → loop-a.toml")
    );
    assert!(errors_of("extends = [\"nowhere\"]").contains("there is no fragment `nowhere`"));
    assert!(errors_of("extends = [\"@coding-agnet\"]").contains("did you mean `@coding-agent`?"));
    assert!(errors_of("extends = [\"coding-agent\"]").contains("write `@coding-agent` for the built-in one"));
    let both = errors_of("extends = [\"broken\", \"nowhere\"]");
    assert!(both.contains("broken.toml") && both.contains("nowhere"), "{both}");
}
