//! Deleting without end: a home is frozen after a few files, a build directory inside what may be written is not.

use std::path::Path;
use std::time::Duration;

use scopeward_tests::daemon::{Daemon, listing};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

use crate::trying::kill;

const BOUND: Duration = Duration::from_secs(60);
/// Directories, and files in each: 57,000 in all.
const HOME: (u32, u32) = (570, 100);
/// A build directory.
const MODULES: (u32, u32) = (40, 50);
/// How many files may be gone before the freeze.
const AT_MOST: usize = 200;

fn tree(at: &Path, (dirs, each): (u32, u32)) {
    for dir in 0..dirs {
        let dir = at.join(format!("d{dir}"));
        std::fs::create_dir_all(&dir).expect("make a directory");
        for file in 0..each {
            std::fs::write(dir.join(format!("f{file}")), "x").expect("write");
        }
    }
}

fn files(at: &Path) -> usize {
    let Ok(dirs) = std::fs::read_dir(at) else { return 0 };
    dirs.flatten()
        .filter_map(|dir| Some(std::fs::read_dir(dir.path()).ok()?.count()))
        .sum()
}

fn write_scope(scratch: &Scratch) -> std::path::PathBuf {
    let work = scratch.path("work").display().to_string();
    let tables = format!(
        "[files]\nwrite = [\"{work}/**\", \"/dev/**\"]\nwrite-default = \"flag\"\n\
         [[budget]]\nweight = 50\nwithin = \"1m\"\nresponse = \"freeze\"\n"
    );
    scratch
        .write("scope.toml", scope::with(&tables))
        .expect("write the scope")
}

/// Starts `words` in a session, which `home` is the victim of; says how many files were gone when it was frozen.
fn removed(scratch: &Scratch, home: &Path, words: &[&str]) -> usize {
    tree(home, HOME);
    let all = files(home);
    let session = Session::new(scratch, &write_scope(scratch));
    let running = session.start(words).expect("start");
    let mut id = String::new();
    let frozen = wait_until(BOUND, || {
        let found = listing(scratch, &["sessions", "--json"]).unwrap_or_default();
        let frozen = found.iter().find(|one| one["status"]["state"] == "frozen");
        id = frozen
            .and_then(|one| one["id"].as_str())
            .unwrap_or_default()
            .to_owned();
        !id.is_empty()
    });
    assert!(
        frozen,
        "{words:?} is not frozen; {} of {all} files are left",
        files(home)
    );
    let gone = all - files(home);
    let told = listing(
        scratch,
        &[
            "events",
            "--json",
            "--session",
            &id,
            "--kind",
            "file.unlink",
            "--limit",
            "0",
        ],
    )
    .expect("ask");
    let named = told.iter().filter(|cut| {
        cut["verdict"]["rule"] == "files.write-default"
            && cut["act"]["path"]
                .as_str()
                .is_some_and(|path| path.starts_with(&format!("{}/d", home.display())))
    });
    assert!(named.count() >= 50, "{words:?}: {told:#?}");
    kill(scratch, &id);
    session.end(running).expect("it ends");
    gone
}

/// By the descriptor of each directory, and by paths: whatever the program, as many go as the budget has weight, and few
/// more.
#[test]
fn the_removal_of_a_home_is_frozen() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let python = |home: &str| format!("import shutil; shutil.rmtree('{home}')");
    let by_path = |home: &str| {
        format!(
            "import os\nfor d in os.listdir('{home}'):\n  d = '{home}/' + d\n  if d[-4:] != '.git':\n    for f in os.listdir(d): os.unlink(d + '/' + f)"
        )
    };
    for (name, command) in [
        ("rm", None),
        (
            "rmtree",
            Some(("python3", "-c", &python as &dyn Fn(&str) -> String)),
        ),
        ("by-path", Some(("python3", "-c", &by_path))),
        ("find", None),
        ("git", None),
    ] {
        let home = scratch.path(name);
        let at = home.display().to_string();
        std::fs::create_dir(&home).expect("make a directory");
        let gone = match command {
            Some((program, flag, script)) => removed(&scratch, &home, &[program, flag, &script(&at)]),
            None if name == "rm" => removed(&scratch, &home, &["rm", "-rf", &at]),
            None if name == "find" => removed(&scratch, &home, &["find", &at, "-delete"]),
            None => {
                git(&home, &["init", "--quiet"]);
                removed(&scratch, &home, &["git", "-C", &at, "clean", "-fdxq"])
            }
        };
        println!("{name}: {gone} of 57000 files were removed before the freeze");
        assert!(gone > 0 && gone <= AT_MOST, "{name}: {gone} files are gone");
        std::fs::remove_dir_all(&home).expect("remove");
    }
    daemon.stop().expect("stop");
}

/// git in the directory `at`, as somebody.
pub fn git(at: &Path, words: &[&str]) {
    let done = std::process::Command::new("git")
        .arg("-C")
        .arg(at)
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "gc.auto=0",
        ])
        .args(words)
        .status()
        .expect("run git");
    assert!(done.success(), "git {words:?}");
}

/// A repository below `work` with 60 commits in loose objects.
pub fn loose_repository(work: &Path) -> std::path::PathBuf {
    let at = work.join("repo");
    std::fs::create_dir_all(&at).expect("make a directory");
    git(&at, &["init", "--quiet"]);
    for number in 0..60 {
        std::fs::write(at.join("file"), number.to_string()).expect("write");
        git(&at, &["add", "file"]);
        git(&at, &["commit", "--quiet", "-m", "more"]);
    }
    at
}

/// Real `npm ci` over an old `node_modules`, and real `git gc`, where the agent may write.
#[test]
fn what_tools_remove_in_their_own_places_is_no_cut() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let work = scratch.path("work");
    let at = loose_repository(&work);
    let loose = |at: &Path| files(&at.join(".git/objects"));
    let before = loose(&at);
    let scope = write_scope(&scratch);
    let repo = at.display().to_string();
    let ended = Session::new(&scratch, &scope)
        .run(&["git", "-C", &repo, "gc", "--quiet", "--prune=now"])
        .expect("run");
    assert!(ended.status.success(), "{}", ended.stderr);
    let after = loose(&at);
    assert!(
        before > 150 && after < 20,
        "git gc removed {before} - {after} files"
    );
    assert_eq!(ended.cut_count(), 0, "{:#?}", ended.events);

    if std::process::Command::new("npm")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: npm ci, because there is no npm");
        return;
    }
    let (module, script) = npm_project(&work);
    let ended = Session::new(&scratch, &scope)
        .events_to(&scratch.path("npm"))
        .run(&["bash", "-c", &script])
        .expect("run");
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(!module.join("d0/stale").exists(), "it was installed anew");
    assert_eq!(ended.cut_count(), 0, "{:#?}", ended.events);
}

/// A project below `work` with four packages installed, and a stale file in the first one, which comes with the command
/// that installs everything anew.
pub fn npm_project(work: &Path) -> (std::path::PathBuf, String) {
    let app = work.join("app");
    std::fs::create_dir_all(&app).expect("make a directory");
    let mut dependencies = Vec::new();
    for number in 0..4 {
        let package = work.join(format!("package{number}"));
        tree(&package, (4, 25));
        let manifest = format!("{{\"name\":\"package{number}\",\"version\":\"1.0.0\"}}");
        std::fs::write(package.join("package.json"), manifest).expect("write");
        npm(work, &app, &["pack", "--silent", &package.display().to_string()]);
        dependencies.push(format!("\"package{number}\":\"file:package{number}-1.0.0.tgz\""));
    }
    let manifest = format!(
        "{{\"name\":\"app\",\"version\":\"1.0.0\",\"dependencies\":{{{}}}}}",
        dependencies.join(",")
    );
    std::fs::write(app.join("package.json"), manifest).expect("write");
    npm(
        work,
        &app,
        &["install", "--offline", "--no-audit", "--no-fund", "--silent"],
    );
    let module = app.join("node_modules/package0");
    assert_eq!(files(&module), 100, "it is installed");
    std::fs::write(module.join("d0/stale"), "x").expect("write");
    let script = format!(
        "cd {} && npm_config_cache={}/cache HOME={} npm ci --offline --no-audit --no-fund --silent",
        app.display(),
        work.display(),
        work.display()
    );
    (module, script)
}

fn npm(work: &Path, at: &Path, words: &[&str]) {
    let done = std::process::Command::new("npm")
        .args(words)
        .current_dir(at)
        .env("npm_config_cache", work.join("cache"))
        .env("HOME", work)
        .status()
        .expect("run npm");
    assert!(done.success(), "npm {words:?}");
}

#[test]
fn the_removal_of_what_may_be_written_is_no_cut() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let modules = scratch.path("work/node_modules");
    tree(&modules, MODULES);
    let scope = write_scope(&scratch);
    let session = Session::new(&scratch, &scope);
    let ended = session
        .run(&["rm", "-rf", &modules.display().to_string()])
        .expect("run");
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(!modules.exists());
    assert_eq!(ended.cut_count(), 0, "{:#?}", ended.events);
}
