//! Verifying the server's certificate, and saying what is wrong with it.

use super::{Pins, certificate::Facts, pin::pin_of};
use crate::sync::{thread_local, with_local};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::{cell::RefCell, sync::Arc};

thread_local! {
    /// Why this thread's verifier has refused a certificate. rustls's own errors decide which alert the
    /// server gets, and have no room for a sentence.
    static REFUSAL: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What the verifier said last on this thread.
pub(super) fn take_refusal() -> Option<String> {
    with_local(&REFUSAL, Option::take)
}

/// Whom a certificate must convince.
#[derive(Debug)]
pub(super) struct Verifier {
    /// Checks the chain and the name. `None`: anything goes (VERIFY_PEER off).
    pub chain: Option<Arc<dyn ServerCertVerifier>>,
    /// What CA_FILE holds, if it was given.
    pub own: Vec<CertificateDer<'static>>,
    pub pins: Option<Pins>,
    pub provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify_chain(end_entity, intermediates, name, ocsp, now)
            .and_then(|()| self.verify_pin(end_entity))
            .map(|()| ServerCertVerified::assertion())
            .map_err(|(error, refusal)| {
                with_local(&REFUSAL, |last| *last = Some(refusal));
                error
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.accepts_anybody() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.accepts_anybody() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

type Refusal = (Error, String);

impl Verifier {
    /// Whether a certificate can say nothing: anybody can make one, for a key of any kind.
    fn accepts_anybody(&self) -> bool {
        self.chain.is_none() && self.pins.is_none()
    }

    fn verify_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Some(chain) = &self.chain else {
            return Ok(());
        };
        let Err(error) = chain.verify_server_cert(end_entity, intermediates, name, ocsp, now)
        else {
            return Ok(());
        };
        // A server's own, self-signed certificate in CA_FILE. That is no authority for WebPKI, and is what
        // people do.
        let error = match self.own.iter().any(|own| own == end_entity) {
            true => match verify_named(end_entity, name, now) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            false => error,
        };
        let refusal = explain(&error, end_entity, intermediates, name);
        Err((error, refusal))
    }

    fn verify_pin(&self, end_entity: &CertificateDer<'_>) -> Result<(), Refusal> {
        let Some(pins) = &self.pins else {
            return Ok(());
        };
        // Read as it is for the handshake's signature: what proves that the server has the key.
        let key = match ParsedCertificate::try_from(end_entity) {
            Ok(certificate) => certificate.subject_public_key_info(),
            Err(error) => {
                let what = format!(
                    "the server's key cannot be compared with PINNED_KEY, for its certificate cannot be \
                     read: {error}"
                );
                return Err((error, what));
            }
        };
        match pins.contains(&key) {
            true => Ok(()),
            false => Err((
                CertificateError::ApplicationVerificationFailure.into(),
                format!(
                    "the server's key is none of those in PINNED_KEY; it is {}",
                    pin_of(&key)
                ),
            )),
        }
    }
}

/// Name and time alone: the certificate itself is trusted.
fn verify_named(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
    match Facts::read(certificate) {
        Some(facts) if now.as_secs() < *facts.valid.start() => {
            Err(CertificateError::NotValidYet.into())
        }
        Some(facts) if now.as_secs() > *facts.valid.end() => Err(CertificateError::Expired.into()),
        Some(_) => Ok(()),
        None => Err(CertificateError::BadEncoding.into()),
    }
}

/// Which certificate, what is wrong with it, and what can be done.
fn explain(
    error: &Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> String {
    let Some(server) = Facts::read(end_entity) else {
        return format!("the server's certificate cannot be read: {error}");
    };
    let Error::InvalidCertificate(error) = error else {
        return format!("the server's certificate \"{}\": {error}", server.subject);
    };
    let chain: Vec<Facts> = intermediates
        .iter()
        .filter_map(|certificate| Facts::read(certificate))
        .collect();
    // The error says when, not which.
    let which = |matches: &dyn Fn(&Facts) -> bool| match chain.iter().find(|own| matches(own)) {
        Some(own) if !matches(&server) => format!("the certificate \"{}\"", own.subject),
        _ => format!("the server's certificate \"{}\"", server.subject),
    };
    use CertificateError as E;
    match error {
        E::Expired | E::ExpiredContext { .. } => {
            let at = match error {
                E::ExpiredContext { not_after, .. } => not_after.as_secs(),
                _ => *server.valid.end(),
            };
            let is_it = |facts: &Facts| *facts.valid.end() == at;
            let when = std::iter::once(&server).chain(&chain).find(|f| is_it(f));
            format!(
                "{} expired on {}: the server needs a new one",
                which(&is_it),
                when.map_or("an unknown date", |facts| &facts.not_after)
            )
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            let at = match error {
                E::NotValidYetContext { not_before, .. } => not_before.as_secs(),
                _ => *server.valid.start(),
            };
            let is_it = |facts: &Facts| *facts.valid.start() == at;
            let when = std::iter::once(&server).chain(&chain).find(|f| is_it(f));
            format!(
                "{} is not valid before {}: is this machine's clock right?",
                which(&is_it),
                when.map_or("an unknown date", |facts| &facts.not_before)
            )
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            let names = match error {
                E::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
                    let names: Vec<String> = presented.iter().map(|name| bare(name)).collect();
                    names.join(", ")
                }
                _ => "no name at all".to_owned(),
            };
            format!(
                "the server's certificate \"{}\" is not for {} but for {names}; SERVER_NAME may \
                 say under which name the server is to be verified",
                server.subject,
                name.to_str()
            )
        }
        E::UnknownIssuer if server.is_self_signed() => format!(
            "the server's certificate \"{}\" is signed by itself and not trusted; CA_FILE can \
             name it",
            server.subject
        ),
        E::UnknownIssuer => {
            // As far up as the server has sent certificates.
            let mut last = &server;
            for _ in 0..chain.len() {
                match chain.iter().find(|own| own.subject == last.issuer) {
                    Some(own) if !last.is_self_signed() => last = own,
                    _ => break,
                }
            }
            format!(
                "the certificate \"{}\" is issued by \"{}\", which is not trusted; CA_FILE can \
                 name that one's certificate",
                last.subject, last.issuer
            )
        }
        E::Revoked => format!("the server's certificate \"{}\" is revoked", server.subject),
        E::BadSignature => format!(
            "the signature of the server's certificate \"{}\" or of one above it is wrong",
            server.subject
        ),
        // The system's own words (Windows).
        E::Other(other) => format!(
            "the server's certificate \"{}\" is not accepted: {other}",
            server.subject
        ),
        other => format!(
            "the server's certificate \"{}\" is not accepted: {other}",
            server.subject
        ),
    }
}

/// `DnsName("localhost")` and `IpAddress(127.0.0.1)` as webpki writes them, without that.
fn bare(presented: &str) -> String {
    match presented.split_once('(') {
        Some((_, name)) => name.trim_end_matches(')').trim_matches('"').to_owned(),
        None => presented.to_owned(),
    }
}
