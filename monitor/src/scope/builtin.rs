//! The agents and fragments that come with the binary.

/// A built-in scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name, without the `@` it has in `extends`.
    pub name: &'static str,
    /// Is it an agent of its own, or a fragment to build on?
    pub agent: bool,
    /// The scope file.
    pub source: &'static str,
}

const ALL: [Builtin; 3] = [
    Builtin {
        name: "claude-code",
        agent: true,
        source: include_str!("sets/agents/claude-code.toml"),
    },
    Builtin {
        name: "codex",
        agent: true,
        source: include_str!("sets/agents/codex.toml"),
    },
    Builtin {
        name: "coding-agent",
        agent: false,
        source: include_str!("sets/agents/coding-agent.toml"),
    },
];

/// Every built-in scope, by name.
#[must_use]
pub const fn all() -> &'static [Builtin] {
    &ALL
}

/// The built-in scope called `name`, with or without `@`.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static Builtin> {
    let name = name.strip_prefix('@').unwrap_or(name);
    ALL.iter().find(|builtin| builtin.name == name)
}

/// The name of the built-in scope that fits a command: `coding-agent` where no agent is recognised.
#[must_use]
pub fn for_command(argv: &[String]) -> &'static str {
    let program = argv.first().map_or("", String::as_str);
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let runs_package = ["node", "nodejs", "npx", "bunx", "pnpx", "bun"].contains(&base(program).as_str());
    let package = argv
        .iter()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .filter(|_| runs_package);
    let names = [program, package.map_or("", String::as_str)];
    let is_claude = |path: &&str| {
        ["claude", "claude-bin", "claude-code"].contains(&base(path).as_str())
            || path.contains("/claude/versions/")
            || path.contains("@anthropic-ai/claude-code")
    };
    let is_codex = |path: &&str| {
        let name = base(path);
        name == "codex" || name.starts_with("codex-") || path.contains("@openai/codex")
    };
    if names.iter().any(is_claude) {
        "claude-code"
    } else if names.iter().any(is_codex) {
        "codex"
    } else {
        "coding-agent"
    }
}

#[cfg(test)]
mod tests {
    use super::for_command;

    #[test]
    fn a_command_finds_its_agent() {
        for (command, scope) in [
            ("claude", "claude-code"),
            (
                "/home/dev/.local/share/claude/versions/2.1.150 -p hello",
                "claude-code",
            ),
            (
                "node --enable-source-maps /usr/lib/node_modules/@anthropic-ai/claude-code/cli.js",
                "claude-code",
            ),
            ("npx -y @anthropic-ai/claude-code", "claude-code"),
            ("/usr/local/bin/codex exec", "codex"),
            ("node /usr/lib/node_modules/@openai/codex/bin/codex.js", "codex"),
            ("codex-linux-x64", "codex"),
            ("sh -c claude", "coding-agent"),
            ("node server.js", "coding-agent"),
            ("aider", "coding-agent"),
            ("", "coding-agent"),
        ] {
            let argv: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            assert_eq!(for_command(&argv), scope, "{command}");
        }
    }
}
