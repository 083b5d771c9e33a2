//! The service, in the foreground.

use std::{path::Path, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    api::{control::Control, server::Server, socket::BindError},
    config::file::Config,
    observe::{
        load::{LoadError, Sizes, unpin},
        mounts::{self, MountError},
    },
    pipeline::{Monitor, Settings, pins},
    record::store::{Store, StoreError},
    service::{fanotify, notes},
};

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another has the socket, or it cannot be made.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The kernel side.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// bpffs.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The runtime.
    #[error("run the daemon: {0}")]
    Io(#[from] std::io::Error),
}

/// Runs until SIGTERM or SIGINT. SIGHUP reads the scope files again. Sessions that still run then stay held by the
/// pinned programs; the next daemon adopts them, and [`release`] lets them go.
///
/// # Errors
/// [`DaemonError`].
pub async fn run(config: &Config) -> Result<(), DaemonError> {
    std::fs::create_dir_all(&config.paths.run)?;
    // The socket first: it is what a second daemon sees.
    let server = Server::bind(&config.paths.socket())?;
    let bpffs = mounts::bpffs(&config.paths.run)?;
    let store = Store::open(&config.paths.store(), &config.store.config())?;
    let mut sizes = Sizes {
        quota: config.limits.quota,
        ..Sizes::default()
    };
    sizes.ring = u32::try_from(config.limits.ring.0.next_power_of_two()).unwrap_or(sizes.ring);
    let settings = Settings {
        run: config.paths.run.clone(),
        scopes: config.paths.scopes.clone(),
        pins: Some(pins(&bpffs, &config.paths.run)),
        notes: Some(config.paths.run.join("policies")),
        evidence: Some(config.paths.evidence()),
        sizes,
    };
    let (monitor, ring) = Monitor::load(settings, Some(store))?;
    notes::adopt(&monitor);
    monitor.begin(ring);
    {
        let mut state = monitor.lock();
        state.scopes.reload(true);
        state.apply_scopes();
        state.recognise_running();
    }
    fanotify::refresh(&monitor);
    let (policy, sentences) = config.api.policy();
    if !sentences.is_empty() {
        monitor.lock().set_degraded("api", Some(sentences.join("; ")));
    }
    tracing::info!(socket = %config.paths.socket().display(), "scopeward is running");
    let control: Arc<dyn Control> = monitor.clone();
    server.serve(control, policy, until_told(monitor.clone())).await?;
    let sessions = monitor.lock().sessions.live().count();
    if sessions > 0 {
        tracing::warn!(
            sessions,
            "stopping; sessions stay held by the programs in the kernel; `scopeward daemon --release` lets them go"
        );
    }
    monitor.end(sessions == 0);
    Ok(())
}

async fn until_told(monitor: Arc<Monitor>) {
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        tracing::error!("signals cannot be waited for");
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => return,
            _ = int.recv() => return,
            _ = hup.recv() => {
                let monitor = monitor.clone();
                // Reads files: not on the runtime's own thread.
                drop(tokio::task::spawn_blocking(move || {
                    let mut state = monitor.lock();
                    state.scopes.reload(true);
                    state.apply_scopes();
                    drop(state);
                    monitor.files_changed();
                }).await);
            }
        }
    }
}

/// Takes the programs of a daemon that is gone out of the kernel: nothing is held any more. Returns how many pins there
/// were.
///
/// # Errors
/// [`MountError`] where there is no bpffs.
pub fn release(run: &Path) -> Result<usize, MountError> {
    let removed = unpin(&pins(&mounts::bpffs(run)?, run));
    // Of use with the pins alone.
    drop(std::fs::remove_dir_all(run.join("policies")));
    mounts::unmount(run);
    Ok(removed)
}
