//! The scopes that sessions of the bench are held to.

use std::fs;

use crate::bench::stage::Stage;

/// Files that are guarded in one directory.
const A_DIRECTORY: usize = 64;

/// A scope and its name.
pub struct Scope {
    /// Its name, and so the agent's.
    pub name: String,
    /// The file.
    pub text: String,
}

/// A scope of `count` rules, of which four in ten guard a file that exists, two a name anywhere, one a directory, two an
/// endpoint, and one a program. None of them is met by what the bench does in it.
///
/// # Errors
/// A sentence, when the files that are guarded cannot be made.
pub fn rules(stage: &Stage, count: usize) -> Result<Scope, String> {
    let name = format!("bench-{count}");
    let mut text = head(&name);
    text.push_str("[network]\ndefault = \"deny\"\nallow = [\"127.0.0.1\"]\n");
    for number in 0..count {
        let directory = format!("guarded/{}", number / A_DIRECTORY);
        let path = stage.path(&directory);
        fs::create_dir_all(path.join("below"))
            .map_err(|error| format!("cannot make {directory}: {error}"))?;
        let rule = match number % 10 {
            0..4 => {
                stage.write(&format!("{directory}/{number}"), "secret\n")?;
                format!("[[files.rule]]\npaths = [{:?}]", path.join(number.to_string()))
            }
            4 | 5 => format!("[[files.rule]]\npaths = [\"**/name-{number}.secret\"]"),
            6 => format!(
                "[[files.rule]]\npaths = [{:?}]",
                path.join(format!("below-{number}/**"))
            ),
            7 | 8 => format!(
                "[[network.rule]]\nto = [\"10.{}.{}.7\"]",
                number / 256 % 256,
                number % 256
            ),
            _ => format!("[[exec.rule]]\nexe = [\"**/program-{number}\"]"),
        };
        text.push_str(&format!(
            "{rule}\nresponse = \"deny\"\nreason = \"rule {number}\"\n"
        ));
    }
    Ok(Scope { name, text })
}

/// A scope that flags, kills and refuses: what the floods and the latencies need. Everything in question is below `cuts`.
pub fn cuts(stage: &Stage) -> Scope {
    let name = "bench-cuts".to_owned();
    let text = format!(
        "{}[network]\ndefault = \"deny\"\nallow = [\"127.0.0.1\"]\n\
         [[files.rule]]\npaths = [\"*.flagged\"]\nresponse = \"flag\"\n\
         [[files.rule]]\npaths = [\"*.killed\"]\nresponse = \"kill\"\n\
         [[files.rule]]\npaths = [{:?}]\nresponse = \"kill\"\n",
        head(&name),
        stage.path("cuts/guarded")
    );
    Scope { name, text }
}

fn head(name: &str) -> String {
    format!("name = \"{name}\"\nmode = \"enforce\"\n[[match]]\nexe = \"/nonexistent/agent\"\n")
}
