//! A real server, and what happens to it.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::feed::events;

/// A server that is started again and again by the same command.
pub struct Server {
    make: Box<dyn Fn() -> Command>,
    child: Option<Child>,
    port: u16,
    chance: u64,
    next: Instant,
    troubles: u32,
}

/// How often something happens to a server at most, in a test of no more events than usual; ten times as often at most.
const MOST_TROUBLES: u32 = 12;

/// How many times as much happens in a test of this many events, and in how many times as long gaps.
fn scale() -> (u32, u32) {
    let times = u32::try_from(events().div_ceil(20_000)).expect("as the test made it");
    (times.clamp(1, 10), times.div_ceil(10).max(1))
}

/// A port of loopback that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .expect("as the test made it")
        .local_addr()
        .expect("as the test made it")
        .port()
}

impl Server {
    /// Starts what `make` makes, and waits until it listens on `port`.
    pub fn start(port: u16, make: impl Fn() -> Command + 'static) -> Self {
        let mut server = Self {
            make: Box::new(make),
            child: None,
            port,
            chance: 42,
            next: Instant::now(),
            troubles: 0,
        };
        server.up();
        server
    }

    fn up(&mut self) {
        let child = (self.make)()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("start the server");
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait().expect("as the test made it");
            if ended.is_some() || Instant::now() > until {
                let mut said = String::new();
                drop(child.kill());
                child
                    .stderr
                    .take()
                    .expect("as the test made it")
                    .read_to_string(&mut said)
                    .ok();
                panic!("the server does not listen ({ended:?}): {said}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Nobody reads it: it must not fill.
        let mut stderr = child.stderr.take().expect("as the test made it");
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        self.child = Some(child);
    }

    fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().expect("as the test made it");
        }
    }

    /// Kills it and starts it again, leaves it down for a while, or stops it for a while: one of these, from time to time.
    pub fn trouble(&mut self) {
        let (times, gap) = scale();
        if Instant::now() < self.next || self.troubles >= MOST_TROUBLES * times {
            return;
        }
        self.troubles += 1;
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let chance = self.chance >> 33;
        match chance % 3 {
            0 => {
                self.down();
                self.up();
            }
            1 => {
                self.down();
                std::thread::sleep(Duration::from_millis(chance % 400));
                self.up();
            }
            _ => {
                let pid = Pid::from_raw(
                    i32::try_from(self.child.as_ref().expect("as the test made it").id())
                        .expect("as the test made it"),
                );
                kill(pid, Signal::SIGSTOP).expect("as the test made it");
                std::thread::sleep(Duration::from_millis(chance % 400));
                kill(pid, Signal::SIGCONT).expect("as the test made it");
            }
        }
        self.next = Instant::now() + Duration::from_millis(100 + chance % 300) * gap;
    }

    /// How often something happened to it.
    pub const fn troubles(&self) -> u32 {
        self.troubles
    }

    /// Stops it for a while, from time to time.
    pub fn pause(&mut self) {
        let (times, gap) = scale();
        if Instant::now() >= self.next && self.troubles < MOST_TROUBLES * times {
            self.troubles += 1;
            let pid = Pid::from_raw(
                i32::try_from(self.child.as_ref().expect("as the test made it").id())
                    .expect("as the test made it"),
            );
            kill(pid, Signal::SIGSTOP).expect("as the test made it");
            std::thread::sleep(Duration::from_millis(150));
            kill(pid, Signal::SIGCONT).expect("as the test made it");
            self.next = Instant::now() + Duration::from_millis(100) * gap;
        }
    }

    /// Ends it as it should end.
    pub fn stop(mut self) {
        let pid = Pid::from_raw(
            i32::try_from(self.child.as_ref().expect("as the test made it").id())
                .expect("as the test made it"),
        );
        kill(pid, Signal::SIGTERM).expect("as the test made it");
        self.child
            .take()
            .expect("as the test made it")
            .wait()
            .expect("as the test made it");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

/// A certificate authority, and a certificate of it for 127.0.0.1, as `ca.pem`, `cert.pem` and `key.pem` in `dir`.
pub fn certificates(dir: &Path) {
    let script = "
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=test-ca \
            -addext basicConstraints=critical,CA:TRUE &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.csr -subj /CN=127.0.0.1 &&
        printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > ext &&
        openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out cert.pem";
    let output = Command::new("sh")
        .args(["-e", "-c", script])
        .current_dir(dir)
        .output()
        .expect("as the test made it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
