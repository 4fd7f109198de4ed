//! rustls's configurations: one for all connections with the same settings, so that the trusted
//! certificates are read once, and sessions can be resumed.

use super::{Settings, Versions, verify::Verifier};
use crate::{
    error::{Code, Error, Result},
    sync::{Mutex, lock},
};
use once_cell::sync::Lazy;
use rustls::{
    ClientConfig, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::ParsedCertificate,
    version::{TLS12, TLS13},
};
use std::{collections::HashMap, fs, sync::Arc, time::SystemTime};

/// So many configurations are remembered; when there are more, all are made anew.
const MOST: usize = 64;

/// What a configuration was made from.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    settings: Settings,
    versions: Versions,
    /// Files that were changed are read again.
    stamps: Vec<Option<(SystemTime, u64)>>,
}

static CONFIGS: Lazy<Mutex<HashMap<Key, Arc<ClientConfig>>>> = Lazy::new(Mutex::default);
static PROVIDER: Lazy<Arc<CryptoProvider>> = Lazy::new(|| Arc::new(ring::default_provider()));

/// The configuration for these settings. Reads files: may take a while.
pub(super) fn get(settings: &Settings, versions: Versions) -> Result<Arc<ClientConfig>> {
    let files = [&settings.ca_file, &settings.cert_file, &settings.key_file];
    let stamp = |file: &Option<String>| {
        let about = fs::metadata(file.as_ref()?).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    let key = Key {
        settings: Settings {
            // Said for each connection.
            server_name: None,
            ..settings.clone()
        },
        versions,
        stamps: files.map(stamp).to_vec(),
    };
    let mut configs = lock(&CONFIGS);
    if let Some(config) = configs.get(&key) {
        return Ok(config.clone());
    }
    let config = Arc::new(build(settings, versions)?);
    if configs.len() >= MOST {
        configs.clear();
    }
    configs.insert(key, config.clone());
    Ok(config)
}

fn build(settings: &Settings, versions: Versions) -> Result<ClientConfig> {
    let own = match &settings.ca_file {
        Some(file) => check_certificates("CA_FILE", file)?,
        None => Vec::new(),
    };
    let verifier = Verifier {
        chain: match settings.verify_peer {
            true => Some(chain_verifier(settings, &own)?),
            false => None,
        },
        own,
        pins: settings.pins.clone(),
        provider: PROVIDER.clone(),
    };
    let versions: Vec<_> = [(versions.tls12, &TLS12), (versions.tls13, &TLS13)]
        .into_iter()
        .filter_map(|(wanted, version)| wanted.then_some(version))
        .collect();
    let builder = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_protocol_versions(&versions)
        .map_err(|error| Error::new(Code::Tls, error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match (&settings.cert_file, &settings.key_file) {
        (Some(cert_file), Some(key_file)) => {
            let certificates = check_certificates("CLIENT_CERT_FILE", cert_file)?;
            let key = check_key("CLIENT_KEY_FILE", key_file)?;
            builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| {
                    let what = format!("CLIENT_KEY_FILE does not fit CLIENT_CERT_FILE: {error}");
                    Error::new(Code::Tls, what)
                })?
        }
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => {
            return Err(Error::invalid(
                "CLIENT_CERT_FILE is set and CLIENT_KEY_FILE is not",
            ));
        }
        (None, Some(_)) => {
            return Err(Error::invalid(
                "CLIENT_KEY_FILE is set and CLIENT_CERT_FILE is not",
            ));
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What checks the server's chain of certificates.
fn chain_verifier(
    settings: &Settings,
    own: &[CertificateDer<'static>],
) -> Result<Arc<dyn ServerCertVerifier>> {
    if settings.ca_file.is_none() {
        let verifier = rustls_platform_verifier::Verifier::new(PROVIDER.clone());
        return match verifier {
            Ok(verifier) => Ok(Arc::new(verifier)),
            Err(error) => Err(Error::new(
                Code::Tls,
                format!(
                    "the system's trusted certificates cannot be read ({error}); CA_FILE can name a file"
                ),
            )),
        };
    }
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(own.iter().cloned());
    let unusable = |why: String| {
        let file = settings.ca_file.as_deref().unwrap_or_default();
        Error::new(Code::Tls, format!("CA_FILE \"{file}\": {why}"))
    };
    if added == 0 {
        return Err(unusable("none of its certificates can be used".to_owned()));
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), PROVIDER.clone())
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    Ok(verifier)
}

/// The certificates in a PEM file: at least one.
pub(crate) fn check_certificates(option: &str, file: &str) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|certificates| match certificates.is_empty() {
            true => Err(pem::Error::NoItemsFound),
            false => Ok(certificates),
        })
        .map_err(|error| unreadable(option, file, "certificate", error))
        .and_then(|certificates| {
            let is_one = |der: &CertificateDer| ParsedCertificate::try_from(der).is_ok();
            match certificates.iter().any(is_one) {
                true => Ok(certificates),
                false => Err(Error::invalid(format!(
                    "{option} \"{file}\" holds nothing that is a certificate"
                ))),
            }
        })
}

/// The private key in a PEM file: PKCS#8, PKCS#1 (RSA) or SEC1 (EC).
pub(crate) fn check_key(option: &str, file: &str) -> Result<PrivateKeyDer<'static>> {
    let is_encrypted =
        |file: &str| fs::read_to_string(file).is_ok_and(|text| text.contains("ENCRYPTED"));
    if is_encrypted(file) {
        return Err(Error::invalid(format!(
            "{option} \"{file}\" is encrypted, which is not supported: \"openssl pkey\" decrypts it"
        )));
    }
    PrivateKeyDer::from_pem_file(file)
        .map_err(|error| unreadable(option, file, "private key", error))
}

fn unreadable(option: &str, file: &str, what: &str, error: pem::Error) -> Error {
    Error::invalid(match error {
        pem::Error::Io(error) => {
            format!("{option} \"{file}\": {}", crate::error::describe(&error))
        }
        pem::Error::NoItemsFound => format!("{option} \"{file}\" holds no {what} in PEM form"),
        other => format!("{option} \"{file}\" is not a PEM file: {other}"),
    })
}
