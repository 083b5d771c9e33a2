//! Deleting without end: a home is frozen after a few files, a build directory inside what may be written is not.

use std::path::Path;
use std::time::Duration;

use scopeward_tests::daemon::{Daemon, ask, listing, said};
use scopeward_tests::process::wait_until;
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;

const BOUND: Duration = Duration::from_secs(60);
/// Directories, and files in each.
const TREE: (u32, u32) = (40, 50);
/// How many files may be gone before the freeze.
const AT_MOST: usize = 200;

fn tree(at: &Path) {
    for dir in 0..TREE.0 {
        let dir = at.join(format!("d{dir}"));
        std::fs::create_dir_all(&dir).expect("make a directory");
        for file in 0..TREE.1 {
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

#[test]
fn the_removal_of_a_home_is_frozen() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let home = scratch.path("home");
    tree(&home);
    let all = files(&home);
    let daemon = Daemon::start(&scratch).expect("start the daemon");
    let session = Session::new(&scratch, &write_scope(&scratch));
    let running = session
        .start(&["rm", "-rf", &home.display().to_string()])
        .expect("start");
    let frozen = || {
        listing(&scratch, &["sessions", "--json"])
            .is_ok_and(|found| found.iter().any(|one| one["status"]["state"] == "frozen"))
    };
    assert!(
        wait_until(BOUND, frozen),
        "it is not frozen; {} of {all} files are left",
        files(&home)
    );
    let left = files(&home);
    println!("{} of {all} files were removed before the freeze", all - left);
    assert!(
        left >= all - AT_MOST && left < all,
        "{left} of {all} files are left"
    );
    let cuts = listing(
        &scratch,
        &["events", "--json", "--kind", "file.unlink", "--limit", "0"],
    )
    .expect("ask");
    let told = cuts.iter().filter(|cut| {
        cut["verdict"]["rule"] == "files.write-default"
            && cut["act"]["path"]
                .as_str()
                .is_some_and(|path| path.starts_with(&home.display().to_string()))
    });
    assert!(told.count() >= 50, "{cuts:#?}");
    let sessions = listing(&scratch, &["sessions", "--json"]).expect("ask");
    let id = sessions[0]["id"].as_str().expect("an id");
    let killed = ask(&scratch, &["kill", id, "--reason", "the test is over"]).expect("ask");
    assert!(killed.status.success(), "{}", said(&killed));
    session.end(running).expect("it ends");
    daemon.stop().expect("stop");
}

#[test]
fn the_removal_of_what_may_be_written_is_no_cut() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let scratch = Scratch::new().expect("make a directory");
    let modules = scratch.path("work/node_modules");
    tree(&modules);
    let scope = write_scope(&scratch);
    let session = Session::new(&scratch, &scope);
    let ended = session
        .run(&["rm", "-rf", &modules.display().to_string()])
        .expect("run");
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(!modules.exists());
    assert_eq!(ended.cut_count(), 0, "{:#?}", ended.events);
}
