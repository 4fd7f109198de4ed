//! From the host's arguments to the server's address and the resource (RFC 6455, section 3).

use crate::{
    error::{Code, Error, Result},
    tls::Versions,
};
use std::net::Ipv6Addr;
use url::{Host, Url};

/// The port that WinDev documents as the default, for `ws://` too.
const DOCUMENTED_PORT: u16 = 443;
/// The longest path of a Unix socket (`sun_path` without its NUL; other systems have less than Linux).
const MAX_UNIX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// What the URL of a Unix socket begins with.
const UNIX: &str = "ws+unix://";
/// The longest host name (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;
/// The longest address or path; servers refuse request lines well below this.
const MAX_TEXT: usize = 16 << 10;

/// Where to connect to, and what to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Host name or address.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Path and query, as they stand in the request line.
    pub resource: String,
    /// The TLS versions that may be used; `None`: no TLS.
    pub tls: Option<Versions>,
    /// The Unix socket to connect to instead of host and port.
    pub unix: Option<String>,
}

impl Target {
    /// From the parameters of the connecting functions: `address` is a host name, an IP address or a
    /// `ws://` URL; what the URL does not say may be in `port` (0: not said) and `path`.
    pub fn from_parts(
        address: &str,
        port: i32,
        path: &str,
        tls: Option<Versions>,
    ) -> Result<Target> {
        let port = u16::try_from(port)
            .map_err(|_| Error::invalid(format!("port {port} is not within 0 to 65535")))?;
        check_text("address", address)?;
        check_text("path", path)?;
        let path = (!path.is_empty()).then(|| path.strip_prefix('/').unwrap_or(path));
        match address.contains("://") {
            true => {
                let target = Self::from_url_and(address, port, path)?;
                match (target.tls, tls) {
                    (Some(_), None) => Err(Error::invalid(format!(
                        "\"{address}\": wss:// is for the functions with SSL in their names"
                    ))),
                    (None, Some(_)) => Err(Error::invalid(format!(
                        "\"{address}\": ws:// is for the functions without SSL in their names"
                    ))),
                    _ => Ok(Target { tls, ..target }),
                }
            }
            false => {
                let host = parse_host(address)?;
                let port = if port == 0 { DOCUMENTED_PORT } else { port };
                Self::build(&host, port, path.unwrap_or(""), tls)
            }
        }
    }

    /// From a URL alone.
    pub fn from_url(url: &str) -> Result<Target> {
        check_text("URL", url)?;
        if !url.contains("://") {
            return Err(Error::invalid(format!(
                "\"{url}\" is not a URL: it must begin with ws:// or wss://"
            )));
        }
        Self::from_url_and(url, 0, None)
    }

    fn from_url_and(address: &str, port: u16, path: Option<&str>) -> Result<Target> {
        if let Some(local) = address.strip_prefix(UNIX) {
            return Self::from_unix(local, port, path);
        }
        let url = parse_url(address)?;
        let tls = (url.scheme() == "wss").then_some(Versions::ALL);
        let host = match url.host() {
            Some(host) => host.to_owned(),
            None => return Err(Error::invalid(format!("\"{address}\" names no host"))),
        };
        // `Url::port` hides a port that is the scheme's default: look at what is written.
        let port = match (written_port(address), port) {
            (None, 0) => default_port(tls),
            (None, port) => port,
            (Some(port), 0) => port,
            (Some(written), port) if written == port => port,
            (Some(written), port) => {
                return Err(Error::invalid(format!(
                    "the URL says port {written} and the port parameter {port}"
                )));
            }
        };
        if port == 0 {
            return Err(Error::invalid("port 0 cannot be connected to"));
        }
        let in_url = resource(&url);
        let target = Self::build(&host, port, path.unwrap_or(""), tls)?;
        let resource = match (in_url.as_str(), path) {
            (_, None) => in_url,
            ("/", Some(_)) => target.resource,
            (in_url, Some(_)) if in_url == target.resource => target.resource,
            (in_url, Some(_)) => {
                return Err(Error::invalid(format!(
                    "the URL says path {in_url} and the path parameter {}",
                    target.resource
                )));
            }
        };
        Ok(Target { resource, ..target })
    }

    /// From `/path/of/the.sock[:/resource]`.
    fn from_unix(local: &str, port: u16, path: Option<&str>) -> Result<Target> {
        let (socket, resource) = match local.split_once(':') {
            Some((socket, resource)) => (socket, Some(resource.trim_start_matches('/'))),
            None => (local, None),
        };
        if !cfg!(unix) {
            return Err(Error::new(
                Code::Unsupported,
                "this system has no Unix sockets (ws+unix://)",
            ));
        }
        if !socket.starts_with('/') {
            return Err(Error::invalid(format!(
                "\"{UNIX}{local}\" does not name a socket: it is written \
                 ws+unix:///path/of/the.sock:/resource"
            )));
        }
        if port != 0 {
            return Err(Error::invalid("a Unix socket has no port"));
        }
        if socket.len() > MAX_UNIX {
            return Err(Error::invalid(format!(
                "the path of the Unix socket is longer than {MAX_UNIX} bytes"
            )));
        }
        // As in other URLs, the path `/` says nothing.
        let resource = match (resource.filter(|resource| !resource.is_empty()), path) {
            (Some(in_url), Some(path)) if in_url != path => {
                return Err(Error::invalid(format!(
                    "the URL says path /{in_url} and the path parameter /{path}"
                )));
            }
            (in_url, path) => in_url.or(path).unwrap_or_default(),
        };
        let host = Host::Domain("localhost".to_owned());
        Ok(Target {
            unix: Some(socket.to_owned()),
            ..Self::build(&host, 80, resource, None)?
        })
    }

    /// Lets the URL parser bring path and query (without the leading slash) into the form of a
    /// request line.
    fn build(host: &Host, port: u16, path: &str, tls: Option<Versions>) -> Result<Target> {
        if path.contains('#') {
            return Err(Error::invalid(format!(
                "path \"{path}\" has a fragment (#), which WebSocket addresses may not have"
            )));
        }
        // Most paths have that form; dots could be segments that are to be left out.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte);
        let resource = match path.bytes().all(is_plain) {
            true => format!("/{path}"),
            false => Url::parse(&format!("ws://{host}:{port}/{path}"))
                .map(|url| resource(&url))
                .map_err(|error| Error::invalid(format!("path \"{path}\": {error}")))?,
        };
        Ok(Target {
            host: host.clone(),
            port,
            resource,
            tls,
            unix: None,
        })
    }

    /// Host and port, for people.
    pub fn authority(&self) -> String {
        if let Some(path) = &self.unix {
            return path.clone();
        }
        format!("{}:{}", self.host, self.port)
    }

    /// The value of the `Host` header: the port only where it is not the scheme's default (RFC 6455,
    /// section 4.1).
    pub fn host_header(&self) -> String {
        match self.port == default_port(self.tls) {
            true => self.host.to_string(),
            false => self.authority(),
        }
    }

    /// Where it goes, for the log: without the query, in which programs pass secrets.
    pub fn without_query(&self) -> String {
        let url = self.url();
        url.split('?').next().unwrap_or_default().to_owned()
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        match &self.unix {
            Some(path) => format!("{UNIX}{path}:{}", self.resource),
            None => self.request_url(),
        }
    }

    /// As the request is made for.
    pub fn request_url(&self) -> String {
        format!(
            "{}://{}{}",
            self.scheme(),
            self.host_header(),
            self.resource
        )
    }

    fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "wss",
            None => "ws",
        }
    }
}

/// The port of a URL that names none (RFC 6455, section 3).
fn default_port(tls: Option<Versions>) -> u16 {
    match tls {
        Some(_) => 443,
        None => 80,
    }
}

/// Path and query, as they stand in the request line.
fn resource(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn parse_url(address: &str) -> Result<Url> {
    let invalid = |why: &str| Error::invalid(format!("\"{address}\": {why}"));
    let (scheme, rest) = address.split_once("://").unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "wss" => {}
        _ => return Err(invalid("the scheme must be ws or wss")),
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(invalid("it names no host"));
    }
    if authority.contains('@') {
        // Not repeated: there may be a password in it.
        return Err(Error::invalid(
            "the URL has user information (user:password@); send a header instead (option HEADER)",
        ));
    }
    if address.contains('#') {
        return Err(invalid("a WebSocket URL may not have a fragment (#)"));
    }
    let url = Url::parse(address).map_err(|error| invalid(&error.to_string()))?;
    if let Some(Host::Domain(domain)) = url.host() {
        check_domain(domain)?;
    }
    Ok(url)
}

/// The port as the URL has it.
fn written_port(address: &str) -> Option<u16> {
    let (_, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '\\']).next()?;
    let behind_host = match authority.rsplit_once(']') {
        Some((_, behind)) => behind,
        None => authority,
    };
    behind_host.rsplit_once(':')?.1.parse().ok()
}

/// A host without a scheme: name, IPv4, IPv6 with or without brackets.
fn parse_host(address: &str) -> Result<Host> {
    let invalid = |why: String| Error::invalid(format!("address \"{address}\": {why}"));
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if let Ok(ip) = bare.parse::<Ipv6Addr>() {
        return Ok(Host::Ipv6(ip));
    }
    if let Some(byte) = address.chars().find(|c| ":/?#@[]\\ %".contains(*c)) {
        let hint = match byte {
            ':' => "; the port is a parameter of its own, or write ws://host:port",
            '/' => "; the path is a parameter of its own, or write ws://host/path",
            _ => "",
        };
        return Err(invalid(format!(
            "'{byte}' is not part of a host name{hint}"
        )));
    }
    let host = Host::parse(address).map_err(|error| invalid(error.to_string()))?;
    if let Host::Domain(domain) = &host {
        check_domain(domain)?;
    }
    Ok(host)
}

/// RFC 1035, section 2.3.4.
fn check_domain(domain: &str) -> Result<()> {
    let labels = domain.strip_suffix('.').unwrap_or(domain).split('.');
    let fits =
        domain.len() <= MAX_HOST && labels.clone().all(|label| (1..=63).contains(&label.len()));
    match fits {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "\"{domain}\" is not a host name: at most {MAX_HOST} bytes, each part 1 to 63"
        ))),
    }
}

fn check_text(what: &str, text: &str) -> Result<()> {
    if text.len() > MAX_TEXT {
        return Err(Error::invalid(format!(
            "{what}: longer than {MAX_TEXT} bytes"
        )));
    }
    match text.chars().any(|c| c.is_control()) || text.trim() != text {
        true => Err(Error::invalid(format!(
            "{what}: control characters, or blanks at the ends"
        ))),
        false => Ok(()),
    }
}

/// Subprotocols from their list: `"mqtt,soap"`.
pub(crate) fn parse_protocols(list: &str) -> Result<Vec<String>> {
    if list.trim().is_empty() {
        return Ok(Vec::new());
    }
    check_text("protocols", list)?;
    let mut protocols: Vec<String> = Vec::new();
    for protocol in list.split(',').map(str::trim) {
        // RFC 6455, section 4.1: tokens, each once.
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if protocol.is_empty() || !protocol.bytes().all(is_token) {
            return Err(Error::invalid(format!(
                "protocols \"{list}\": \"{protocol}\" is not a subprotocol's name"
            )));
        }
        if protocols.iter().any(|other| other == protocol) {
            return Err(Error::invalid(format!(
                "protocols \"{list}\": \"{protocol}\" twice"
            )));
        }
        protocols.push(protocol.to_owned());
    }
    Ok(protocols)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn url(address: &str, port: i32, path: &str) -> String {
        Target::from_parts(address, port, path, None).unwrap().url()
    }

    #[test]
    fn hosts_ports_and_paths() {
        assert_eq!(url("example.com", 0, ""), "ws://example.com:443/");
        assert_eq!(url("example.com", 80, "chat"), "ws://example.com/chat");
        assert_eq!(
            url("example.com", 80, "/chat?a=b c"),
            "ws://example.com/chat?a=b%20c"
        );
        assert_eq!(url("example.com", 80, "//x"), "ws://example.com//x");
        assert_eq!(url("127.0.0.1", 9001, ""), "ws://127.0.0.1:9001/");
        assert_eq!(url("::1", 9001, ""), "ws://[::1]:9001/");
        assert_eq!(url("[::1]", 9001, ""), "ws://[::1]:9001/");
        assert_eq!(
            url("bücher.example", 80, "é"),
            "ws://xn--bcher-kva.example/%C3%A9"
        );
    }

    #[test]
    fn urls() {
        assert_eq!(url("ws://example.com", 0, ""), "ws://example.com/");
        assert_eq!(
            url("WS://Example.com:9001/a?b", 0, ""),
            "ws://example.com:9001/a?b"
        );
        assert_eq!(
            url("ws://example.com", 9001, "/a"),
            "ws://example.com:9001/a"
        );
        assert_eq!(url("ws://example.com/", 0, "a"), "ws://example.com/a");
        assert_eq!(url("ws://example.com:80/a", 80, "/a"), "ws://example.com/a");
        assert_eq!(url("ws://[::1]:9001", 0, ""), "ws://[::1]:9001/");
        assert_eq!(url("ws://[::1]", 9001, ""), "ws://[::1]:9001/");
        let secure = |url: &str| Target::from_url(url).unwrap().url();
        assert_eq!(secure("WSS://Example.com/a"), "wss://example.com/a");
        assert_eq!(secure("wss://example.com:80/"), "wss://example.com:80/");
        assert_eq!(secure("wss://example.com:443/"), "wss://example.com/");
        #[cfg(unix)]
        {
            let local = secure("ws+unix:///run/a.sock:/b?c");
            assert_eq!(local, "ws+unix:///run/a.sock:/b?c");
            assert_eq!(secure("ws+unix:///run/a.sock"), "ws+unix:///run/a.sock:/");
            assert!(Target::from_url("ws+unix://run/a.sock").is_err());
            assert!(Target::from_parts("ws+unix:///a", 80, "", None).is_err());
        }
    }

    #[test]
    fn what_is_refused() {
        for (address, port, path) in [
            ("", 80, ""),
            ("example.com:80", 0, ""),
            ("http://example.com", 0, ""),
            ("ws://user:password@example.com", 0, ""),
            ("user@example.com", 0, ""),
            ("ws://example.com/#a", 0, ""),
            ("ws://example.com", 0, "/a#b"),
            ("example.com", 80, "/a#b"),
            ("ws://example.com:80", 81, ""),
            ("ws://example.com/a", 0, "/b"),
            ("ws://example.com/?a", 0, "/b"),
            ("example.com/path", 80, ""),
            ("ex ample.com", 80, ""),
            (" example.com", 80, ""),
            ("exa\r\nmple.com", 80, ""),
            ("example.com", -1, ""),
            ("example.com", 65536, ""),
            ("ws://example.com:65536", 0, ""),
            ("ws://example.com:0", 0, ""),
            ("ws://", 0, ""),
            ("ws:///path", 0, ""),
            ("ws://?query", 0, ""),
            ("ws://:80", 0, ""),
            ("[::1", 80, ""),
            ("1.2.3.4.5", 80, ""),
            ("example..com", 80, ""),
            (&"a".repeat(64), 80, ""),
            ("example.com", 80, "/a\nb"),
        ] {
            let error = Target::from_parts(address, port, path, None).unwrap_err();
            assert_eq!(error.code, Code::InvalidArgument, "{address} {port} {path}");
            assert!(!error.message.contains("password@example"), "{error}");
        }
        assert!(Target::from_parts("wss://a", 0, "", None).is_err());
        assert!(Target::from_parts("ws://a", 0, "", Some(Versions::ALL)).is_err());
    }

    #[test]
    fn protocols() {
        assert_eq!(parse_protocols("").unwrap(), Vec::<String>::new());
        assert_eq!(parse_protocols("mqtt, soap").unwrap(), ["mqtt", "soap"]);
        for bad in ["a,,b", "a b", "a,a", ",", "a;b", "é"] {
            assert!(parse_protocols(bad).is_err(), "{bad}");
        }
    }
}
