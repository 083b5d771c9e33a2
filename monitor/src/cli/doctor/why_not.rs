//! Why the kernel side could not be brought up, for `daemon` and `run`.

use super::run::STILL;
use crate::{
    cli::exit::Exit,
    observe::{btf::BtfError, load::LoadError, probe::Rights},
};

/// One sentence for a kernel side that could not be brought up, and the exit code: what is missing, and what would
/// still work. Without the rights to load anything, that is what is said: the kernel was not asked.
#[must_use]
pub fn why_not(error: &LoadError) -> (String, Exit) {
    explained(error, &Rights::of_this_process())
}

fn explained(error: &LoadError, rights: &Rights) -> (String, Exit) {
    if !rights.suffice() {
        let who = if rights.root {
            "root has not"
        } else {
            "this user has not"
        };
        let lacking = rights.lacking.join(", ");
        let sentence = format!("loading programs into the kernel needs root, and {who} {lacking}; {STILL}");
        return (sentence, Exit::Privileges);
    }
    let missing = match error {
        LoadError::Btf(BtfError::Read { path, error }) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("this kernel shows no BTF at {path} (it is built without CONFIG_DEBUG_INFO_BTF)")
        }
        LoadError::Btf(_) | LoadError::LoaderBtf(_) => {
            format!("this kernel's BTF cannot be used (failed to {error})")
        }
        LoadError::Foreign => {
            "this binary carries kernel programs of another version: it was built from two checkouts"
                .to_owned()
        }
        LoadError::TooOld => format!("this kernel is too old (failed to {error})"),
        LoadError::Field(_) => {
            format!("this kernel's structs are not known to this version (failed to {error})")
        }
        LoadError::Mount(_) => format!("cgroup v2 or bpffs cannot be had (failed to {error})"),
        LoadError::Maps(_) | LoadError::Object(_) | LoadError::Attach(_) | LoadError::Deny(_) => {
            format!("this kernel does not take the programs (failed to {error})")
        }
        LoadError::Directory { .. } => {
            format!("the directory for the kernel side cannot be used (failed to {error})")
        }
    };
    (
        format!("{missing}; `scopeward doctor` says more, and {STILL}"),
        Exit::Unsupported,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{mounts::MountError, offsets::MissingField};

    #[test]
    fn each_failure_is_one_sentence_with_what_still_works() {
        let root = Rights {
            root: true,
            lacking: Vec::new(),
        };
        let not_found = || std::io::ErrorKind::NotFound.into();
        let errors = [
            LoadError::Btf(BtfError::Read {
                path: "/sys/kernel/btf/vmlinux".into(),
                error: not_found(),
            }),
            LoadError::Btf(BtfError::Malformed("it has no BTF magic")),
            LoadError::Field(MissingField {
                of: "file",
                field: "f_path",
            }),
            LoadError::Mount(MountError::Mount {
                kind: "cgroup2",
                at: "/run/x".into(),
                error: not_found(),
            }),
            LoadError::Directory {
                path: "/run/x".into(),
                error: not_found(),
            },
        ];
        let mut said = Vec::new();
        for error in &errors {
            let (sentence, exit) = explained(error, &root);
            assert_eq!(exit, Exit::Unsupported);
            said.push(sentence);
            let user = Rights {
                root: false,
                lacking: vec!["CAP_BPF"],
            };
            assert_eq!(explained(error, &user).1, Exit::Privileges);
        }
        said.push(
            explained(
                &errors[0],
                &Rights {
                    root: false,
                    lacking: vec!["CAP_BPF"],
                },
            )
            .0,
        );
        assert!(
            said.iter()
                .all(|sentence| !sentence.contains('\n') && sentence.contains("scopeward replay"))
        );
        insta::assert_snapshot!("why-not", said.join("\n"));
    }
}
