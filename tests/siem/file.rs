//! A file of lines on a disk that is full at random, moved away by others at random, in a directory that goes away.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use scopeward::export::settings::{DestinationSettings, FileSettings};
use scopeward_tests::requirement::{say_skipped, test_name};

use crate::feed::{Feed, check, events, settings};

/// A small disk of its own, which goes with it.
struct Disk {
    at: PathBuf,
}

impl Disk {
    fn at(at: &Path) -> nix::Result<Self> {
        let size = format!("size={}m", 8 + events() * 1_400 / (1 << 20));
        let kind = Some("tmpfs");
        mount(kind, at, kind, MsFlags::empty(), Some(size.as_str()))?;
        Ok(Self { at: at.to_owned() })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        umount2(&self.at, MntFlags::MNT_DETACH).ok();
    }
}

/// What happens to the file.
struct Trouble {
    folder: PathBuf,
    count: u32,
    next: Instant,
}

impl Trouble {
    /// How often something happens for each 20,000 events, and ten times as often at most.
    const MOST: u32 = 9;

    fn happen(&mut self) {
        let times = u32::try_from(events().div_ceil(20_000)).expect("as the test made it");
        if Instant::now() < self.next || self.count >= Self::MOST * times.clamp(1, 10) {
            return;
        }
        let file = self.folder.join("out.ndjson");
        match self.count % 3 {
            // No room for anything, in the middle of a line more often than not.
            0 => {
                let filler = self.folder.join("../filler");
                let mut full = fs::File::create(&filler).expect("as the test made it");
                while full.write(&[0; 4_096]).is_ok_and(|n| n > 0) {}
                std::thread::sleep(Duration::from_millis(300));
                fs::remove_file(filler).expect("as the test made it");
            }
            // Moved away by others, as logrotate does.
            1 => drop(fs::rename(
                &file,
                self.folder.join(format!("moved.{:05}", self.count)),
            )),
            // The directory is somewhere else for a while, and a file is where it was.
            _ => {
                let aside = self.folder.with_extension("aside");
                fs::rename(&self.folder, &aside).expect("as the test made it");
                fs::write(&self.folder, "in the way").expect("as the test made it");
                std::thread::sleep(Duration::from_millis(200));
                fs::remove_file(&self.folder).expect("as the test made it");
                fs::rename(&aside, &self.folder).expect("as the test made it");
            }
        }
        self.count += 1;
        self.next = Instant::now() + Duration::from_millis(150) * times.div_ceil(10);
    }
}

#[test]
fn a_file_has_every_event_once() {
    let dir = tempfile::tempdir().expect("as the test made it");
    let _disk = match Disk::at(dir.path()) {
        Ok(disk) => disk,
        Err(error) => {
            say_skipped(
                &test_name(),
                &format!("no disk of its own for this test: {error}"),
            );
            return;
        }
    };
    let folder = dir.path().join("logs");
    fs::create_dir(&folder).expect("as the test made it");
    let feed = Feed::start(&settings(DestinationSettings::File(FileSettings {
        path: folder.join("out.ndjson"),
        bytes: 4 << 20,
        keep: 10_000,
    })));
    let mut trouble = Trouble {
        folder: folder.clone(),
        count: 0,
        next: Instant::now(),
    };
    let status = feed.finish(|| trouble.happen());
    eprintln!("file: full, moved or gone {} times", trouble.count);
    assert!(status.retries > 0, "something was in the way");
    let mut ids = Vec::new();
    for entry in fs::read_dir(&folder).expect("as the test made it") {
        let text =
            fs::read_to_string(entry.expect("as the test made it").path()).expect("as the test made it");
        assert!(text.is_empty() || text.ends_with('\n'), "half a line stays");
        for line in text.lines() {
            let event: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            ids.push(event["id"].as_str().expect("an id").to_owned());
        }
    }
    // Files are rotated by us and moved by others: which came first is in the lines.
    ids.sort();
    assert_eq!(check(&ids, 0), 0, "each once");
}
