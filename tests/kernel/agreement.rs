//! The kernel answers from its tables as `evaluate` does from the scope: random scopes over things that overlap often,
//! each act of a session decided in the kernel, and again by `scopeward replay` from the record.

use std::collections::BTreeMap;

use scopeward_tests::daemon::{ask, said};
use scopeward_tests::requirement::{Need, require, take_turn};
use scopeward_tests::scope;
use scopeward_tests::scratch::Scratch;
use scopeward_tests::session::Session;
use serde_json::Value;

const FILES: [&str; 7] = [
    "tree/one",
    "tree/two",
    "tree/a/one",
    "tree/a/b/one",
    "tree/a/b/c.key",
    "other/one",
    "other/two.key",
];
const PATTERNS: [&str; 12] = [
    "DIR/tree/one",
    "DIR/tree/*",
    "DIR/tree/**",
    "DIR/tree/a/**",
    "DIR/tree/a/b/one",
    "DIR/tree/a/b/*.key",
    "DIR/other/**",
    "DIR/other/t*",
    "**/b/one",
    "**/a/**",
    "*.key",
    "DIR/absent/**",
];
const ENDPOINTS: [&str; 9] = [
    "127.0.0.1",
    "127.0.0.0/8",
    "127.0.0.0/30:9",
    "127.0.0.1:9/tcp",
    "127.0.0.1:1-9/udp",
    "::1",
    "[::1]:9",
    "@loopback",
    "[::ffff:127.0.0.2]:9",
];
const PROGRAMS: [&str; 3] = ["tree/tool", "tree/a/tool", "other/instrument"];
const PROGRAM_PATTERNS: [&str; 6] = [
    "DIR/tree/tool",
    "DIR/tree/**",
    "**/tool",
    "DIR/other/*",
    "**/instr*",
    "DIR/tree/a/tool",
];

/// Every way to use each file, each program, and each endpoint; refusals do not end it.
const ACTS: &str = r#"
import os, socket, subprocess, sys
files, programs = sys.argv[1].split(","), sys.argv[2].split(",")
def attempt(act):
    try:
        return act()
    except OSError:
        pass
for path in files:
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        fd = attempt(lambda: os.open(path, flags))
        if fd is not None:
            os.close(fd)
for program in programs:
    attempt(lambda: subprocess.run([program]))
for family, to in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.1.0.1"),
                   (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.2")):
    for port in (9, 10):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            one = socket.socket(family, kind)
            attempt(lambda: one.connect((to, port)))
            one.close()
"#;

/// xorshift64: the same scopes on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count as u64).expect("fits")
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn response(&mut self) -> &'static str {
        self.of(&["allow", "flag", "deny", "freeze", "kill"])
    }
}

fn rule(dice: &mut Dice) -> String {
    let response = dice.response();
    match dice.below(10) {
        0..6 => {
            let access = dice.of(&["[\"read\"]", "[\"write\"]", "[\"read\", \"write\"]"]);
            let unless = match dice.below(4) {
                0 => "\n[[files.rule.unless]]\nexe = \"**/python3*\"",
                1 => "\n[[files.rule.unless]]\nancestor = \"**/dash\"\npaths = [\"DIR/tree/a/**\"]",
                2 => "\n[[files.rule.unless]]\nexe = \"/nonexistent/program\"",
                _ => "",
            };
            format!(
                "[[files.rule]]\npaths = [{:?}]\naccess = {access}\nresponse = \"{response}\"{unless}",
                dice.of(&PATTERNS)
            )
        }
        6 | 7 => format!(
            "[[exec.rule]]\nexe = [{:?}]\nresponse = \"{response}\"",
            dice.of(&PROGRAM_PATTERNS)
        ),
        _ => format!(
            "[[network.rule]]\nto = [{:?}]\nresponse = \"{response}\"",
            dice.of(&ENDPOINTS)
        ),
    }
}

fn random_scope(dice: &mut Dice) -> String {
    let files = format!("[files]\ndefault = \"{}\"", dice.of(&["allow", "flag"]));
    let network = format!("[network]\ndefault = \"{}\"", dice.of(&["allow", "deny"]));
    let mut tables = vec![files, network];
    if dice.below(2) == 0 {
        tables[0].push_str("\nwrite = [\"DIR/tree/a/**\"]\nwrite-default = \"flag\"");
    }
    let rules = 2 + dice.below(8);
    tables.extend((0..rules).map(|_| rule(dice)));
    tables.join("\n")
}

/// By event: what it was, what was called for, and for a cut by which rule.
fn answers<'e>(events: impl Iterator<Item = &'e Value>) -> BTreeMap<String, String> {
    events
        .map(|event| {
            let called_for = &event["verdict"]["called_for"];
            let rule = if called_for == "allow" {
                &Value::Null
            } else {
                &event["verdict"]["rule"]
            };
            let answer = format!(
                "{called_for} by {rule} for {} {}",
                event["act"], event["process"]["exe"]
            );
            (event["id"].to_string(), answer)
        })
        .collect()
}

#[test]
fn the_kernel_answers_as_the_scope_says() {
    if !require(&[Need::Root, Need::Bpf, Need::Scopeward]) {
        return;
    }
    let _turn = take_turn();
    let cases = std::env::var("SCOPEWARD_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(8);
    let mut dice = Dice(0x5c09_e3a7_d110_77b5);
    for case in 0..cases {
        let scratch = Scratch::new().expect("make a directory");
        for file in FILES.iter().chain(&PROGRAMS) {
            let path = scratch.path(file);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("make directories");
            std::fs::write(&path, "content").expect("write");
        }
        for program in PROGRAMS {
            std::fs::copy("/bin/true", scratch.path(program)).expect("copy a program");
        }
        let directory = scratch.path("").display().to_string();
        let text = scope::with(&random_scope(&mut dice)).replace("DIR", directory.trim_end_matches('/'));
        let file = scratch.write("scope.toml", &text).expect("write the scope");
        let paths = |names: &[&str]| {
            let paths = names.iter().map(|name| scratch.path(name).display().to_string());
            paths.collect::<Vec<_>>().join(",")
        };
        let acts = scratch.write("acts.py", ACTS).expect("write the acts");
        let script = format!(
            "python3 {} {} {}; true",
            acts.display(),
            paths(&FILES),
            paths(&PROGRAMS)
        );
        let ended = Session::new(&scratch, &file)
            .observing()
            .run(&["sh", "-c", &script])
            .expect("run");
        assert!(ended.status.success(), "case {case}: {ended:?}\n{text}");
        let scratch_acts = |event: &&Value| {
            // What the ledger makes of several acts together is no answer of the scope to one.
            let rule = event["verdict"]["rule"].as_str().unwrap_or_default();
            if rule.starts_with("pattern.") {
                return false;
            }
            let kind = event["act"]["kind"].as_str().unwrap_or_default();
            let path = event["act"]["path"].as_str().unwrap_or_default();
            kind == "net.connect"
                || matches!(kind, "file.open" | "process.exec") && path.starts_with(&directory)
        };
        let kernel = answers(ended.events.iter().filter(scratch_acts));
        assert!(
            kernel.len() >= FILES.len() * 3 + PROGRAMS.len() + 16,
            "case {case}: {} acts\n{text}",
            kernel.len()
        );
        let recorded = scratch.path("events").display().to_string();
        let scope = file.display().to_string();
        let output = ask(&scratch, &["replay", &recorded, "--scope", &scope, "--json"]).expect("ask");
        let replayed: Vec<Value> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let evaluated = answers(replayed.iter());
        assert!(evaluated.len() >= kernel.len(), "case {case}: {}", said(&output));
        let differences: Vec<String> = kernel
            .iter()
            .filter(|(id, answer)| evaluated.get(*id) != Some(answer))
            .map(|(id, answer)| format!("kernel:   {answer}\nevaluate: {:?}", evaluated.get(id)))
            .collect();
        assert!(
            differences.is_empty(),
            "case {case}:\n{}\n{text}",
            differences.join("\n")
        );
    }
}
