//! How the service is installed on this host: what `doctor` says of the unit, the group, the directories.

use std::{
    os::unix::fs::MetadataExt as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use crate::{
    config::{file::Config, paths::Paths},
    observe::probe::Fact,
};

/// Where systemd looks for units, the ones that win first.
const UNITS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// Looks at this host.
#[must_use]
pub fn look(config: &Config) -> Vec<Fact> {
    let root = Path::new("/");
    let mut facts = unit(root);
    facts.push(group(&config.api.group));
    facts.extend(directories(&config.paths));
    facts.push(daemon(&config.paths.socket()));
    facts
}

/// The unit, and its watchdog.
fn unit(root: &Path) -> Vec<Fact> {
    let what = "unit";
    let found = UNITS
        .iter()
        .map(|directory| root.join(directory).join("scopeward.service"))
        .find(|path| path.exists());
    let Some(path) = found else {
        let fact = Fact::missing(
            what,
            "scopeward.service is not installed: no session is held before somebody starts the daemon",
        );
        return vec![fact.with("install the package (docs/operations.md)")];
    };
    let at = path.display();
    let enabled = UNITS.iter().take(2).any(|directory| {
        std::fs::read_dir(root.join(directory))
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "wants")
                    && entry.path().join("scopeward.service").symlink_metadata().is_ok()
            })
    });
    let unit = if enabled {
        Fact::ok(what, format!("{at}, started at boot"))
    } else {
        Fact::limited(what, format!("{at}, not started at boot"))
            .with("systemctl enable --now scopeward.socket scopeward.service")
    };
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let watched = text
        .lines()
        .find_map(|line| line.strip_prefix("WatchdogSec="))
        .filter(|time| !time.is_empty() && *time != "0");
    let what = "watchdog";
    let watchdog = match watched {
        Some(time) => Fact::ok(
            what,
            format!(
                "a daemon whose heartbeat does not come through the ring and the store is started again after {time}"
            ),
        ),
        None => Fact::limited(what, format!("{at} has none: a daemon that hangs stays as it is"))
            .with("write WatchdogSec=30s into its [Service]"),
    };
    vec![unit, watchdog]
}

fn group(name: &str) -> Fact {
    let what = "group";
    if name.is_empty() {
        return Fact::ok(
            what,
            "none is wanted: root and operators alone read everybody's events",
        );
    }
    match nix::unistd::Group::from_name(name) {
        Ok(Some(group)) => {
            let members = group.mem.len();
            Fact::ok(
                what,
                format!("{name}: {members} members read everybody's sessions and events"),
            )
        }
        _ => Fact::limited(
            what,
            format!("there is no group {name}: root and operators alone read everybody's events"),
        )
        .with(format!("groupadd --system {name}")),
    }
}

fn directories(paths: &Paths) -> Vec<Fact> {
    let wanted: [(&'static str, PathBuf, u32, u32); 3] = [
        // Anybody reaches the socket; nobody but root makes anything there.
        ("run directory", paths.run.clone(), 0o022, 0o755),
        // What agents did, with arguments and paths: root's alone, the API says who reads what.
        ("store", paths.state.clone(), 0o077, 0o700),
        ("scopes", paths.scopes.clone(), 0o022, 0o755),
    ];
    wanted
        .into_iter()
        .map(|(what, path, forbidden, right)| directory(what, &path, forbidden, right))
        .collect()
}

fn directory(what: &'static str, path: &Path, forbidden: u32, right: u32) -> Fact {
    let at = path.display();
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Fact::limited(what, format!("{at} is not there"))
                .with(format!("install -d -m {right:o} -o root -g root {at}"));
        }
        Err(error) => return Fact::limited(what, format!("{at} cannot be looked at: {error}")),
    };
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() != 0 || mode & forbidden != 0 {
        return Fact::limited(
            what,
            format!("{at} belongs to uid {} and has mode {mode:o}", metadata.uid()),
        )
        .with(format!("chown root:root {at} && chmod {right:o} {at}"));
    }
    Fact::ok(what, format!("{at}, root's, mode {mode:o}"))
}

fn daemon(socket: &Path) -> Fact {
    let what = "daemon";
    let at = socket.display();
    match UnixStream::connect(socket) {
        Ok(_) => Fact::ok(
            what,
            format!("its socket {at} is served; `scopeward status` says how it is doing"),
        ),
        Err(error) => {
            Fact::limited(what, format!("nothing answers at {at}: {error}")).with("systemctl start scopeward")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::probe::State;

    #[test]
    fn a_unit_is_found_with_its_watchdog_and_whether_it_starts() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(unit(root.path())[0].state, State::Missing);
        let units = root.path().join("usr/lib/systemd/system");
        std::fs::create_dir_all(&units).unwrap();
        let file = units.join("scopeward.service");
        std::fs::write(&file, "[Service]\nWatchdogSec=0\n").unwrap();
        let found = unit(root.path());
        assert_eq!((found[0].state, found[1].state), (State::Limited, State::Limited));
        std::fs::write(&file, "[Service]\nWatchdogSec=30s\n").unwrap();
        let wants = root.path().join("etc/systemd/system/basic.target.wants");
        std::fs::create_dir_all(&wants).unwrap();
        std::os::unix::fs::symlink("/nowhere", wants.join("scopeward.service")).unwrap();
        let found = unit(root.path());
        assert_eq!((found[0].state, found[1].state), (State::Ok, State::Ok));
    }

    #[test]
    fn a_directory_that_others_can_change_is_told_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let fact = directory("store", dir.path(), 0o077, 0o700);
        assert_eq!(fact.state, State::Limited);
        assert!(fact.change.unwrap().contains("chmod 700"));
        let fact = directory("store", &dir.path().join("none"), 0o077, 0o700);
        assert!(fact.change.unwrap().contains("install -d -m 700"));
    }
}
