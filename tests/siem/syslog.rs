//! rsyslog with TLS, and syslog-ng: killed with kill -9, down, stopped.

use std::path::Path;
use std::process::Command;

use scopeward::export::settings::{DestinationSettings, SyslogSettings, SyslogTransport, TlsSettings};

use crate::feed::{Feed, check, ids_in, settings};
use crate::packages;
use crate::server::{Server, certificates, free_port};

fn to(port: u16, transport: SyslogTransport, ca: Option<&Path>) -> DestinationSettings {
    DestinationSettings::Syslog(SyslogSettings {
        transport,
        address: format!("127.0.0.1:{port}"),
        facility: 16,
        tls: TlsSettings {
            ca: ca.map(Path::to_owned),
            ..TlsSettings::default()
        },
    })
}

fn rsyslog(root: &Path, dir: &Path, port: u16) -> Server {
    certificates(dir);
    let at = dir.display();
    let config = format!(
        r#"global(workDirectory="{at}" maxMessageSize="256k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{at}/ca.pem"
  defaultNetstreamDriverCertFile="{at}/cert.pem" defaultNetstreamDriverKeyFile="{at}/key.pem")
main_queue(queue.type="Direct")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\n")
ruleset(name="in") {{ action(type="omfile" file="{at}/out" template="raw" asyncWriting="off" flushOnTXEnd="on") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="in")
"#
    );
    std::fs::write(dir.join("rsyslog.conf"), config).expect("as the test made it");
    let (root, dir) = (root.to_owned(), dir.to_owned());
    Server::start(port, move || {
        let mut command = Command::new(root.join("usr/sbin/rsyslogd"));
        command
            .env("LD_LIBRARY_PATH", packages::libraries(&root))
            .arg("-n")
            .arg("-f")
            .arg(dir.join("rsyslog.conf"))
            .arg("-i")
            .arg(dir.join("pid"))
            .arg("-M")
            .arg(packages::libraries(&root).join("rsyslog"));
        // A pid file that a killed one left keeps the next one from starting.
        std::fs::remove_file(dir.join("pid")).ok();
        command
    })
}

#[test]
fn rsyslog_with_tls_gets_every_event() {
    let Some(root) = packages::or_skip(&["rsyslog", "rsyslog-gnutls"]) else {
        return;
    };
    let dir = tempfile::tempdir().expect("as the test made it");
    let port = free_port();
    let mut server = rsyslog(&root, dir.path(), port);
    let feed = Feed::start(&settings(to(
        port,
        SyslogTransport::Tls,
        Some(&dir.path().join("ca.pem")),
    )));
    let status = feed.finish(|| server.trouble());
    eprintln!(
        "{}: killed, left down or stopped {} times",
        status.destination,
        server.troubles()
    );
    assert!(status.retries > 0, "something was in the way");
    server.stop();
    let twice = check(&ids_in(&dir.path().join("out")), 0);
    eprintln!("rsyslog: {twice} events twice");
}

#[test]
fn a_certificate_of_somebody_else_is_not_spoken_to() {
    let Some(root) = packages::or_skip(&["rsyslog", "rsyslog-gnutls"]) else {
        return;
    };
    let (dir, other) = (
        tempfile::tempdir().expect("as the test made it"),
        tempfile::tempdir().expect("as the test made it"),
    );
    certificates(other.path());
    let port = free_port();
    let _server = rsyslog(&root, dir.path(), port);
    let feed = Feed::start(&settings(to(
        port,
        SyslogTransport::Tls,
        Some(&other.path().join("ca.pem")),
    )));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !feed.status().failing {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let error = feed.status().last_error.expect("as the test made it").error;
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(feed.status().totals.delivered, 0);
    assert_eq!(ids_in(&dir.path().join("out")), Vec::<String>::new());
}

#[test]
fn syslog_ng_gets_every_event() {
    let Some(root) = packages::or_skip(&["syslog-ng-core"]) else {
        return;
    };
    let dir = tempfile::tempdir().expect("as the test made it");
    let port = free_port();
    let at = dir.path().display();
    let config = format!(
        r#"@version: 3.38
options {{ log-msg-size(262144); flush-lines(1); keep-hostname(yes); }};
source s {{ syslog(ip("127.0.0.1") port({port}) transport("tcp") flags(no-multi-line, store-raw-message)); }};
destination d {{ file("{at}/out" template("${{RAWMSG}}\n") flush-lines(1)); }};
log {{ source(s); destination(d); flags(flow-control); }};
"#
    );
    std::fs::write(dir.path().join("syslog-ng.conf"), config).expect("as the test made it");
    let folder = dir.path().to_owned();
    let mut server = Server::start(port, move || {
        let mut command = Command::new(root.join("usr/sbin/syslog-ng"));
        let own = root.join("usr/lib/syslog-ng");
        let libraries = format!(
            "{}:{}:{}",
            packages::libraries(&root).display(),
            root.join("lib/x86_64-linux-gnu").display(),
            own.display()
        );
        command
            .env("LD_LIBRARY_PATH", libraries)
            .args(["-F", "--no-caps", "-f"])
            .arg(folder.join("syslog-ng.conf"))
            .arg("-R")
            .arg(folder.join("persist"))
            .arg("-p")
            .arg(folder.join("pid"))
            .arg("-c")
            .arg(folder.join("control"))
            .arg(format!("--module-path={}", own.join("3.38").display()));
        command
    });
    let feed = Feed::start(&settings(to(port, SyslogTransport::Tcp, None)));
    // It takes what it has read for its own, and writes it a moment later: a kill -9 in that moment is its loss, which no
    // sender can see. So it is only stopped here, and ended as it should be.
    let status = feed.finish(|| server.pause());
    server.stop();
    let twice = check(&ids_in(&dir.path().join("out")), 0);
    eprintln!("syslog-ng: {twice} events twice, {} retries", status.retries);
}
