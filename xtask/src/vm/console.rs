//! What a kernel says of itself when something is wrong in it.

/// Parts of lines that a healthy kernel never writes.
const COMPLAINTS: [&str; 9] = [
    "------------[ cut here ]",
    "BUG: ",
    "kernel BUG at",
    "Oops: ",
    "WARNING: ",
    "general protection fault",
    "Kernel panic",
    "rcu: INFO: rcu_",
    "blocked for more than",
];

/// The first lines of `console` that complain, with the few after each.
pub fn complaints(console: &str) -> Vec<String> {
    let lines: Vec<&str> = console.lines().collect();
    let mut found = Vec::new();
    let mut next = 0;
    for (at, line) in lines.iter().enumerate() {
        if at >= next && COMPLAINTS.iter().any(|complaint| line.contains(complaint)) {
            next = (at + 20).min(lines.len());
            found.push(lines[at..next].join("\n"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn a_warning_is_found_and_a_healthy_boot_is_silent() {
        let healthy = "[    0.000000] Linux version 6.1\n[    1.2] reboot: Restarting system\n";
        assert_eq!(complaints(healthy), Vec::<String>::new());
        let ill = "[    1.0] ok\n[    1.1] WARNING: CPU: 0 PID: 1 at kernel/bpf/core.c:1\n[    1.2] Modules linked in:\n";
        assert_eq!(complaints(ill).len(), 1);
        assert!(complaints(ill)[0].contains("Modules linked in"));
    }
}
