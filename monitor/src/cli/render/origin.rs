//! Where a session comes from, in words.

use crate::cli::render::escape::escape;
use crate::record::event::Origin;

/// In a few words, the way from the login to the agent, as `ssh 192.0.2.7 > sudo > my-agent.service`; `None` where nothing is
/// known of it. Not escaped.
#[must_use]
pub fn short(origin: &Origin) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    words.extend(origin.ssh.as_ref().map(|ssh| format!("ssh {}", ssh.client)));
    words.extend(origin.sudo.iter().map(|step| step.program.clone()));
    if words.is_empty() {
        words.extend(origin.tty.clone());
    }
    match (&origin.container, &origin.unit) {
        (Some(container), _) => words.push(format!("container {}", container.get(..12).unwrap_or(container))),
        (None, Some(unit)) if unit.ends_with(".service") => words.push(unit.clone()),
        _ => {}
    }
    (!words.is_empty()).then(|| words.join(" > "))
}

/// Everything that is known, one name and value each, and what is unknown said to be so; escaped.
#[must_use]
pub fn lines(origin: &Origin) -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let text = |text: &Option<String>| {
        text.as_deref()
            .map_or_else(unknown, |text| escape(text).into_owned())
    };
    let login = match (origin.login_uid, &origin.login_name, origin.login_session) {
        (None, _, _) => "unknown: no login stands behind it".to_owned(),
        (Some(uid), name, session) => {
            let name = name
                .as_deref()
                .map_or_else(String::new, |name| format!("{} ", escape(name)));
            let session = session.map_or_else(String::new, |session| format!(", session {session}"));
            format!("{name}(uid {uid}){session}")
        }
    };
    let ssh = origin.ssh.as_ref().map_or_else(
        || "none seen".to_owned(),
        |ssh| {
            let marked = if ssh.from_sshd {
                ""
            } else {
                ", by its environment alone"
            };
            let client = std::net::SocketAddr::new(ssh.client, ssh.client_port);
            let server = std::net::SocketAddr::new(ssh.server, ssh.server_port);
            format!("{client} to {server}{marked}")
        },
    );
    let steps: Vec<String> = origin
        .sudo
        .iter()
        .map(|step| {
            format!(
                "{} from uid {} to uid {}",
                escape(&step.program),
                step.from,
                step.to
            )
        })
        .collect();
    let sudo = if steps.is_empty() {
        "none seen".to_owned()
    } else {
        steps.join(", ")
    };
    let repository = origin.repository.as_ref().map_or_else(
        || "none".to_owned(),
        |repository| {
            let branch = repository
                .branch
                .as_deref()
                .map_or_else(String::new, |branch| format!(" at {}", escape(branch)));
            let remote = repository
                .remote
                .as_deref()
                .map_or_else(String::new, |remote| format!(", from {}", escape(remote)));
            format!("{}{branch}{remote}", escape(&repository.root))
        },
    );
    let git = origin.git.as_ref().map_or_else(unknown, |git| {
        let name = git.name.as_deref().unwrap_or("?");
        let email = git.email.as_deref().unwrap_or("?");
        format!("{} <{}>", escape(name), escape(email))
    });
    vec![
        ("login", login),
        ("ssh", ssh),
        ("sudo", sudo),
        (
            "terminal",
            origin
                .tty
                .as_deref()
                .map_or_else(|| "none".to_owned(), |tty| escape(tty).into_owned()),
        ),
        ("unit", text(&origin.unit)),
        (
            "container",
            origin
                .container
                .as_deref()
                .map_or_else(|| "none seen".to_owned(), |id| escape(id).into_owned()),
        ),
        ("directory", text(&origin.cwd)),
        ("repository", repository),
        ("git", git),
        ("agent's id", text(&origin.agent_session)),
    ]
}
