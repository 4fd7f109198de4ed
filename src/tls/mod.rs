//! TLS (RFC 8446, RFC 5246) with rustls: what is trusted, how a handshake goes, and what went wrong.

mod certificate;
mod config;
mod pin;
mod verify;

pub(crate) use self::{
    certificate::describe as describe_certificate,
    config::{check_certificates, check_key},
    pin::Pins,
};

#[cfg(all(test, not(shuttle)))]
pub(crate) use self::config::build as configuration;

use crate::error::{Code, Error, Result, describe};
use rustls::{
    AlertDescription, ClientConnection, PeerIncompatible, PeerMisbehaved,
    pki_types::{DnsName, ServerName},
};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Host;

/// The versions that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Versions {
    pub tls12: bool,
    pub tls13: bool,
}

impl Versions {
    /// Both that are safe.
    pub const ALL: Versions = Versions {
        tls12: true,
        tls13: true,
    };
}

/// What the host has set about TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settings {
    /// PEM file with the certificates that are trusted instead of the system's.
    pub ca_file: Option<String>,
    /// PEM file with the client's certificate and its chain.
    pub cert_file: Option<String>,
    /// PEM file with the client's key.
    pub key_file: Option<String>,
    /// Whether the server's certificate is verified.
    pub verify_peer: bool,
    /// The name to ask for and to verify, instead of the address's.
    pub server_name: Option<String>,
    /// The keys that the server may have.
    pub pins: Option<Pins>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            ca_file: None,
            cert_file: None,
            key_file: None,
            verify_peer: true,
            server_name: None,
            pins: None,
        }
    }
}

/// Makes the handshake over a connected stream.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &Host,
    settings: &Settings,
    versions: Versions,
) -> Result<TlsStream<S>> {
    let name = match &settings.server_name {
        Some(name) => server_name(name)?,
        None => name_of(host)?,
    };
    let config = config::get(settings, versions).await?;
    let handshake = TlsConnector::from(config).connect(name, stream).await;
    // Said by the verifier on this very thread, since the last time that somebody asked.
    let refusal = verify::take_refusal();
    handshake.map_err(|error| match refusal {
        Some(refusal) => Error::new(Code::Tls, refusal),
        None => explain(&error).unwrap_or_else(|| {
            Error::new(
                Code::Tls,
                match error.kind() {
                    io::ErrorKind::UnexpectedEof => {
                        "the server closed the connection in the middle of the TLS handshake"
                            .to_owned()
                    }
                    _ => format!(
                        "the connection was lost in the TLS handshake: {}",
                        describe(&error)
                    ),
                },
            )
        }),
    })
}

/// A name from the option SERVER_NAME.
pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| {
        Error::invalid(format!(
            "SERVER_NAME: \"{name}\" is neither a host name nor an IP address"
        ))
    })
}

fn name_of(host: &Host) -> Result<ServerName<'static>> {
    match host {
        Host::Ipv4(ip) => Ok(ServerName::IpAddress((*ip).into())),
        Host::Ipv6(ip) => Ok(ServerName::IpAddress((*ip).into())),
        Host::Domain(name) => DnsName::try_from(name.trim_end_matches('.').to_owned())
            .map(ServerName::DnsName)
            .map_err(|_| {
                Error::new(
                    Code::Tls,
                    format!(
                        "\"{name}\" cannot be a name in a certificate; SERVER_NAME may say another"
                    ),
                )
            }),
    }
}

/// Version and cipher suite, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`.
pub(crate) fn describe_session(connection: &ClientConnection) -> String {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLS",
    };
    let suite = connection
        .negotiated_cipher_suite()
        .and_then(|suite| suite.suite().as_str())
        .unwrap_or_default();
    format!("{version} {suite}")
}

/// What TLS has to say about an error of a stream; `None` where it was not TLS.
pub(crate) fn explain(error: &io::Error) -> Option<Error> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(Error::new(Code::Tls, in_words(error)))
}

fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::AlertReceived(alert) => refused_by_server(*alert),
        rustls::Error::InvalidMessage(_) => {
            "the server does not speak TLS here: is this a port for ws://?".to_owned()
        }
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | rustls::Error::PeerMisbehaved(
            PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported,
        ) => "the server offers none of the TLS versions that are allowed (1.2 and 1.3, unless \
             ssl_options says less)"
            .to_owned(),
        rustls::Error::NoApplicationProtocol => {
            "the server does not offer http/1.1 (ALPN)".to_owned()
        }
        // Of the stream's: rustls has no reason to say this.
        rustls::Error::EncryptError => "as many records were sent as TLS 1.2 allows with one \
             connection's keys; another connection has new ones"
            .to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

/// The server's alert (RFC 8446, section 6.2), and what it usually means.
fn refused_by_server(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let name = alert.as_str().unwrap_or("unknown");
    let hint = match alert {
        A::CertificateRequired | A::NoCertificate => {
            ": it demands a client certificate (CLIENT_CERT_FILE, CLIENT_KEY_FILE)"
        }
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => ": it does not accept the client certificate (CLIENT_CERT_FILE)",
        A::ProtocolVersion => {
            ": it offers none of the TLS versions that are allowed (1.2 and 1.3, unless ssl_options says \
             less)"
        }
        A::HandshakeFailure | A::InsufficientSecurity => {
            ": there is no cipher that both sides allow, or it demands a client certificate \
             (CLIENT_CERT_FILE, CLIENT_KEY_FILE)"
        }
        A::UnrecognisedName => ": it does not know the server's name (SERVER_NAME)",
        A::NoApplicationProtocol => ": it does not offer http/1.1 (ALPN)",
        _ => "",
    };
    format!("the server ended TLS with the alert {name}{hint}")
}
