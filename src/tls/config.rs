//! rustls's configurations: one for all connections with the same settings, so that the trusted
//! certificates are read once, and sessions can be resumed.

use super::{Settings, Versions, certificate::is_version_1, verify::Verifier};
use crate::{
    error::{Code, Error, Result, describe},
    runtime,
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
use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
    sync::Arc,
    time::SystemTime,
};
use tokio::sync::OnceCell;

/// So many configurations are remembered; when there are more, all are made anew.
const MOST: usize = 64;
/// The largest file that is read: a thousand certificates have a tenth of that.
const MOST_BYTES: usize = 16 << 20;

/// What a configuration was made from.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    settings: Settings,
    versions: Versions,
    /// Files that were changed are read again.
    stamps: Vec<Option<(SystemTime, u64)>>,
}

/// Empty while it is being made, which those wait for that have the same settings.
type Entry = Arc<OnceCell<Arc<ClientConfig>>>;

static CONFIGS: Lazy<Mutex<HashMap<Key, Entry>>> = Lazy::new(Mutex::default);
static PROVIDER: Lazy<Arc<CryptoProvider>> = Lazy::new(|| Arc::new(ring::default_provider()));

/// The configuration for these settings.
pub(super) async fn get(settings: &Settings, versions: Versions) -> Result<Arc<ClientConfig>> {
    let files = [&settings.ca_file, &settings.cert_file, &settings.key_file];
    let stamp = |file: &Option<String>| {
        let about = fs::metadata(file.as_ref()?).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    let settings = Settings {
        // Said for each connection.
        server_name: None,
        ..settings.clone()
    };
    let key = Key {
        settings: settings.clone(),
        versions,
        stamps: files.map(stamp).to_vec(),
    };
    let entry = {
        let mut configs = lock(&CONFIGS);
        if configs.len() >= MOST && !configs.contains_key(&key) {
            configs.clear();
        }
        configs.entry(key).or_default().clone()
    };
    // Only what reads files, the system's whole store among them, goes where names are resolved, too: all
    // threads there may be waiting for that.
    let config = entry
        .get_or_try_init(|| async {
            runtime::blocking(move || build(&settings, versions))
                .await?
                .map(Arc::new)
        })
        .await?;
    Ok(config.clone())
}

pub(crate) fn build(settings: &Settings, versions: Versions) -> Result<ClientConfig> {
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
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(option, file)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(option, file, "certificate", error))?;
    if certificates.is_empty() {
        return Err(unreadable(
            option,
            file,
            "certificate",
            pem::Error::NoItemsFound,
        ));
    }
    let is_usable = |der: &CertificateDer| ParsedCertificate::try_from(der).is_ok();
    if certificates.iter().any(is_usable) {
        return Ok(certificates);
    }
    Err(Error::invalid(
        match certificates.iter().any(|der| is_version_1(der)) {
            true => format!(
                "{option} \"{file}\" holds only a certificate of X.509 version 1; version 3 is needed"
            ),
            false => format!("{option} \"{file}\" holds nothing that is a certificate"),
        },
    ))
}

/// The private key in a PEM file: PKCS#8, PKCS#1 (RSA) or SEC1 (EC).
pub(crate) fn check_key(option: &str, file: &str) -> Result<PrivateKeyDer<'static>> {
    let bytes = read(option, file)?;
    if String::from_utf8_lossy(&bytes).contains("ENCRYPTED") {
        return Err(Error::invalid(format!(
            "{option} \"{file}\" is encrypted, which is not supported: \"openssl pkey\" decrypts it"
        )));
    }
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|error| unreadable(option, file, "private key", error))
}

/// What a file holds: one that has an end, and does not let anybody wait.
fn read(option: &str, file: &str) -> Result<Vec<u8>> {
    let failed = |why: &str| Error::invalid(format!("{option} \"{file}\": {why}"));
    let in_words = |error: io::Error| failed(&describe(&error));
    if !fs::metadata(file).map_err(in_words)?.is_file() {
        return Err(failed("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let limit = MOST_BYTES as u64 + 1;
    let file = fs::File::open(file).map_err(in_words)?;
    file.take(limit).read_to_end(&mut bytes).map_err(in_words)?;
    match bytes.len() > MOST_BYTES {
        true => Err(failed("it is larger than 16 MiB")),
        false => Ok(bytes),
    }
}

fn unreadable(option: &str, file: &str, what: &str, error: pem::Error) -> Error {
    Error::invalid(match error {
        pem::Error::NoItemsFound => format!("{option} \"{file}\" holds no {what} in PEM form"),
        other => format!("{option} \"{file}\" is not a PEM file: {other}"),
    })
}
