//! What a grant is about: from an event, or from what a person names, to the thing itself.

use std::{net::SocketAddr, path::Path};

use scopeward_abi::grant::of;

use crate::{
    api::{
        control::ControlError,
        types::{GrantRequest, Object},
    },
    decide::grants::{endpoint_key, file_key},
    decode::{Body, Head},
    record::event::{ActRecord, EventRecord},
    scope::words::{Access, Kind},
    service::{
        acts::{device, protocol, protocol_number},
        state::State,
    },
};

/// A request that cannot be done as it stands.
pub(super) fn invalid(why: impl Into<String>, remedy: impl Into<String>) -> ControlError {
    ControlError::Invalid {
        why: why.into(),
        remedy: remedy.into(),
    }
}

impl State {
    /// The very thing that an event was about.
    pub(super) fn object_of(&self, event: &EventRecord, access: &[Access]) -> Result<Object, ControlError> {
        let act = &event.act;
        if let (Some(address), Some(port)) = (act.address, act.port) {
            let protocol = act.protocol.as_deref().and_then(protocol_number).ok_or_else(|| {
                invalid(
                    "the event does not say which protocol",
                    "grant the endpoint by --session and --to",
                )
            })?;
            return Ok(Object::Endpoint {
                address,
                port,
                protocol,
            });
        }
        let (Some(inode), Some(dev)) = (act.inode, act.dev.as_deref()) else {
            return Err(invalid(
                format!(
                    "event {} is about a {}, which no grant can name",
                    event.id,
                    act.kind.word()
                ),
                "grants are for files, programs and endpoints; anything else belongs into the scope",
            ));
        };
        let places = [act.to.as_deref(), act.path.as_deref()];
        let found = places.into_iter().flatten().find_map(|path| {
            let node = self.files.node(Path::new(path))?;
            (node.inode == inode && device(node.dev) == dev).then_some((path, node))
        });
        let (path, node) = found.ok_or_else(|| {
            invalid(
                format!(
                    "the file that event {} was about (inode {inode} on {dev}) is not at {} any more",
                    event.id,
                    act.path.as_deref().unwrap_or("its path")
                ),
                "what is there now is another file: look at it, and grant it with --session and --file",
            )
        })?;
        let (path, guarded_as) = (path.to_owned(), act.guarded_as.clone());
        if act.kind == Kind::ProcessExec {
            return Ok(Object::Program {
                inode,
                dev: node.dev,
                generation: node.generation,
                path,
                guarded_as,
            });
        }
        let access = match (access, act.access.as_slice(), act.kind) {
            ([], [], Kind::FileOpen) => vec![Access::Read],
            ([], [], _) => vec![Access::Write],
            ([], own, _) => own.to_vec(),
            (asked, _, _) => asked.to_vec(),
        };
        Ok(Object::File {
            inode,
            dev: node.dev,
            generation: node.generation,
            access,
            path,
            guarded_as,
        })
    }

    /// The session and the thing that a person names.
    pub(super) fn named_object(&self, request: &GrantRequest) -> Result<(String, Object), ControlError> {
        let session = request.session.clone().ok_or_else(|| {
            invalid(
                "the request names neither an event nor a session",
                "give an event, or --session",
            )
        })?;
        let node = |path: &str| {
            self.files.node(Path::new(path)).ok_or_else(|| {
                invalid(
                    format!("there is no {path}"),
                    "name a file that exists, by its absolute path",
                )
            })
        };
        let object = match (&request.file, &request.program, &request.to) {
            (Some(path), None, None) => {
                let node = node(path)?;
                let asked = if request.access.is_empty() {
                    &[Access::Read][..]
                } else {
                    &request.access
                };
                Object::File {
                    inode: node.inode,
                    dev: node.dev,
                    generation: node.generation,
                    access: asked.to_vec(),
                    path: path.clone(),
                    guarded_as: None,
                }
            }
            (None, Some(path), None) => {
                let node = node(path)?;
                Object::Program {
                    inode: node.inode,
                    dev: node.dev,
                    generation: node.generation,
                    path: path.clone(),
                    guarded_as: None,
                }
            }
            (None, None, Some(to)) => endpoint(to)?,
            _ => {
                return Err(invalid(
                    "a grant for a session names one thing",
                    "give one of --file, --program and --to",
                ));
            }
        };
        Ok((session, object))
    }

    /// The grant that let an act through.
    pub(super) fn grant_of(&self, head: &Head, body: &Body) -> Option<String> {
        let key = match body {
            Body::Exec(facts) => file_key(head.session, facts.inode, facts.dev, of::PROGRAM),
            Body::Map(facts) => file_key(head.session, facts.inode, facts.dev, of::PROGRAM),
            Body::Change(facts) => file_key(head.session, facts.file.inode, facts.file.dev, of::FILE),
            Body::Open(facts) => file_key(head.session, facts.inode, facts.dev, of::FILE),
            Body::Connect(facts) | Body::Send(facts) => {
                let protocol = protocol_number(&protocol(facts.protocol))?;
                endpoint_key(head.session, facts.addr, facts.port, protocol)
            }
            _ => return None,
        };
        let known = self.grants.of(&key);
        // Given by an earlier daemon whose note is lost: it held all the same.
        Some(known.map_or_else(|| "unknown".to_owned(), |grant| grant.id.clone()))
    }
}

/// `203.0.113.7:443`, `[2001:db8::1]:53/udp`.
fn endpoint(text: &str) -> Result<Object, ControlError> {
    let wrong = || {
        invalid(
            format!("{text:?} is not an address and port"),
            "write 203.0.113.7:443 or [2001:db8::1]:53/udp; a name is granted by its address, which `scopeward why` shows",
        )
    };
    let (at, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let at: SocketAddr = at.parse().map_err(|_| wrong())?;
    Ok(Object::Endpoint {
        address: at.ip(),
        port: at.port(),
        protocol: protocol_number(protocol).ok_or_else(wrong)?,
    })
}

/// Puts what a grant is about into the act of its record.
pub(super) fn describe(act: &mut ActRecord, object: &Object) {
    match object {
        Object::File {
            inode,
            dev,
            access,
            path,
            guarded_as,
            ..
        } => {
            act.path = Some(path.clone());
            act.access.clone_from(access);
            act.inode = Some(*inode);
            act.dev = Some(device(*dev));
            act.guarded_as.clone_from(guarded_as);
        }
        Object::Program { inode, dev, path, .. } => {
            act.path = Some(path.clone());
            act.inode = Some(*inode);
            act.dev = Some(device(*dev));
        }
        Object::Endpoint {
            address,
            port,
            protocol,
        } => {
            act.address = Some(*address);
            act.port = Some(*port);
            act.protocol = Some(crate::service::acts::protocol((*protocol).into()));
        }
    }
}
