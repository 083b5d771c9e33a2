//! Which technique of MITRE ATT&CK (enterprise, version 17) and ATLAS a kind of act, done outside the scope, may be.

use serde_json::{Value, json};

use crate::scope::words::Kind;

/// A technique, with one tactic that it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Technique {
    /// As `T1552.001`.
    pub uid: &'static str,
    /// Its name.
    pub name: &'static str,
    /// As `TA0006`.
    pub tactic_uid: &'static str,
    /// The tactic's name.
    pub tactic: &'static str,
}

const fn technique(
    uid: &'static str,
    name: &'static str,
    tactic_uid: &'static str,
    tactic: &'static str,
) -> Technique {
    Technique {
        uid,
        name,
        tactic_uid,
        tactic,
    }
}

/// The techniques of `kind`, the likeliest first; none where an act by itself points to none.
#[must_use]
pub const fn of(kind: Kind) -> &'static [Technique] {
    const EXECUTION: (&str, &str) = ("TA0002", "Execution");
    const EVASION: (&str, &str) = ("TA0005", "Defense Evasion");
    const CREDENTIALS: (&str, &str) = ("TA0006", "Credential Access");
    const COMMAND: (&str, &str) = ("TA0011", "Command and Control");
    const IMPACT: (&str, &str) = ("TA0040", "Impact");
    const ESCALATION: (&str, &str) = ("TA0004", "Privilege Escalation");
    match kind {
        Kind::SessionOwner
        | Kind::SessionFreeze
        | Kind::SessionThaw
        | Kind::SessionKill
        | Kind::GrantGive
        | Kind::GrantExpire
        | Kind::GrantRevoke => &[],
        Kind::ProcessExec => const { &[technique("T1059.004", "Unix Shell", EXECUTION.0, EXECUTION.1)] },
        Kind::ProcessRequested => {
            const { &[technique("T1569", "System Services", EXECUTION.0, EXECUTION.1)] }
        }
        Kind::ProcessTrace => {
            const {
                &[technique(
                    "T1055.008",
                    "Ptrace System Calls",
                    EVASION.0,
                    EVASION.1,
                )]
            }
        }
        Kind::ProcessSignal => const { &[technique("T1489", "Service Stop", IMPACT.0, IMPACT.1)] },
        Kind::ProcessIdentity => {
            const {
                &[technique(
                    "T1548.001",
                    "Setuid and Setgid",
                    ESCALATION.0,
                    ESCALATION.1,
                )]
            }
        }
        Kind::FileOpen | Kind::FileMap | Kind::FileReceive => {
            const {
                &[technique(
                    "T1552.001",
                    "Credentials In Files",
                    CREDENTIALS.0,
                    CREDENTIALS.1,
                )]
            }
        }
        Kind::FileCreate | Kind::FileTruncate => {
            const {
                &[technique(
                    "T1565.001",
                    "Stored Data Manipulation",
                    IMPACT.0,
                    IMPACT.1,
                )]
            }
        }
        Kind::FileRename | Kind::FileLink => {
            const { &[technique("T1036", "Masquerading", EVASION.0, EVASION.1)] }
        }
        Kind::FileUnlink => const { &[technique("T1485", "Data Destruction", IMPACT.0, IMPACT.1)] },
        Kind::FileAttributes => {
            const {
                &[technique(
                    "T1222.002",
                    "Linux and Mac File and Directory Permissions Modification",
                    EVASION.0,
                    EVASION.1,
                )]
            }
        }
        Kind::FileMount | Kind::NamespaceChange | Kind::CgroupMove => {
            const { &[technique("T1611", "Escape to Host", ESCALATION.0, ESCALATION.1)] }
        }
        Kind::SocketCreate => {
            const {
                &[technique(
                    "T1095",
                    "Non-Application Layer Protocol",
                    COMMAND.0,
                    COMMAND.1,
                )]
            }
        }
        Kind::NetConnect | Kind::NetSend => {
            const {
                &[
                    technique("T1071", "Application Layer Protocol", COMMAND.0, COMMAND.1),
                    technique("T1041", "Exfiltration Over C2 Channel", "TA0010", "Exfiltration"),
                ]
            }
        }
        Kind::NetListen | Kind::NetAccept => {
            const { &[technique("T1571", "Non-Standard Port", COMMAND.0, COMMAND.1)] }
        }
        Kind::DnsQuery | Kind::DnsAnswer => const { &[technique("T1071.004", "DNS", COMMAND.0, COMMAND.1)] },
        Kind::UnixConnect | Kind::UnixSend => {
            const {
                &[technique(
                    "T1559",
                    "Inter-Process Communication",
                    EXECUTION.0,
                    EXECUTION.1,
                )]
            }
        }
        Kind::MonitorTamper => {
            const {
                &[technique(
                    "T1562.001",
                    "Disable or Modify Tools",
                    EVASION.0,
                    EVASION.1,
                )]
            }
        }
        Kind::ProcessExit => const { &[] },
    }
}

/// The techniques of `kind` as OCSF `attack` objects; null where there are none.
#[must_use]
pub fn attacks(kind: Kind) -> Value {
    let attacks: Vec<Value> = of(kind)
        .iter()
        .map(|one| {
            let (parent, below) = one
                .uid
                .split_once('.')
                .map_or((one.uid, false), |(parent, _)| (parent, true));
            let mut attack = json!({"tactic": {"uid": one.tactic_uid, "name": one.tactic}, "version": "17"});
            if below {
                attack["technique"] = json!({"uid": parent});
                attack["sub_technique"] = json!({"uid": one.uid, "name": one.name});
            } else {
                attack["technique"] = json!({"uid": one.uid, "name": one.name});
            }
            attack
        })
        .collect();
    if attacks.is_empty() {
        Value::Null
    } else {
        Value::Array(attacks)
    }
}
