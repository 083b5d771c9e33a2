//! `scopeward scope check`.

use std::io::{self, Write};

use miette::Severity;
use serde::Serialize;

use super::{Setting, fit::misfit, report};
use crate::{
    cli::exit::Exit,
    config::scope_files::{self, LoadError},
    scope::{
        error::ScopeErrors,
        extends::ScopeFile,
        validate::{Checked, check},
    },
};

/// The last record of each file.
#[derive(Serialize)]
struct FileRecord<'f> {
    file: &'f str,
    scope: Option<&'f str>,
    errors: usize,
    warnings: usize,
}

/// Checks each file; all of them, whatever the first one has.
pub(super) fn run(files: &[String], json: bool, setting: &Setting, out: &mut dyn Write) -> io::Result<Exit> {
    let mut exit = Exit::Done;
    for name in files {
        match checked(name, setting) {
            Ok((file, checked)) => passed(name, &file, &checked, json, setting, out)?,
            Err(error) => {
                exit = Exit::Usage;
                failed(name, &error, json, setting, out)?;
            }
        }
    }
    Ok(exit)
}

fn checked(name: &str, setting: &Setting) -> Result<(ScopeFile, Checked), LoadError> {
    let file = scope_files::file(name, &setting.scope_dir)?;
    let load = |fragment: &str| scope_files::fragment(&file, &setting.scope_dir, fragment);
    let checked = check(&file, &load, &setting.capabilities, setting.now).map_err(LoadError::Scope)?;
    match misfit(&checked.effective) {
        None => Ok((file, checked)),
        Some(error) => Err(LoadError::Scope(vec![ScopeErrors::new(
            file.file,
            file.source,
            vec![error],
        )])),
    }
}

fn passed(
    name: &str,
    file: &ScopeFile,
    checked: &Checked,
    json: bool,
    setting: &Setting,
    out: &mut dyn Write,
) -> io::Result<()> {
    let warnings = checked.warnings.len();
    for warning in &checked.warnings {
        let found = &warning.finding;
        if json {
            line(
                out,
                &report::FindingRecord::new(&file.file, &file.source, found, "warning"),
            )?;
        } else {
            out.write_all(
                report::finding(&file.file, &file.source, found, Severity::Warning, setting).as_bytes(),
            )?;
        }
    }
    if json {
        return line(
            out,
            &FileRecord {
                file: name,
                scope: Some(&checked.effective.name),
                errors: 0,
                warnings,
            },
        );
    }
    match warnings {
        0 => writeln!(out, "{name}: ok, scope `{}`", checked.effective.name),
        1 => writeln!(out, "{name}: ok, scope `{}`, 1 warning", checked.effective.name),
        more => writeln!(
            out,
            "{name}: ok, scope `{}`, {more} warnings",
            checked.effective.name
        ),
    }
}

fn failed(
    name: &str,
    error: &LoadError,
    json: bool,
    setting: &Setting,
    out: &mut dyn Write,
) -> io::Result<()> {
    let LoadError::Scope(all) = error else {
        if json {
            let message = error.to_string();
            let found =
                crate::scope::error::ScopeError::new(0..0, message, "name a file, a scope or a built-in one");
            line(out, &report::FindingRecord::new(name, "", &found, "error"))?;
            return line(
                out,
                &FileRecord {
                    file: name,
                    scope: None,
                    errors: 1,
                    warnings: 0,
                },
            );
        }
        return out.write_all(report::load_error(error, setting).as_bytes());
    };
    let errors = all.iter().map(|one| one.errors.len()).sum();
    if json {
        for (one, found) in all
            .iter()
            .flat_map(|one: &ScopeErrors| one.errors.iter().map(move |found| (one, found)))
        {
            line(
                out,
                &report::FindingRecord::new(&one.file, &one.source_text, found, "error"),
            )?;
        }
        return line(
            out,
            &FileRecord {
                file: name,
                scope: None,
                errors,
                warnings: 0,
            },
        );
    }
    out.write_all(report::errors(all, setting).as_bytes())?;
    let word = if errors == 1 { "error" } else { "errors" };
    writeln!(out, "{name}: {errors} {word}")
}

/// One record as a line of JSON.
pub(super) fn line(out: &mut dyn Write, record: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(record).map_err(io::Error::other)?;
    writeln!(out, "{text}")
}
