//! A file of lines, rotated by size. Each line arrives once, even where the daemon dies in between: what a death cut off
//! is taken back, and what is there already is not written again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::FileSettings;

/// The longest line that is looked for at the end of a file.
const MOST_LINE: u64 = 4 << 20;

/// The open file.
#[derive(Debug)]
pub struct FileDestination {
    settings: FileSettings,
    file: File,
    length: u64,
    /// The last line that was there at the opening.
    last: Option<Vec<u8>>,
}

impl FileDestination {
    /// Opens the file (mode 0600 where it is new; its directory must be there), and takes back a line without an end.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn open(settings: &FileSettings) -> Result<Self, Trouble> {
        let fail =
            |error: io::Error| Trouble::new(format!("cannot use {}: {error}", settings.path.display()));
        let mut file = append_to(&settings.path).map_err(fail)?;
        let (length, last) = settle(&mut file).map_err(fail)?;
        let last = match last {
            // The last line before a rotation is in the file before.
            None => last_line(&numbered(&settings.path, 1)),
            last => last,
        };
        Ok(Self {
            settings: settings.clone(),
            file,
            length,
            last,
        })
    }

    /// Appends the lines of `items`: all of them or, where the disk refuses, none.
    pub fn deliver(&mut self, items: &[&Item]) -> Outcome {
        match self.write(items) {
            Ok(()) => Outcome::all(items.len()),
            Err(error) => {
                let why = format!("cannot write {}: {error}", self.settings.path.display());
                Outcome::none(items.len(), Trouble::new(why))
            }
        }
    }

    fn write(&mut self, items: &[&Item]) -> io::Result<()> {
        if self.length >= self.settings.bytes {
            self.rotate()?;
        }
        self.follow()?;
        let known = self
            .last
            .take()
            .and_then(|last| items.iter().position(|item| item.body == last));
        let new = &items[known.map_or(0, |known| known + 1)..];
        let mut lines = Vec::with_capacity(new.iter().map(|item| item.body.len() + 1).sum());
        for item in new {
            lines.extend_from_slice(&item.body);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a batch must not stay: all of it is written again.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Follows the path where somebody else renamed the file.
    fn follow(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let there = fs::metadata(&self.settings.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino())) {
            // Cut by somebody else: append mode goes on at its end.
            self.length = ours.len();
            return Ok(());
        }
        self.file = append_to(&self.settings.path)?;
        (self.length, _) = settle(&mut self.file)?;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.settings.path;
        for number in (1..=self.settings.keep).rev() {
            let from = if number == 1 {
                path.clone()
            } else {
                numbered(path, number - 1)
            };
            match fs::rename(from, numbered(path, number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.settings.keep == 0 {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Cuts off what stands behind the last line's end; returns the length, and the last line.
fn settle(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(MOST_LINE);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(MOST_LINE).read_to_end(&mut tail)?;
    let end = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if end == 0 && from > 0 {
        // No line of ours: it is left alone.
        return Ok((length, None));
    }
    let whole = from + end as u64;
    if whole < length {
        file.set_len(whole)?;
    }
    let lines = &tail[..end.saturating_sub(1)];
    let begin = lines
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    Ok((whole, (end > 0).then(|| lines[begin..].to_vec())))
}

fn last_line(path: &Path) -> Option<Vec<u8>> {
    // Reading it as ours to settle is wrong for a file that is finished.
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_LINE)))
        .ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let lines = tail.strip_suffix(b"\n")?;
    let begin = lines
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    Some(lines[begin..].to_vec())
}
