//! The catalogue behind `@credentials`, from `credentials.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::scope::{
    pattern::PathPattern,
    words::{Access, Response},
};

/// One class of the catalogue.
#[derive(Clone, Debug)]
pub struct CredentialClass {
    /// Its name in rules and events.
    pub id: &'static str,
    /// For people.
    pub title: String,
    /// What it is about.
    pub paths: Vec<PathPattern>,
    /// Is reading guarded?
    pub read: bool,
    /// Is writing guarded?
    pub write: bool,
    /// Its own answer.
    pub response: Response,
    /// Does a rule with a response of its own cover it?
    pub guard: bool,
    /// Does a read outside sanctioned use mean that it has to be replaced?
    pub rotate: bool,
    /// The class that its paths are carved out of.
    pub exempt_of: Option<String>,
    /// Left out where this is the home of the session's owner.
    pub not_home: Option<String>,
    /// Who may.
    pub readers: Vec<Reader>,
}

/// A sanctioned reader.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Its program.
    pub exe: Vec<PathPattern>,
    /// A program above it in the session, where that matters.
    pub ancestor: Vec<PathPattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    class: Vec<ClassData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ClassData {
    id: String,
    title: String,
    paths: Vec<String>,
    #[serde(default)]
    access: Vec<Access>,
    response: Response,
    #[serde(default)]
    guard: bool,
    #[serde(default)]
    rotate: bool,
    exempt_of: Option<String>,
    not_home: Option<String>,
    #[serde(default)]
    reader: Vec<ReaderData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReaderData {
    #[serde(default)]
    exe: Vec<String>,
    #[serde(default)]
    ancestor: Vec<String>,
}

static CLASSES: LazyLock<Vec<CredentialClass>> = LazyLock::new(|| {
    read(include_str!("credentials.toml")).expect("a test reads the file that the binary carries")
});

fn read(source: &str) -> Result<Vec<CredentialClass>, String> {
    let data: Data = toml::from_str(source).map_err(|error| error.to_string())?;
    let (good, bad): (Vec<_>, Vec<_>) = data.class.into_iter().map(class).partition(Result::is_ok);
    let errors: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() {
        Ok(good.into_iter().flatten().collect())
    } else {
        Err(errors.join("; "))
    }
}

fn class(data: ClassData) -> Result<CredentialClass, String> {
    let both = data.access.is_empty();
    let reader = |entry: &ReaderData| {
        Ok(Reader {
            exe: patterns(&entry.exe)?,
            ancestor: patterns(&entry.ancestor)?,
        })
    };
    Ok(CredentialClass {
        paths: patterns(&data.paths)?,
        readers: data.reader.iter().map(reader).collect::<Result<_, String>>()?,
        // The catalogue is read once and kept for the life of the process.
        id: Box::leak(data.id.into_boxed_str()),
        title: data.title,
        read: both || data.access.contains(&Access::Read),
        write: both || data.access.contains(&Access::Write),
        response: data.response,
        guard: data.guard,
        rotate: data.rotate,
        exempt_of: data.exempt_of,
        not_home: data.not_home,
    })
}

fn patterns(texts: &[String]) -> Result<Vec<PathPattern>, String> {
    let read = texts
        .iter()
        .map(|text| PathPattern::parse_all(text).map_err(|error| error.to_string()));
    let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let errors: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    if errors.is_empty() {
        Ok(good.into_iter().flatten().flatten().collect())
    } else {
        Err(errors.join("; "))
    }
}

/// Every class, in the order of the catalogue.
#[must_use]
pub fn classes() -> &'static [CredentialClass] {
    &CLASSES
}

/// The class called `id`.
#[must_use]
pub fn class_named(id: &str) -> Option<&'static CredentialClass> {
    classes().iter().find(|class| class.id == id)
}
