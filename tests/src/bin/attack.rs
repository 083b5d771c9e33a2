//! Tries one technique and leaves what it obtained where the harness finds it.

use std::process::ExitCode;
use std::time::Duration;

use scopeward_tests::attack::catalogue::TECHNIQUES;
use scopeward_tests::attack::command::{Order, USAGE};
use scopeward_tests::attack::storm::{rage, storm};
use scopeward_tests::attack::supervise::carry_out;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|word| word == "list") {
        for technique in TECHNIQUES {
            println!("{}", technique.name);
        }
        return ExitCode::SUCCESS;
    }
    if arguments.peek().is_some_and(|word| word == "storm") {
        let words: Vec<_> = arguments.skip(1).collect();
        let [loot, on, sign, seconds] = words.as_slice() else {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        };
        let seconds = seconds.to_str().and_then(|text| text.parse().ok()).unwrap_or(10);
        let storm = storm(
            loot.as_ref(),
            on.as_ref(),
            sign.as_ref(),
            Duration::from_secs(seconds),
        );
        return end("storm", rage(&storm));
    }
    let order = match Order::parse(arguments) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("attack: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    end(order.technique.name, carry_out(&order))
}

fn end(name: &str, outcome: std::io::Result<usize>) -> ExitCode {
    match outcome {
        Ok(made) => {
            println!("{}", serde_json::json!({ "technique": name, "made": made }));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("attack: failed to make the attempts: {error}");
            ExitCode::FAILURE
        }
    }
}
