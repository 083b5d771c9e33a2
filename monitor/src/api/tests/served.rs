//! The API served on top of the made-up pipeline, in a directory of its own.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::fake::Fake;
use crate::api::client::Client;
use crate::api::permissions::Policy;
use crate::api::server::Server;

/// The API, served until this is dropped.
pub(crate) struct Served {
    pub(crate) fake: Arc<Fake>,
    pub(crate) client: Client,
    pub(crate) path: PathBuf,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn serve() -> Served {
    serve_with(Policy::default())
}

pub(crate) fn serve_with(policy: Policy) -> Served {
    let dir = tempfile::tempdir().unwrap();
    // Other users must be able to come in, as in /run.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).unwrap();
    let path = dir.path().join("run/scopeward.sock");
    let server = Server::bind(&path).unwrap();
    let fake = Fake::new();
    let control = Arc::clone(&fake);
    let task = tokio::spawn(async move {
        server
            .serve(control, policy, std::future::pending())
            .await
            .unwrap();
    });
    Served {
        fake,
        client: Client::new(&path),
        path,
        task,
        _dir: dir,
    }
}
