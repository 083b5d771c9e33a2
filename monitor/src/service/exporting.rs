//! The exporters of the daemon: from its settings, before the store is opened to after the API has ended.

use crate::{
    config::{exports, file::Config},
    export::{cursor, exporters::Exporters, settings::ExportSettings},
    pipeline::Monitor,
    record::store::{Store, StoreError},
};

/// The exporters, and where their settings come from.
pub struct Exporting {
    /// The exporters.
    pub exporters: Exporters,
    config: Config,
}

impl Exporting {
    /// Opens the store so that its retention leaves what exporters have not delivered yet; and gives their settings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_store(config: &Config) -> Result<(Store, Vec<ExportSettings>), StoreError> {
        let exports = exports::settings(&config.export);
        let holds = cursor::holds(&config.paths.cursors(), &exports);
        let store = Store::open_held(&config.paths.store(), &config.store.config(), holds)?;
        Ok((store, exports))
    }

    /// Starts the exporters of `exports` on the store of `monitor`.
    ///
    /// # Errors
    /// Where their directory cannot be made, or no thread be started.
    pub fn start(monitor: &Monitor, config: &Config, exports: &[ExportSettings]) -> std::io::Result<()> {
        let Some(store) = monitor.store() else {
            return Ok(());
        };
        let host = monitor.lock().host.clone();
        let exporters = Exporters::start(&config.paths.cursors(), store.tail(), host, exports)?;
        let exporting = Self {
            exporters,
            config: config.clone(),
        };
        // It is set once: here.
        drop(monitor.exporting.set(exporting));
        Ok(())
    }
}

impl Monitor {
    /// Reads `[[export]]` again: all of it, or, where the file has a mistake, nothing. Blocks.
    pub fn reload_exporters(&self) {
        let Some(exporting) = self.exporting.get() else {
            return;
        };
        let sentence = match exporting.config.read_again() {
            Ok(fresh) => {
                exporting.exporters.reload(&exports::settings(&fresh.export));
                None
            }
            Err(error) => {
                tracing::error!(%error, "daemon.toml is not read again; exporters go on as they are");
                Some(format!(
                    "daemon.toml has mistakes, and exporters go on as they were: {error}"
                ))
            }
        };
        self.lock().set_degraded("daemon.toml", sentence);
    }
}
