//! The units of the package, as systemd itself judges them.

use std::path::Path;
use std::process::Command;

use scopeward_tests::requirement::{Need, require};
use scopeward_tests::scratch::Scratch;

/// The most exposure that `systemd-analyze security` may find, of 10. Measured: 4.4 with systemd 252. What is left
/// open is what a host monitor is: root, the host's processes, files, network and cgroups, and the right to load
/// kernel programs.
const MOST: &str = "45";

fn package(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../monitor/package")
        .join(name)
}

#[test]
fn they_are_well_formed() {
    if !require(&[Need::SystemdAnalyze]) {
        return;
    }
    let scratch = Scratch::new().expect("make a directory");
    let mut files = Vec::new();
    for name in ["scopeward.service", "scopeward.socket"] {
        let text = std::fs::read_to_string(package(name)).expect("read the unit");
        // Where the package would install the program, there is none here.
        let text = text.replace("/usr/bin/scopeward", "/bin/true");
        files.push(scratch.write(name, text).expect("write the unit"));
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(&files)
        .output()
        .expect("run systemd-analyze");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("scopeward"))
        // systemd before 253 stays with Type=notify then, as the unit says.
        .filter(|line| !line.ends_with("Failed to parse service type, ignoring: notify-reload"))
        .collect();
    assert_eq!(complaints, Vec::<&str>::new(), "{said}");
}

#[test]
fn the_service_is_shut_in_as_far_as_a_host_monitor_can_be() {
    if !require(&[Need::SystemdAnalyze]) {
        return;
    }
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={MOST}"))
        .arg(package("scopeward.service"))
        .output()
        .expect("run systemd-analyze");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let overall = said.lines().rev().find(|line| line.contains("Overall exposure"));
    assert!(output.status.success(), "{overall:?}\n{said}");
    assert!(overall.is_some(), "{said}");
}
