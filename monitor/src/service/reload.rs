//! Reading the scope files again because a person asked for it: all that has changed, or nothing.

use crate::{
    api::types::{Reloaded, ScopeFault},
    pipeline::Monitor,
    service::{state::State, systemd},
};

impl Monitor {
    /// Reads all scope files and puts what has changed in force. Where one of them has errors, or does not fit, nothing
    /// changes, and the answer says what is wrong with each.
    pub fn reload(&self) -> Reloaded {
        systemd::reloading();
        self.reload_exporters();
        let mut state = self.lock();
        let reloaded = state.reload_scopes();
        let sentence = (!reloaded.faults.is_empty()).then(|| {
            let files: Vec<&str> = reloaded.faults.iter().map(|fault| fault.file.as_str()).collect();
            format!(
                "the last reload changed nothing, because of {}; what was in force before stays",
                files.join(", ")
            )
        });
        let status = sentence
            .clone()
            .unwrap_or_else(|| format!("{} scopes in force", state.scopes.iter().count()));
        state.set_degraded("reload", sentence);
        drop(state);
        if reloaded.faults.is_empty() {
            tracing::info!(changed = ?reloaded.changed, "the scope files were read again");
            self.files_changed();
        } else {
            tracing::warn!(faults = ?reloaded.faults, "the scope files were read again, and nothing was changed");
        }
        systemd::ready(&status);
        reloaded
    }
}

impl State {
    fn reload_scopes(&mut self) -> Reloaded {
        let (fresh, changed) = self.scopes.read_again();
        let mut faults = fresh.faults();
        if faults.is_empty() {
            faults = self.misfits(&fresh);
        }
        if !faults.is_empty() {
            self.scopes.take_errors(&fresh);
            return Reloaded {
                changed: Vec::new(),
                faults,
            };
        }
        self.scopes = fresh;
        self.apply_scopes();
        Reloaded { changed, faults }
    }

    /// Scopes that hold sessions now, and would not fit the kernel's tables as the files are.
    fn misfits(&self, fresh: &crate::service::scopes::Scopes) -> Vec<ScopeFault> {
        let mut faults = Vec::new();
        let look = self.files.look();
        for (number, policy) in self.policies.iter() {
            let Some(loaded) = fresh
                .iter()
                .find(|loaded| loaded.source.file == policy.source.file)
            else {
                continue;
            };
            if let Err(error) =
                self.policies
                    .try_compile(number, &loaded.scope, policy.uid, &self.names, &look)
            {
                faults.push(ScopeFault {
                    file: loaded.source.file.clone(),
                    error: format!("failed to {error}"),
                });
            }
        }
        faults
    }
}
