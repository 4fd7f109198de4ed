//! Where a server sends the client instead (RFC 9110, section 15.4; RFC 6455, section 4.1).

use super::address::Target;
use crate::{
    error::{Code, Error, Result},
    options::Settings,
    socket::Answer,
};
use url::Url;

/// So many are followed.
pub(super) const MOST: usize = 5;

/// Where the answer redirects to, if it does.
pub(super) fn location(answer: &Answer) -> Option<&str> {
    if !matches!(answer.status, 301 | 302 | 307 | 308) {
        return None;
    }
    answer
        .headers
        .lines()
        .find_map(|line| line.strip_prefix("location:"))
        .map(str::trim)
        .filter(|location| !location.is_empty())
}

/// The target of a redirection.
///
/// # Errors
/// One that is not followed.
pub(super) fn follow(target: &Target, location: &str) -> Result<Target> {
    let refused = |to: &str, why: &str| {
        Error::new(
            Code::Handshake,
            format!("the server redirects to {to}, {why}"),
        )
    };
    let mut url = Url::parse(&target.request_url())
        .and_then(|base| base.join(location))
        .map_err(|error| refused("something", &format!("which is no address ({error})")))?;
    // Neither is asked for.
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let resource = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    if target.unix.is_some() && location.starts_with('/') && !location.starts_with("//") {
        // The same socket.
        return Ok(Target {
            resource,
            ..target.clone()
        });
    }
    // A query may hold secrets: it is not shown.
    url.set_query(None);
    let refused = |why: &str| refused(url.as_str(), why);
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return Err(refused("which is no WebSocket address")),
    };
    if target.tls.is_some() && scheme == "ws" {
        return Err(refused(
            "which has no TLS: this is not followed from wss:// (the server should redirect to wss://)",
        ));
    }
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let next = Target::from_url(&format!("{scheme}://{host}{port}{}", url.path()))
        .map_err(|error| refused(&format!("which is no WebSocket address: {}", error.message)))?;
    Ok(Target {
        resource,
        tls: next.tls.map(|all| target.tls.unwrap_or(all)),
        ..next
    })
}

/// What may be said to another host: nothing that proves who the client is, nor the first host's name.
pub(super) fn without_authorisation(settings: &Settings) -> Settings {
    const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    let mut settings = settings.clone();
    settings
        .headers
        .retain(|(name, _)| !SECRET.contains(&name.to_ascii_lowercase().as_str()));
    settings.tls.cert_file = None;
    settings.tls.key_file = None;
    settings.tls.server_name = None;
    settings
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn locations_are_resolved_and_downgrades_refused() {
        for (from, location, to) in [
            ("ws://a:9001/x?y", "/z?q", Ok("ws://a:9001/z?q")),
            ("ws://a/x", "http://b/y", Ok("ws://b/y")),
            ("ws://a/x", "https://a/x", Ok("wss://a/x")),
            ("wss://a/x", "wss://b:444/", Ok("wss://b:444/")),
            ("wss://a/x", "//b/y#fragment", Ok("wss://b/y")),
            ("ws://a/x", "http://me:hidden@b/y?z", Ok("ws://b/y?z")),
            ("wss://a/x", "http://a/x?secret", Err("no TLS")),
            (
                "wss://a/x",
                "http://secret:secret@a/x#secret",
                Err("to http://a/x, which has no TLS"),
            ),
            ("ws://a/x", "ftp://secret@a/x", Err("to ftp://a/x,")),
            ("ws://a/x", "http://me:secret@[x]/", Err("no address")),
            ("wss://a/x", "ws://a/x", Err("no TLS")),
            ("ws://a/x", "ftp://a/x", Err("no WebSocket address")),
            ("ws://a/x", "http://", Err("no address")),
        ] {
            let followed = follow(&Target::from_url(from).unwrap(), location);
            match (followed, to) {
                (Ok(target), Ok(url)) => assert_eq!(target.url(), url),
                (Err(error), Err(word)) => {
                    assert!(error.message.contains(word), "{error}");
                    assert!(!error.message.contains("secret"), "{error}");
                }
                (followed, to) => panic!("{from} to {location}: {followed:?}, not {to:?}"),
            }
        }
    }

    #[test]
    fn only_redirections_with_a_location_count() {
        let answer = |status, headers: &str| Answer {
            status,
            headers: headers.to_owned(),
            ..Answer::default()
        };
        assert_eq!(
            location(&answer(302, "a: b\r\nlocation: /x\r\n")),
            Some("/x")
        );
        assert_eq!(location(&answer(302, "a: b\r\n")), None);
        assert_eq!(location(&answer(303, "location: /x\r\n")), None);
        assert_eq!(location(&answer(200, "location: /x\r\n")), None);
    }
}
