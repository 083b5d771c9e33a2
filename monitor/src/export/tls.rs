//! TLS for every destination that speaks it. There is no way to leave certificates unchecked.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::export::outcome::Trouble;
use crate::export::settings::TlsSettings;

/// What clients of `settings` use.
///
/// # Errors
/// [`Trouble`]: a file that cannot be read or is no certificate or key, or no trusted authority at all.
pub fn client(settings: &TlsSettings) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    match &settings.ca {
        Some(path) => {
            for certificate in certificates(path)? {
                roots
                    .add(certificate)
                    .map_err(|error| Trouble::new(format!("{} is no authority: {error}", path.display())))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(Trouble::new(
            "this host trusts no authority: install ca-certificates, or name one with `ca`",
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::new(format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots);
    match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let private = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| Trouble::new(format!("{} is no private key: {error}", key.display())))?;
            config
                .with_client_auth_cert(chain, private)
                .map_err(|error| Trouble::new(format!("{} cannot be used: {error}", certificate.display())))
        }
        _ => Ok(config.with_no_client_auth()),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let fail = |error: rustls::pki_types::pem::Error| {
        Trouble::new(format!(
            "{} cannot be read as certificates: {error}",
            path.display()
        ))
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(fail)?.collect();
    let certificates = certificates.map_err(fail)?;
    if certificates.is_empty() {
        return Err(Trouble::new(format!("{} has no certificate", path.display())));
    }
    Ok(certificates)
}
