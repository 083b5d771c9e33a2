//! Programs that a kernel may not take, and what that means.

const MEANINGS: [(&str, &str); 4] = [
    ("sys_exit", "opens are seen by fanotify alone"),
    ("exec", "programs are not answered"),
    (
        "data_ready",
        "datagrams to unix sockets, and connects to them by io_uring, are not seen (its tracepoint came with 6.3)",
    ),
    (
        "io_uring_complete",
        "opens by io_uring are left to fanotify (the arguments of its tracepoint changed with 6.13)",
    ),
];

/// What is not held without the program; empty where nothing is known of it.
#[must_use]
pub fn meaning(program: &str) -> &'static str {
    MEANINGS
        .iter()
        .find(|(known, _)| *known == program)
        .map_or("", |(_, meaning)| meaning)
}
