//! `@control-sockets`, from `sockets.toml`: unix sockets through which a process has others act for it.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::scope::{model::SocketPattern, name_glob::NameGlob, pattern::PathPattern};

/// The set's name.
pub const NAME: &str = "@control-sockets";

/// One class of sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketClass {
    /// The word after `@control-sockets/`.
    pub id: String,
    /// For people.
    pub title: String,
    /// Which sockets; `~` stands.
    pub path: Vec<SocketPattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    class: Vec<ClassData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassData {
    id: String,
    title: String,
    path: Vec<String>,
}

static CLASSES: LazyLock<Vec<SocketClass>> = LazyLock::new(|| {
    read(include_str!("sockets.toml")).expect("a test reads the file that the binary carries")
});

fn read(source: &str) -> Result<Vec<SocketClass>, String> {
    let data: Data = toml::from_str(source).map_err(|error| error.to_string())?;
    let one = |class: ClassData| {
        let mut path = Vec::new();
        for text in &class.path {
            match text.strip_prefix('@') {
                Some(name) => path.push(SocketPattern::Abstract(
                    NameGlob::parse(name).ok_or_else(|| format!("{text}: more than one `*`"))?,
                )),
                None => path.extend(
                    PathPattern::parse_all(text)
                        .map_err(|error| error.to_string())?
                        .into_iter()
                        .map(SocketPattern::Path),
                ),
            }
        }
        Ok(SocketClass {
            id: class.id,
            title: class.title,
            path,
        })
    };
    data.class.into_iter().map(one).collect()
}

/// Every class, in the order of the file.
#[must_use]
pub fn classes() -> &'static [SocketClass] {
    &CLASSES
}

/// What `text` stands for: the whole set, or one of its classes. `None` where it names neither.
#[must_use]
pub fn named(text: &str) -> Option<Vec<&'static SocketClass>> {
    let rest = text.strip_prefix(NAME)?;
    if rest.is_empty() {
        return Some(classes().iter().collect());
    }
    let id = rest.strip_prefix('/')?;
    let found = classes().iter().find(|class| class.id == id)?;
    Some(vec![found])
}

#[cfg(test)]
mod tests {
    use super::{classes, named, read};

    #[test]
    fn the_set_is_read_and_found_by_name() {
        assert!(read(include_str!("sockets.toml")).is_ok());
        assert_eq!(
            named("@control-sockets").map(|all| all.len()),
            Some(classes().len())
        );
        assert_eq!(
            named("@control-sockets/keys").map(|all| all[0].id.as_str()),
            Some("keys")
        );
        assert_eq!(named("@control-sockets/none"), None);
        assert_eq!(named("@control-sockets-of-mine"), None);
        assert_eq!(named("@x"), None);
    }
}
