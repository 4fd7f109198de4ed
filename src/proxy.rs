//! Which proxy a connection goes through: what the host has set, or else what the environment says.

use crate::error::{Error, Result};
use percent_encoding::percent_decode_str;
use std::{ffi::OsString, fmt, net::IpAddr};
use url::{Host, Url};

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// CONNECT over plain TCP (RFC 9110, section 9.3.6).
    Http,
    /// CONNECT over TLS.
    Https,
    /// SOCKS 5 (RFC 1928); names are resolved here.
    Socks5,
    /// SOCKS 5; the proxy resolves names.
    Socks5h,
}

/// A proxy, or none.
#[derive(Clone, PartialEq, Eq)]
pub enum Proxy {
    /// None, whatever the environment says.
    None,
    /// This one.
    Through(Server),
}

/// A proxy server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// How it is spoken to.
    pub kind: Kind,
    /// Where it is.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// User and password.
    pub login: Option<(String, String)>,
}

/// Without the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::None => f.write_str("none"),
            Proxy::Through(server) => fmt::Display::fmt(server, f),
        }
    }
}

impl Proxy {
    /// From `scheme://[user[:password]@]host[:port]`; `http://` where there is no scheme, as curl has it.
    /// Errors do not repeat it: there may be a password in it.
    pub fn parse(text: &str) -> Result<Self> {
        let with_scheme = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let invalid = |why: &str| {
            Error::invalid(format!(
                "the proxy {why}; it is written scheme://[user:password@]host[:port], with the scheme \
                 http, https, socks5 or socks5h"
            ))
        };
        let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
        let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, 8080),
            "https" => (Kind::Https, 443),
            "socks5" => (Kind::Socks5, 1080),
            "socks5h" => (Kind::Socks5h, 1080),
            _ => return Err(invalid("has a scheme that is not known")),
        };
        // Parsed with a scheme whose default port nobody writes: the parser hides those that are the default.
        let url = Url::parse(&format!("ws+proxy://{rest}"))
            .map_err(|error| invalid(&format!("cannot be read ({error})")))?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("has a path"));
        }
        let host = match url.host_str() {
            Some(host) if !host.is_empty() => {
                Host::parse(host).map_err(|error| invalid(&format!("has no host ({error})")))?
            }
            _ => return Err(invalid("has no host")),
        };
        let decode = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| invalid("has a login that is not UTF-8"))
        };
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some((decode(user)?, decode(password.unwrap_or_default())?)),
        };
        let port = match url.port() {
            Some(0) => return Err(invalid("has port 0")),
            Some(port) => port,
            None => default_port,
        };
        Ok(Proxy::Through(Server {
            kind,
            host,
            port,
            login,
        }))
    }

    /// From the parameters of `SocketProxy`: what the URL does not say may be in the others.
    pub fn from_parts(proxy: &str, port: i32, login: &str, password: &str) -> Result<Self> {
        if proxy.is_empty() {
            return Ok(Proxy::None);
        }
        let port = u16::try_from(port)
            .map_err(|_| Error::invalid(format!("port {port} is not within 0 to 65535")))?;
        let Proxy::Through(mut server) = Self::parse(proxy)? else {
            return Ok(Proxy::None);
        };
        let written = has_port(proxy);
        if port != 0 {
            if written && server.port != port {
                return Err(Error::invalid(format!(
                    "the proxy says port {} and the port parameter {port}",
                    server.port
                )));
            }
            server.port = port;
        }
        if login.is_empty() && !password.is_empty() {
            return Err(Error::invalid("a password for the proxy without a login"));
        }
        if !login.is_empty() {
            if server.login.is_some() {
                return Err(Error::invalid(
                    "the proxy has a login and so has the login parameter",
                ));
            }
            server.login = Some((login.to_owned(), password.to_owned()));
        }
        Ok(Proxy::Through(server))
    }
}

fn has_port(proxy: &str) -> bool {
    let rest = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    behind.contains(':')
}

/// What the environment says for a host (curl's documented rules): `https_proxy` for TLS and
/// `http_proxy`, in lower case only because a CGI program's request sets HTTP_PROXY, for the rest, then
/// `all_proxy`; `no_proxy` names hosts that are reached directly.
pub(crate) fn from_environment(
    host: &Host,
    is_tls: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Server>> {
    let set = |names: &[&str]| {
        names.iter().find_map(|name| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|v| (name.to_string(), v))
        })
    };
    let own: &[&str] = match is_tls {
        true => &["https_proxy", "HTTPS_PROXY"],
        false => &["http_proxy"],
    };
    let Some((name, value)) = set(own).or_else(|| set(&["all_proxy", "ALL_PROXY"])) else {
        return Ok(None);
    };
    if let Some((_, exceptions)) = set(&["no_proxy", "NO_PROXY"])
        && is_excepted(host, &exceptions.to_string_lossy())
    {
        return Ok(None);
    }
    let parsed = match value.to_str() {
        Some(value) => Proxy::parse(value.trim()),
        None => Err(Error::invalid("the proxy is not UTF-8")),
    };
    match parsed {
        Ok(Proxy::Through(server)) => Ok(Some(server)),
        Ok(Proxy::None) => Ok(None),
        Err(error) => Err(Error::new(
            crate::error::Code::Proxy,
            format!("environment variable {name}: {error}"),
        )),
    }
}

/// Whether `no_proxy` names a host: `*` for all; names that end with one of the list at a dot; addresses, and
/// ranges of them (`10.0.0.0/8`).
fn is_excepted(host: &Host, exceptions: &str) -> bool {
    exceptions
        .split([',', ' '])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || matches_entry(host, entry))
}

fn matches_entry(host: &Host, entry: &str) -> bool {
    let ip = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let entry = entry.trim_matches('.').to_ascii_lowercase();
            return match name.strip_suffix(&entry) {
                Some(before) => !entry.is_empty() && (before.is_empty() || before.ends_with('.')),
                None => false,
            };
        }
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => IpAddr::V6(*ip),
    };
    let entry = entry.trim_start_matches('[').replace(']', "");
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (entry.as_str(), Some(128)),
    };
    let (Ok(network), Some(bits)) = (network.parse::<IpAddr>(), bits) else {
        return false;
    };
    let differs = match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (u128::from((a.to_bits() ^ b.to_bits()).leading_zeros()), 32)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (u128::from((a.to_bits() ^ b.to_bits()).leading_zeros()), 128)
        }
        _ => return false,
    };
    differs.0 >= u128::from(bits.min(differs.1))
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn server(text: &str) -> Server {
        match Proxy::parse(text).unwrap() {
            Proxy::Through(server) => server,
            Proxy::None => panic!("{text}"),
        }
    }

    #[test]
    fn proxies_are_read_and_their_passwords_hidden() {
        for (text, shown) in [
            ("http://proxy", "http://proxy:8080"),
            ("http://proxy:80", "http://proxy:80"),
            ("proxy:3128", "http://proxy:3128"),
            ("https://proxy/", "https://proxy:443"),
            ("SOCKS5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://[::1]:9", "socks5h://[::1]:9"),
        ] {
            assert_eq!(server(text).to_string(), shown);
        }
        let with_login = server("socks5://us%40er:pass%3aword@proxy");
        assert_eq!(with_login.login, Some(("us@er".into(), "pass:word".into())));
        assert!(!format!("{with_login:?}").contains("pass"));
        for bad in [
            "ftp://proxy",
            "http://",
            "http://:80",
            "http://proxy:99999",
            "http://proxy:0",
            "http://proxy/path",
            "http://proxy?query",
        ] {
            let error = Proxy::parse(bad).unwrap_err();
            assert!(error.message.contains("socks5h"), "{bad}: {error}");
        }
        assert!(
            !Proxy::parse("ftp://me:secret@x")
                .unwrap_err()
                .message
                .contains("secret")
        );
    }

    #[test]
    fn parameters_complete_the_url_and_may_not_contradict_it() {
        let with = |proxy, port, login, password| Proxy::from_parts(proxy, port, login, password);
        assert_eq!(with("", 0, "", "").unwrap(), Proxy::None);
        let Proxy::Through(server) = with("socks5://p", 1081, "me", "secret").unwrap() else {
            panic!()
        };
        assert_eq!(
            (server.port, server.login),
            (1081, Some(("me".into(), "secret".into())))
        );
        assert!(with("socks5://p:1080", 1081, "", "").is_err());
        assert!(with("socks5://p", -1, "", "").is_err());
        assert!(with("socks5://p", 0, "", "secret").is_err());
        assert!(with("socks5://a:b@p", 0, "me", "").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_not_gone_around() {
        use std::os::unix::ffi::OsStringExt;
        let look = |which: &str| {
            from_environment(&Host::parse("a.example").unwrap(), true, |name| {
                let value = b"http://me:p\xe4ss@a.example:1".to_vec();
                (name == which).then(|| OsString::from_vec(value))
            })
        };
        let error = look("https_proxy").unwrap_err();
        assert!(error.message.contains("https_proxy") && !error.message.contains("ss@"));
        assert!(look("all_proxy").is_err() && look("no_proxy").unwrap().is_none());
    }

    #[test]
    fn the_environment_counts_as_curl_documents_it() {
        let look = |host: &str, is_tls, set: &[(&str, &str)]| {
            let set: HashMap<_, _> = set.iter().copied().collect();
            from_environment(&Host::parse(host).unwrap(), is_tls, |name| {
                set.get(name).map(OsString::from)
            })
            .unwrap()
            .map(|server| server.host.to_string())
        };
        let all = [
            ("http_proxy", "plain"),
            ("HTTP_PROXY", "never"),
            ("https_proxy", "secure"),
            ("HTTPS_PROXY", "upper"),
            ("ALL_PROXY", "all"),
        ];
        assert_eq!(look("a.example", false, &all).as_deref(), Some("plain"));
        assert_eq!(look("a.example", true, &all).as_deref(), Some("secure"));
        assert_eq!(look("a.example", true, &all[3..]).as_deref(), Some("upper"));
        assert_eq!(look("a.example", false, &all[1..]).as_deref(), Some("all"));
        assert_eq!(look("a.example", false, &all[1..2]), None);
        for (exceptions, host, direct) in [
            ("*", "a.example", true),
            ("example", "a.example", true),
            (".a.example", "a.example", true),
            ("b.example, A.Example", "a.example", true),
            ("b.example a.example", "x.a.example", true),
            ("ample", "a.example", false),
            ("b.a.example", "a.example", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/16", "10.9.8.7", false),
            ("[::1]", "[::1]", true),
            ("fe80::/10", "[fe80::1]", true),
            ("0.0.1", "10.0.0.1", false),
            ("10.0.0.0/x", "10.0.0.1", false),
        ] {
            let set = [("all_proxy", "all"), ("no_proxy", exceptions)];
            assert_eq!(
                look(host, true, &set).is_none(),
                direct,
                "{exceptions} {host}"
            );
        }
    }
}
