//! A process that does one act when told to: this test binary, started again.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const ACT: &str = "SCOPEWARD_TEST_ACT";

pub struct Actor(Child);

impl Actor {
    /// Starts a process that waits before it acts.
    pub fn start(act: &str, paths: &[&Path]) -> Self {
        let mut word = act.to_owned();
        for path in paths {
            word.push('\n');
            word.push_str(path.to_str().unwrap());
        }
        Self(
            Command::new(std::env::current_exe().unwrap())
                .args([
                    "actor::act",
                    "--exact",
                    "--ignored",
                    "--nocapture",
                    "--test-threads=1",
                ])
                .env(ACT, word)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// Lets it act.
    pub fn go(&mut self) {
        self.0.stdin.take().unwrap().write_all(b"g").unwrap();
    }

    /// Lets it act, if it was not let yet; its errno, or 0.
    pub fn finish(mut self) -> i32 {
        if self.0.stdin.is_some() {
            self.go();
        }
        self.0.wait().unwrap().code().unwrap()
    }
}

#[test]
#[ignore = "the body of the processes that other tests start"]
fn act() {
    let Ok(words) = std::env::var(ACT) else { return };
    let mut words = words.split('\n');
    let act = words.next().unwrap();
    let paths: Vec<PathBuf> = words.map(PathBuf::from).collect();
    let early = (act == "read-early").then(|| File::open(&paths[0]).unwrap());
    io::stdin().read_exact(&mut [0]).unwrap();
    let done = match early {
        Some(mut file) => file.read(&mut [0; 8]).map(drop),
        None => perform(act, &paths),
    };
    let code = match done {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(255),
    };
    std::process::exit(code);
}

fn perform(act: &str, paths: &[PathBuf]) -> io::Result<()> {
    let path = &paths[0];
    match act {
        "open" => read(path),
        "openat2" => openat2(path),
        "by-handle" => by_handle(path),
        "through-root" => read(&PathBuf::from(format!("/proc/self/root{}", path.display()))),
        "rename-open" => fs::rename(path, &paths[1]).and_then(|()| read(&paths[1])),
        "bind-open" => bind(path, &paths[1]).and_then(|()| read(&paths[1].join(path_name(&paths[2])))),
        "write" => File::options().append(true).open(path)?.write_all(b"more"),
        "create" => fs::write(path, "made"),
        "exec" => Err(exec(path)),
        "link" => fs::hard_link(path, &paths[1]),
        "rename" => fs::rename(path, &paths[1]),
        "unlink" => fs::remove_file(path),
        "chmod" => fs::set_permissions(path, fs::Permissions::from_mode(0o640)),
        "truncate" => truncate(path),
        "time-reads" => time(&paths[1], 20_000, &File::open(path)?, |file| {
            drop(file.read_at(&mut [0; 64], 0));
        }),
        "time-opens" => time(&paths[1], 20_000, path, |path| drop(File::open(path))),
        "churn" => (0..100_000).try_for_each(|_| fs::write(path, "x").and_then(|()| fs::remove_file(path))),
        "race" => race(path, &paths[1]),
        "steal" => steal(path),
        "spin" => {
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(2) {}
            Ok(())
        }
        "open-often" => (0..200).try_for_each(|_| read(path)),
        other => panic!("no such act: {other}"),
    }
}

/// Opens a thousand times, while other threads read from whatever descriptor that may have become.
fn steal(path: &Path) -> io::Result<()> {
    let done = AtomicBool::new(false);
    let stolen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut bytes = [0_u8; 6];
                while !done.load(Ordering::Relaxed) {
                    for fd in 3..12 {
                        // SAFETY: the buffer is as long as said; a descriptor that is not open is an error.
                        let length = unsafe { libc::pread(fd, bytes.as_mut_ptr().cast(), 6, 0) };
                        stolen.fetch_or(length == 6 && bytes == *b"secret", Ordering::Relaxed);
                    }
                }
            });
        }
        let opened = (0..1000).filter(|_| File::open(path).is_ok()).count();
        stolen.fetch_or(opened > 0, Ordering::Relaxed);
        done.store(true, Ordering::Relaxed);
    });
    if stolen.into_inner() {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EPERM))
    }
}

/// Opens without a pause for two seconds; writes how many opens succeeded.
fn race(path: &Path, into: &Path) -> io::Result<()> {
    let start = Instant::now();
    let mut won = 0;
    while start.elapsed() < Duration::from_secs(2) {
        won += u32::from(File::open(path).is_ok());
    }
    fs::write(into, won.to_string())
}

/// Writes the nanoseconds that one act takes into a file.
fn time<T: ?Sized>(into: &Path, times: u32, on: &T, act: impl Fn(&T)) -> io::Result<()> {
    let start = Instant::now();
    (0..times).for_each(|_| act(on));
    fs::write(into, (start.elapsed() / times).as_nanos().to_string())
}

fn path_name(path: &Path) -> &Path {
    Path::new(path.file_name().unwrap())
}

fn read(path: &Path) -> io::Result<()> {
    let mut content = Vec::new();
    File::open(path)?.read_to_end(&mut content)?;
    assert!(!content.is_empty());
    Ok(())
}

fn openat2(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let how: [u64; 3] = [0; 3];
    // SAFETY: `how` is a struct open_how of zeroes (read only), with its size.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            libc::AT_FDCWD,
            path.as_ptr(),
            how.as_ptr(),
            24_usize,
        )
    };
    if fd < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn by_handle(path: &Path) -> io::Result<()> {
    let mount = File::open(path.parent().unwrap())?;
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut handle = [0_u32; 34];
    handle[0] = 128;
    let mut id = 0;
    // SAFETY: the buffer holds 8 bytes of head and the 128 bytes that the head announces.
    let code = unsafe {
        libc::name_to_handle_at(
            libc::AT_FDCWD,
            path.as_ptr(),
            handle.as_mut_ptr().cast(),
            &raw mut id,
            0,
        )
    };
    assert_eq!(code, 0);
    // SAFETY: the handle was just filled in.
    let fd =
        unsafe { libc::open_by_handle_at(mount.as_raw_fd(), handle.as_mut_ptr().cast(), libc::O_RDONLY) };
    if fd < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(from), to, none, MsFlags::MS_BIND, none)?;
    Ok(())
}

fn exec(path: &Path) -> io::Error {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    nix::unistd::execv(&path, &[&path]).unwrap_err().into()
}

fn truncate(path: &Path) -> io::Result<()> {
    Ok(nix::unistd::truncate(path, 1)?)
}
