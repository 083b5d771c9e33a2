//! `scopeward scope show`.

use std::io::{self, Write};

use serde_json::json;

use super::{Setting, check::line, report};
use crate::{
    cli::exit::Exit,
    config::scope_files,
    scope::{
        builtin::all,
        endpoint::NamedSet,
        explain::{explain, explain_credentials},
        extends::ScopeFile,
        sets::{credentials, endpoints, sockets},
        statements::statements,
        suggest,
    },
};

/// The effective scope.
pub(super) fn scope(
    name: &str,
    json: bool,
    setting: &Setting,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let scope = match scope_files::effective(name, &setting.scope_dir) {
        Ok(scope) => scope,
        Err(error) => {
            err.write_all(report::load_error(&error, setting).as_bytes())?;
            return Ok(Exit::Usage);
        }
    };
    if json {
        for statement in statements(&scope) {
            line(out, &statement)?;
        }
    } else {
        out.write_all(explain(&scope).as_bytes())?;
    }
    Ok(Exit::Done)
}

/// A named set.
pub(super) fn set(name: &str, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let class = name.strip_prefix("@credentials/");
    if name == "@credentials" || class.is_some() {
        let wanted = |found: &&credentials::CredentialClass| class.is_none_or(|id| id == found.id);
        let classes: Vec<_> = credentials::classes().iter().filter(wanted).cloned().collect();
        if !classes.is_empty() {
            return show_classes(&classes, json, out);
        }
    }
    if let Some(classes) = sockets::named(name) {
        for class in classes {
            let path: Vec<String> = class.path.iter().map(ToString::to_string).collect();
            if json {
                line(
                    out,
                    &json!({"class": class.id, "title": class.title, "path": path}),
                )?;
            } else {
                writeln!(out, "{}/{}: {}", sockets::NAME, class.id, class.title)?;
                for one in path {
                    writeln!(out, "  {one}")?;
                }
            }
        }
        return Ok(Exit::Done);
    }
    if let Some(found) =
        NamedSet::from_word(name).and_then(|set| endpoints::sets().iter().find(|one| one.set == set))
    {
        let members: Vec<String> = found.to.iter().map(ToString::to_string).collect();
        if json {
            line(out, &json!({"set": name, "title": found.title, "to": members}))?;
        } else {
            writeln!(out, "{name}: {}", found.title)?;
            for member in members {
                writeln!(out, "  {member}")?;
            }
        }
        return Ok(Exit::Done);
    }
    let mut known = NamedSet::ALL.map(NamedSet::word).to_vec();
    known.extend(["@credentials", sockets::NAME]);
    let classes: Vec<String> = credentials::classes()
        .iter()
        .map(|class| format!("@credentials/{}", class.id))
        .collect();
    let known = if class.is_some() {
        classes.iter().map(String::as_str).collect()
    } else {
        known
    };
    writeln!(
        err,
        "scopeward: there is no set `{name}`: {}",
        suggest::did_you_mean(name, &known)
    )?;
    Ok(Exit::Usage)
}

fn show_classes(
    classes: &[credentials::CredentialClass],
    json: bool,
    out: &mut dyn Write,
) -> io::Result<Exit> {
    if !json {
        out.write_all(explain_credentials(classes).as_bytes())?;
        return Ok(Exit::Done);
    }
    let texts = |patterns: &[crate::scope::pattern::PathPattern]| -> Vec<String> {
        patterns.iter().map(ToString::to_string).collect()
    };
    for class in classes {
        let readers: Vec<_> = class
            .readers
            .iter()
            .map(|reader| json!({"exe": texts(&reader.exe), "ancestor": texts(&reader.ancestor)}))
            .collect();
        line(
            out,
            &json!({
                "class": class.id, "title": class.title, "paths": texts(&class.paths), "read": class.read, "write": class.write,
                "response": class.response, "guard": class.guard, "rotate": class.rotate, "exempt_of": class.exempt_of, "readers": readers,
            }),
        )?;
    }
    Ok(Exit::Done)
}

/// The built-in agents and fragments.
pub(super) fn builtin(json: bool, out: &mut dyn Write) -> io::Result<Exit> {
    for one in all() {
        let kind = if one.agent { "agent" } else { "fragment" };
        let description = match ScopeFile::builtin(one.name) {
            Some(Ok(file)) => file.scope.description.unwrap_or_default(),
            _ => String::new(),
        };
        if json {
            line(
                out,
                &json!({"name": one.name, "kind": kind, "description": description}),
            )?;
        } else {
            writeln!(out, "@{:14} {kind:9} {description}", one.name)?;
        }
    }
    Ok(Exit::Done)
}
