//! Through a proxy to the server (RFC 9110, section 9.3.6; RFC 1928; RFC 1929).

use super::{
    MOST_INTERIM, Phase,
    carrier::Carrier,
    dial::{Endpoint, dial, resolve},
};
use crate::{
    error::{Code, Error, Result, describe},
    options::Settings,
    proxy::{Kind, Proxy, Server, from_environment},
    sync::lock,
    tls,
};
use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_socks::{TargetAddr, tcp::Socks5Stream};

/// The longest answer to CONNECT.
const MAX_ANSWER: usize = 16 << 10;

/// The proxy for an endpoint, if there is to be one.
pub(super) fn choose(
    settings: &Settings,
    endpoint: &Endpoint<'_>,
    is_tls: bool,
) -> Result<Option<Server>> {
    match &settings.proxy {
        Some(Proxy::None) => Ok(None),
        Some(Proxy::Through(server)) => Ok(Some(server.clone())),
        None => from_environment(endpoint.host, is_tls, |name| std::env::var_os(name)),
    }
}

/// Connects to the endpoint through the proxy.
pub(super) async fn connect(
    server: &Server,
    endpoint: &Endpoint<'_>,
    settings: &Settings,
    phase: &Phase,
) -> Result<Carrier> {
    let failed = |failure: Failure| {
        let what = failure.what;
        Error::new(Code::Proxy, format!("proxy {server}: {what}"))
    };
    if server.kind != Kind::Socks5 {
        let name = TargetAddr::Domain(endpoint.bare_host().into(), endpoint.port);
        let target = match endpoint.literal() {
            Some(ip) => TargetAddr::Ip((ip, endpoint.port).into()),
            None => name,
        };
        return reach(server, target, endpoint, settings, phase)
            .await
            .map_err(failed);
    }
    let mut last = Failure::default();
    for address in resolve(endpoint, phase).await? {
        match reach(server, TargetAddr::Ip(address), endpoint, settings, phase).await {
            Err(failure) if failure.of_address => last = failure,
            outcome => return outcome.map_err(failed),
        }
    }
    Err(failed(last))
}

/// What the proxy did instead.
#[derive(Default)]
struct Failure {
    what: String,
    /// With another address of the same server it may be different. A refused login is not tried again: too many
    /// lock an account.
    of_address: bool,
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Failure {
            what,
            of_address: false,
        }
    }
}

/// One attempt.
async fn reach(
    server: &Server,
    target: TargetAddr<'_>,
    endpoint: &Endpoint<'_>,
    settings: &Settings,
    phase: &Phase,
) -> Result<Carrier, Failure> {
    let own = Endpoint {
        host: &server.host,
        port: server.port,
    };
    let dialed = dial(&own, phase).await.map_err(|error| error.to_string())?;
    let mut carrier = Carrier::Plain(dialed);
    lock(phase).waiting_for = format!("the proxy {server} did not answer").into();
    if server.kind == Kind::Https {
        // The proxy's certificate is verified as the server's would be, without what is said of that.
        let settings = tls::Settings {
            ca_file: settings.tls.ca_file.clone(),
            verify_peer: settings.tls.verify_peer,
            ..tls::Settings::default()
        };
        let stream = tls::connect(carrier, &server.host, &settings, tls::Versions::ALL)
            .await
            .map_err(|error| error.to_string())?;
        carrier = Carrier::Tls(Box::new(stream));
    }
    match server.kind {
        Kind::Http | Kind::Https => {
            ask(&mut carrier, server, endpoint).await?;
            Ok(carrier)
        }
        Kind::Socks5 | Kind::Socks5h => {
            let stream = match &server.login {
                None => Socks5Stream::connect_with_socket(carrier, target).await,
                Some((user, password)) => {
                    Socks5Stream::connect_with_password_and_socket(carrier, target, user, password)
                        .await
                }
            };
            match stream {
                Ok(stream) => Ok(stream.into_inner()),
                Err(error) => Err(Failure {
                    what: in_words(&error, endpoint),
                    of_address: is_of_address(&error),
                }),
            }
        }
    }
}

/// Asks an HTTP proxy for a tunnel.
async fn ask(
    carrier: &mut Carrier,
    server: &Server,
    endpoint: &Endpoint<'_>,
) -> Result<(), String> {
    let authority = endpoint.authority();
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some((user, password)) = &server.login {
        let login = BASE64.encode(format!("{user}:{password}").as_bytes());
        request.push_str(&format!("Proxy-Authorization: Basic {login}\r\n"));
    }
    request.push_str("\r\n");
    carrier.write_all(request.as_bytes()).await.map_err(lost)?;
    carrier.flush().await.map_err(lost)?;
    // Those that announce another (RFC 9110, section 15.2) are no more than that.
    for _ in 0..=MOST_INTERIM {
        let answer = one_answer(carrier).await?;
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let status = match response.parse(&answer) {
            Ok(_) => response.code.unwrap_or_default(),
            Err(error) => return Err(format!("its answer is not HTTP: {error}")),
        };
        let reason = response.reason.unwrap_or_default();
        return match status {
            100 | 102..=199 => continue,
            200..=299 => Ok(()),
            407 if server.login.is_some() => Err(format!(
                "it answered 407 {reason}: the login was not accepted"
            )),
            407 => Err(format!("it answered 407 {reason}: it demands a login")),
            _ => Err(format!(
                "it answered {status} {reason} when asked for {authority}"
            )),
        };
    }
    Err(format!(
        "it answered more than {MOST_INTERIM} times without an end"
    ))
}

/// Header and status line of an answer, and nothing of what follows: that is the server's. Answers are short.
async fn one_answer(carrier: &mut Carrier) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        let byte = carrier
            .read_u8()
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    "it closed the connection without an answer to CONNECT".to_owned()
                }
                _ => lost(error),
            })?;
        bytes.push(byte);
        if bytes.ends_with(b"\r\n\r\n") || bytes.ends_with(b"\n\n") {
            return Ok(bytes);
        }
        if bytes.len() > MAX_ANSWER {
            return Err(format!("its answer is longer than {MAX_ANSWER} bytes"));
        }
    }
}

fn lost(error: std::io::Error) -> String {
    format!("the connection was lost: {}", describe(&error))
}

/// Whether the proxy's trouble is with the address that it was to connect to.
fn is_of_address(error: &tokio_socks::Error) -> bool {
    use tokio_socks::Error as E;
    matches!(
        error,
        E::ConnectionRefused
            | E::HostUnreachable
            | E::NetworkUnreachable
            | E::ConnectionNotAllowedByRuleset
            | E::TtlExpired
            | E::AddressTypeNotSupported
            | E::GeneralSocksServerFailure
    )
}

fn in_words(error: &tokio_socks::Error, endpoint: &Endpoint<'_>) -> String {
    use tokio_socks::Error as E;
    let authority = endpoint.authority();
    match error {
        E::NoAcceptableAuthMethods => "it demands a login".to_owned(),
        E::PasswordAuthFailure(_) => "the login was not accepted".to_owned(),
        E::ConnectionRefused => format!("{authority} refused its connection"),
        E::HostUnreachable => format!("it cannot reach or resolve {authority}"),
        E::NetworkUnreachable => format!("it cannot reach the network of {authority}"),
        E::ConnectionNotAllowedByRuleset => format!("it does not allow {authority}"),
        E::TtlExpired => format!("its connection to {authority} took too long"),
        E::GeneralSocksServerFailure => format!("it could not connect to {authority}"),
        E::InvalidResponseVersion => "it does not speak SOCKS 5".to_owned(),
        E::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it closed the connection in the middle of SOCKS".to_owned()
        }
        E::Io(error) => format!("the connection was lost: {}", describe(error)),
        other => other.to_string(),
    }
}
