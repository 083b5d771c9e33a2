//! Tries one technique and leaves what it obtained where the harness finds it.

use std::process::ExitCode;

use scopeward_tests::attack::command::{Order, USAGE};
use scopeward_tests::attack::supervise::carry_out;
use scopeward_tests::attack::technique::TECHNIQUES;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|word| word == "list") {
        for technique in TECHNIQUES {
            println!("{}", technique.name);
        }
        return ExitCode::SUCCESS;
    }
    let order = match Order::parse(arguments) {
        Ok(order) => order,
        Err(error) => {
            eprintln!("attack: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match carry_out(&order) {
        Ok(made) => {
            println!(
                "{}",
                serde_json::json!({ "technique": order.technique.name, "made": made })
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("attack: failed to make the attempts: {error}");
            ExitCode::FAILURE
        }
    }
}
