//! Where a session comes from: the login, sudo, ssh, terminal, unit, directory and git identity behind its root process.
//! What is unknown is `None`; what an agent could have made up itself is marked.

use std::{
    fs,
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use nix::libc;
use procfs::process::Process;

use crate::{
    attribute::owner,
    record::event::{GitIdentity, Origin, Repository, Ssh, SudoStep},
};

/// Most ancestors that are looked at.
const ANCESTORS: usize = 64;
/// Most bytes of a file that a user wrote.
const MOST_BYTES: u64 = 64 * 1024;
/// Programs that change who one is.
const CHANGERS: [&str; 6] = ["sudo", "su", "doas", "pkexec", "runuser", "run0"];

/// One ancestor, the nearest first.
struct Ancestor {
    pid: u32,
    exe: String,
    uid: u32,
}

/// Where the process `pid` comes from. Reads `/proc` and the configuration of git; blocks on nothing.
#[must_use]
pub fn of(pid: u32) -> Origin {
    let chain = ancestors(pid);
    let login_uid = number(pid, "loginuid");
    let cwd = fs::read_link(format!("/proc/{pid}/cwd")).ok();
    let repository = cwd.as_deref().and_then(repository);
    let cgroup = cgroup(pid);
    let home = owner::home(
        login_uid
            .or_else(|| chain.first().map(|own| own.uid))
            .unwrap_or(0),
    );
    Origin {
        login_uid,
        login_name: login_uid.and_then(owner::name),
        login_session: number(pid, "sessionid"),
        sudo: sudo(&chain),
        ssh: ssh(&chain),
        tty: owner::tty(pid),
        unit: cgroup.as_deref().and_then(unit),
        container: cgroup.as_deref().and_then(container),
        cgroup,
        cwd: cwd.map(|cwd| cwd.to_string_lossy().into_owned()),
        git: git_identity(repository.as_ref(), &home),
        repository,
        agent_session: owner::agent_session(pid),
    }
}

fn number(pid: u32, file: &str) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    text.trim().parse().ok().filter(|value| *value != u32::MAX)
}

fn ancestors(pid: u32) -> Vec<Ancestor> {
    let mut chain = Vec::new();
    let mut next = pid;
    while next != 0 && chain.len() < ANCESTORS {
        let Some(status) = i32::try_from(next)
            .ok()
            .and_then(|pid| Process::new(pid).ok()?.status().ok())
        else {
            break;
        };
        let exe = fs::read_link(format!("/proc/{next}/exe"))
            .map_or_else(|_| status.name.clone(), |exe| exe.to_string_lossy().into_owned());
        chain.push(Ancestor {
            pid: next,
            exe,
            uid: status.euid,
        });
        next = status.ppid.unsigned_abs();
    }
    chain
}

fn base(exe: &str) -> &str {
    let name = exe.rsplit('/').next().unwrap_or(exe);
    name.strip_suffix(" (deleted)").unwrap_or(name)
}

/// Each program that changed the user, the outermost first: from whom, as the process above it runs, to whom, as the one
/// below it does.
fn sudo(chain: &[Ancestor]) -> Vec<SudoStep> {
    let mut steps = Vec::new();
    for at in (0..chain.len()).rev() {
        if !CHANGERS.contains(&base(&chain[at].exe)) {
            continue;
        }
        let above = chain[at + 1..]
            .iter()
            .find(|one| !CHANGERS.contains(&base(&one.exe)));
        let below = chain[..at]
            .iter()
            .rev()
            .find(|one| !CHANGERS.contains(&base(&one.exe)));
        let (Some(above), Some(below)) = (above, below) else {
            continue;
        };
        let step = SudoStep {
            program: base(&chain[at].exe).to_owned(),
            from: above.uid,
            to: below.uid,
        };
        // sudo has a second process of its own for the terminal.
        if steps.last() != Some(&step) {
            steps.push(step);
        }
    }
    steps
}

/// The connection of the process that sshd started; else what some ancestor says of one, which it could have made up.
fn ssh(chain: &[Ancestor]) -> Option<Ssh> {
    let started = |at: usize| {
        chain
            .get(at + 1)
            .is_some_and(|above| base(&above.exe).starts_with("sshd"))
    };
    let own = (0..chain.len()).find(|at| started(*at) && !base(&chain[*at].exe).starts_with("sshd"));
    if let Some(ssh) = own.and_then(|at| connection(chain[at].pid, true)) {
        return Some(ssh);
    }
    chain.iter().rev().find_map(|one| connection(one.pid, false))
}

fn connection(pid: u32, from_sshd: bool) -> Option<Ssh> {
    let text = owner::variable(pid, "SSH_CONNECTION")?;
    let mut fields = text.split(' ');
    Some(Ssh {
        client: fields.next()?.parse().ok()?,
        client_port: fields.next()?.parse().ok()?,
        server: fields.next()?.parse().ok()?,
        server_port: fields.next()?.parse().ok()?,
        from_sshd,
    })
}

/// The cgroup (v2) that the session was started in, without the one that Scopeward made for it.
fn cgroup(pid: u32) -> Option<String> {
    let list = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let own = list.lines().find_map(|line| line.strip_prefix("0::"))?;
    let outer = own
        .split_once("/scopeward-s-")
        .map_or(own, |(outer, _)| if outer.is_empty() { "/" } else { outer });
    Some(outer.to_owned())
}

/// The innermost unit of systemd.
fn unit(cgroup: &str) -> Option<String> {
    let is_unit = |name: &&str| [".service", ".scope"].iter().any(|suffix| name.ends_with(suffix));
    cgroup.rsplit('/').find(is_unit).map(str::to_owned)
}

/// The id of a container, as runtimes name its cgroup: 64 hexadecimal digits, with or without a prefix and suffix.
fn container(cgroup: &str) -> Option<String> {
    const DIGITS: usize = 64;
    cgroup.rsplit('/').find_map(|name| {
        let name = name.strip_suffix(".scope").unwrap_or(name);
        let id = name.rsplit(['-', ':']).next()?;
        let whole = id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then(|| id.to_owned())
    })
}

/// A small regular file; never waits for a pipe that somebody put in its place.
fn small_file(path: &Path) -> Option<String> {
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The repository that a directory is in.
fn repository(cwd: &Path) -> Option<Repository> {
    let root = cwd
        .ancestors()
        .find(|dir| dir.join(".git").symlink_metadata().is_ok())?;
    let git = git_directory(root);
    let head = small_file(&git.join("HEAD"));
    let branch = head
        .as_deref()
        .and_then(|head| head.trim().strip_prefix("ref: refs/heads/"))
        .map(str::to_owned);
    let remote = small_file(&git.join("config"))
        .and_then(|config| value(&config, "[remote \"origin\"]", "url"))
        .map(|url| without_credentials(&url));
    Some(Repository {
        root: root.to_string_lossy().into_owned(),
        branch,
        remote,
    })
}

/// `.git`, or what it points to in a worktree.
fn git_directory(root: &Path) -> PathBuf {
    let at = root.join(".git");
    let pointed = small_file(&at).and_then(|text| {
        let to = text.trim().strip_prefix("gitdir: ")?.to_owned();
        Some(root.join(to))
    });
    let Some(worktree) = pointed else { return at };
    match small_file(&worktree.join("commondir")) {
        Some(common) => worktree.join(common.trim()),
        None => worktree,
    }
}

/// Who commits there: the repository's configuration, else the user's.
fn git_identity(repository: Option<&Repository>, home: &Path) -> Option<GitIdentity> {
    let own = repository.map(|repository| git_directory(Path::new(&repository.root)).join("config"));
    let files = own
        .into_iter()
        .chain([home.join(".gitconfig"), home.join(".config/git/config")]);
    let texts: Vec<String> = files.filter_map(|path| small_file(&path)).collect();
    let find = |key| texts.iter().find_map(|text| value(text, "[user]", key));
    let (name, email) = (find("name"), find("email"));
    (name.is_some() || email.is_some()).then_some(GitIdentity { name, email })
}

/// A value of git's configuration.
fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line.eq_ignore_ascii_case(section);
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim().eq_ignore_ascii_case(key)
        {
            // The last one holds, as with git.
            found = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    found
}

/// A remote's address without a user's name and password.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_containers_are_read_from_cgroups() {
        let id = "0123456789abcdef".repeat(4);
        for (cgroup, unit_name, container_id) in [
            (
                "/system.slice/my-agent.service".to_owned(),
                Some("my-agent.service"),
                false,
            ),
            (
                "/user.slice/user-1000.slice/session-3.scope".to_owned(),
                Some("session-3.scope"),
                false,
            ),
            (format!("/system.slice/docker-{id}.scope"), Some("docker"), true),
            (format!("/kubepods/burstable/pod1/{id}"), None, true),
            (
                format!("/kubepods.slice/cri-containerd-{id}.scope"),
                Some("cri"),
                true,
            ),
            ("/".to_owned(), None, false),
        ] {
            let found = unit(&cgroup);
            assert_eq!(found.is_some(), unit_name.is_some(), "{cgroup}");
            assert!(
                found
                    .unwrap_or_default()
                    .starts_with(unit_name.unwrap_or_default())
            );
            assert_eq!(container(&cgroup).as_ref() == Some(&id), container_id, "{cgroup}");
        }
    }

    #[test]
    fn each_change_of_user_is_one_step() {
        let one = |pid, exe: &str, uid| Ancestor {
            pid,
            exe: exe.to_owned(),
            uid,
        };
        let chain = [
            one(9, "/usr/bin/agent", 33),
            one(8, "/usr/bin/su", 0),
            one(7, "/usr/bin/bash", 0),
            one(6, "/usr/bin/sudo", 0),
            one(5, "/usr/bin/sudo", 0),
            one(4, "/usr/bin/bash", 1_000),
            one(3, "/usr/sbin/sshd-session", 1_000),
        ];
        let step = |program: &str, from, to| SudoStep {
            program: program.to_owned(),
            from,
            to,
        };
        assert_eq!(sudo(&chain), [step("sudo", 1_000, 0), step("su", 0, 33)]);
        assert!(sudo(&chain[4..]).is_empty());
    }

    #[test]
    fn repositories_are_found_from_below_and_keep_no_password() {
        let dir = tempfile::tempdir().unwrap();
        let git = dir.path().join("repo/.git");
        fs::create_dir_all(&git).unwrap();
        fs::create_dir_all(dir.path().join("repo/src/deep")).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/fix/it\n").unwrap();
        let config = "[remote \"origin\"]\n\turl = https://dev:hunter2@forge.example/a/b.git\n[user]\n name = Dev\n\temail = \"dev@example.org\"\n";
        fs::write(git.join("config"), config).unwrap();
        let found = repository(&dir.path().join("repo/src/deep")).unwrap();
        assert_eq!(found.branch.as_deref(), Some("fix/it"));
        assert_eq!(found.remote.as_deref(), Some("https://forge.example/a/b.git"));
        let identity = git_identity(Some(&found), dir.path()).unwrap();
        assert_eq!(
            (identity.name.as_deref(), identity.email.as_deref()),
            (Some("Dev"), Some("dev@example.org"))
        );
        assert_eq!(repository(Path::new("/proc")), None);
        assert_eq!(git_identity(None, dir.path()), None);
    }

    #[test]
    fn a_process_knows_its_own_directory() {
        let own = of(std::process::id());
        let cwd = std::env::current_dir().unwrap();
        assert_eq!(own.cwd.as_deref(), cwd.to_str());
        assert_eq!(of(0).cwd, None);
    }
}
