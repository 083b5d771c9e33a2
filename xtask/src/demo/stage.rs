//! Where the demo plays: folders, a fake home, a repository, the scope and the daemon's settings.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::process::{read, run};

/// What stands in the credential file; nobody's.
pub const SECRET: &str =
    "[default]\naws_secret_access_key = NOT-A-REAL-KEY-BUT-NOBODY-IN-THE-SESSION-MAY-READ-IT\n";

/// The scope's and so the agent's name.
pub const AGENT: &str = "demo-agent";

/// The folder of one demo; removed with the value.
pub struct Stage {
    root: PathBuf,
}

impl Stage {
    /// Lays out everything that needs no ports.
    ///
    /// # Errors
    /// A sentence, when the disk is full or git does not work.
    pub fn build() -> Result<Self, String> {
        let stage = Self {
            root: std::env::temp_dir().join(format!("scopeward-demo-{}", process::id())),
        };
        for folder in [
            "home/.aws",
            "origin",
            "session",
            "outside",
            "state",
            "run",
            "scopes",
        ] {
            let path = stage.path(folder);
            fs::create_dir_all(&path).map_err(|error| unwritable(&path, &error))?;
        }
        // Only root writes here: the daemon refuses scopes that others could change.
        fs::set_permissions(&stage.root, fs::Permissions::from_mode(0o755))
            .map_err(|error| unwritable(&stage.root, &error))?;
        stage.write("home/.aws/credentials", SECRET)?;
        stage.write(
            "home/.gitconfig",
            "[user]\nname = Demo Agent\nemail = demo@example.org\n",
        )?;
        stage.write("agent.sh", include_str!("agent.sh"))?;
        for who in ["session", "outside"] {
            let link = stage.path(who).join("build-settings.txt");
            symlink(stage.credentials(), &link).map_err(|error| unwritable(&link, &error))?;
        }
        stage.fill_origin()?;
        Ok(stage)
    }

    /// Writes the scope, once the server that it lists has a port, and the daemon's settings.
    ///
    /// # Errors
    /// A sentence, when the disk is full.
    pub fn declare(&self, listed: u16) -> Result<(), String> {
        let scope = format!(
            "name = \"{AGENT}\"\n\
             description = \"what the demo's agent may do\"\n\
             mode = \"enforce\"\n\
             \n\
             [network]\n\
             default = \"deny\"\n\
             allow = [\"127.0.0.1:{listed}/tcp\"]\n\
             \n\
             [[files.rule]]\n\
             paths = [\"{}\"]\n\
             response = \"kill\"\n\
             weight = 20\n\
             reason = \"credentials are off limits\"\n\
             \n\
             [[exec.rule]]\n\
             exe = [\"**/perl\"]\n\
             response = \"deny\"\n\
             reason = \"this agent has no business with perl\"\n",
            self.credentials().display()
        );
        self.write(&format!("scopes/{AGENT}.toml"), &scope)?;
        let place = |name: &str| self.path(name).display().to_string();
        let settings = format!(
            "[paths]\nstate = \"{}\"\nrun = \"{}\"\nscopes = \"{}\"\n",
            place("state"),
            place("run"),
            place("scopes")
        );
        self.write("daemon.toml", &settings)
    }

    /// `name` inside the demo's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file that the session may not read.
    pub fn credentials(&self) -> PathBuf {
        self.path("home/.aws/credentials")
    }

    /// The whole folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sets up `command` to run the agent's script as `who`, against the two servers' ports.
    pub fn play_agent(&self, command: &mut Command, who: &str, listed: u16, unlisted: u16) {
        command
            .current_dir(self.path(who))
            .env("HOME", self.path("home"))
            .env("WORK", self.path(who))
            .env("OUT", self.path(&format!("{who}/outcomes")))
            .env("ORIGIN", self.path("origin"))
            .env("WHO", who)
            .env("LISTED", listed.to_string())
            .env("UNLISTED", unlisted.to_string())
            .env("GIT_TERMINAL_PROMPT", "0");
    }

    fn fill_origin(&self) -> Result<(), String> {
        let git = |words: &[&str]| {
            let mut git = Command::new("git");
            git.env("HOME", self.path("home"))
                .current_dir(self.path("origin"))
                .args(words);
            git
        };
        run(&mut git(&["init", "--quiet", "--bare", "--initial-branch=main"]))?;
        let tree = read(&mut git(&["mktree"]))?;
        let commit = read(&mut git(&["commit-tree", tree.trim(), "-m", "Begin"]))?;
        run(&mut git(&["update-ref", "refs/heads/main", commit.trim()]))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|error| unwritable(&path, &error))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.root) {
            eprintln!("demo: {} is left behind: {error}", self.root.display());
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
