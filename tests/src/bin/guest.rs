//! Init of the virtual machines of `cargo xtask vm`: mounts what a system has, runs the plan's steps, reports them by
//! the second serial port, and ends the machine. Run as anything but the first process it does nothing.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use scopeward_tests::guest::plan::{PLACE, Plan};
use scopeward_tests::guest::report::{PORT, Report};
use scopeward_tests::guest::{steps, system};

fn main() -> ExitCode {
    if std::process::id() != 1 {
        eprintln!("guest: only for the first process of a virtual machine");
        return ExitCode::from(2);
    }
    if let Err(error) = run() {
        eprintln!("guest: {error}");
    }
    eprintln!("guest: cannot end the machine: {}", system::end());
    // An init that ends is a kernel panic, and `panic=-1` ends the machine too.
    std::thread::sleep(Duration::from_secs(1));
    ExitCode::FAILURE
}

fn run() -> io::Result<()> {
    let plan = Plan::read(Path::new(PLACE))?;
    let lacking = system::prepare()?;
    let report = Report::open(Path::new(PORT), &plan.nonce)?;
    for fact in system::facts() {
        report.say("fact", &fact);
    }
    for part in lacking {
        report.say("lacking", &part);
    }
    for module in &plan.modules {
        if let Err(error) = system::load_module(module) {
            report.say("lacking", &format!("{}: {error}", module.display()));
        }
    }
    steps::run(&plan, &report);
    if let Err(error) = steps::tell_results(&plan.results, &report) {
        report.say("lacking", &format!("results: {error}"));
    }
    report.say("done", "");
    report.drain()
}
