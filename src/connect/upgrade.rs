//! The upgrade request and what the server answers (RFC 6455, sections 4.1 and 4.2.2).

use super::{Failure, MOST_INTERIM, Phase, address::Target, redirect};
use crate::{
    error::{Code, Error, describe},
    options::Settings,
    protocol::extensions::{self, Agreement, Offer},
    socket::Answer,
    sync::lock,
    sys, tls,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    self,
    handshake::{
        client::{Response, generate_key},
        derive_accept_key,
        machine::TryParse,
    },
    http::{HeaderMap, HeaderName, header},
};

/// The largest answer, header lines and all.
const MAX_ANSWER: usize = 64 << 10;
/// How much of the body of a refusal is read for the error message.
const MAX_BODY: usize = 4 << 10;
/// The longest first line of a body that an error message shows, in characters.
const MAX_LINE: usize = 200;
/// What may stand around values and between the parts of lists (RFC 9110, section 5.6.3).
const BLANKS: [char; 2] = [' ', '\t'];

/// Sends the upgrade request and checks the answer. Returns what the server said and what it
/// sent behind its answer.
pub(super) async fn upgrade(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    target: &Target,
    protocols: &[String],
    settings: &Settings,
    phase: &Phase,
) -> Result<(Answer, Vec<u8>), Failure> {
    let early = |error| (Answer::default(), error);
    let (request, key) = request(target, protocols, settings);
    let failed = |error| early(lost(error));
    stream.write_all(&request).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;

    let mut bytes = Vec::with_capacity(1024);
    let mut response = one_answer(stream, &mut bytes).await.map_err(early)?;
    for _ in 0..MOST_INTERIM {
        // One that announces another (RFC 9110, section 15.2), such as Early Hints, is no more than that.
        if !response.status().is_informational() || response.status() == 101 {
            break;
        }
        response = one_answer(stream, &mut bytes).await.map_err(early)?;
    }
    // An idle connection keeps no buffer.
    bytes.shrink_to_fit();
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: header_lines(response.headers()),
        ..Answer::default()
    };
    if answer.status != 101 {
        let status = response.status();
        let is_redirection = redirect::location(&answer).is_some();
        let mut what = format!(
            "the server answered {} {} instead of 101",
            status.as_u16(),
            status.canonical_reason().unwrap_or("(unknown status)"),
        );
        let refused = Error::new(Code::Handshake, what.clone());
        if !is_redirection {
            lock(phase).refusal = Some((answer.clone(), refused));
        }
        if !is_redirection {
            let line = first_line_of_body(stream, response.headers(), bytes).await;
            if !line.is_empty() {
                what = format!("{what}: {line}");
            }
        }
        return Err((answer, Error::new(Code::Handshake, what)));
    }
    match check(response.headers(), &key, protocols, settings) {
        Ok((protocol, deflate)) => {
            answer.protocol = protocol;
            answer.deflate = deflate;
            Ok((answer, bytes))
        }
        Err(error) => Err((answer, error)),
    }
}

/// Reads until an answer is whole, beginning with what has been read already. Leaves what follows it.
async fn one_answer(
    stream: &mut (impl AsyncRead + Unpin),
    bytes: &mut Vec<u8>,
) -> Result<Response, Error> {
    let mut reads = 0;
    // An answer that comes byte by byte is parsed once a line; one that is no HTTP at all is
    // noticed although no line ends.
    let mut is_worth_parsing = !bytes.is_empty();
    loop {
        if is_worth_parsing {
            match Response::try_parse(bytes) {
                Ok(Some((length, response))) => {
                    bytes.drain(..length);
                    return Ok(response);
                }
                Ok(None) if bytes.len() > MAX_ANSWER => {
                    let what = format!("the server's answer is longer than {MAX_ANSWER} bytes");
                    return Err(Error::new(Code::Handshake, what));
                }
                Ok(None) => {}
                Err(error) => {
                    let what = format!("the server's answer is not HTTP/1.1: {}", in_words(&error));
                    return Err(Error::new(Code::Handshake, what));
                }
            }
        }
        let before = bytes.len();
        if stream.read_buf(bytes).await.map_err(lost)? == 0 {
            let what = match bytes.is_empty() {
                true => "the server closed the connection without an answer",
                false => "the server closed the connection in the middle of its answer",
            };
            return Err(Error::new(Code::Handshake, what));
        }
        reads += 1;
        is_worth_parsing =
            reads <= 8 || bytes.len() > MAX_ANSWER || bytes[before..].contains(&b'\n');
    }
}

fn lost(error: std::io::Error) -> Error {
    tls::explain(&error)
        .unwrap_or_else(|| Error::io("the connection was lost during the upgrade", &error))
}

/// Writes the request. Returns it and its key. (All that stands in it was checked where it came in: there is no line
/// break.)
fn request(target: &Target, protocols: &[String], settings: &Settings) -> (Vec<u8>, String) {
    let key = generate_key();
    let mut bytes = Vec::with_capacity(512);
    let mut line = |parts: [&str; 3]| {
        for part in parts.into_iter().chain(["\r\n"]) {
            bytes.extend_from_slice(part.as_bytes());
        }
    };
    line(["GET ", &target.resource, " HTTP/1.1"]);
    line(["Host", ": ", &target.host_header()]);
    line(["Connection", ": ", "Upgrade"]);
    line(["Upgrade", ": ", "websocket"]);
    line(["Sec-WebSocket-Version", ": ", "13"]);
    line(["Sec-WebSocket-Key", ": ", &key]);
    if !protocols.is_empty() {
        line(["Sec-WebSocket-Protocol", ": ", &protocols.join(", ")]);
    }
    if let Some(offer) = offer(settings) {
        line(["Sec-WebSocket-Extensions", ": ", &offer.to_string()]);
    }
    if let Some(origin) = &settings.origin {
        line(["Origin", ": ", origin]);
    }
    line(["User-Agent", ": ", &settings.user_agent]);
    for (name, value) in &settings.headers {
        line([name, ": ", value]);
    }
    line([""; 3]);
    (bytes, key)
}

/// What is offered to the server.
fn offer(settings: &Settings) -> Option<Offer> {
    settings.compression.then_some(Offer {
        window_bits: settings.window_bits,
        context_takeover: settings.context_takeover,
    })
}

/// Checks a 101 (RFC 6455, section 4.1, "the client MUST validate"); returns the subprotocol and
/// what was agreed on about compression.
fn check(
    headers: &HeaderMap,
    key: &str,
    protocols: &[String],
    settings: &Settings,
) -> Result<(String, Option<Agreement>), Error> {
    let wrong = |what: &str| {
        Error::new(
            Code::Handshake,
            format!("the server's answer is wrong: {what}"),
        )
    };
    if !has_token(headers, header::UPGRADE, "websocket") {
        return Err(wrong("no \"Upgrade: websocket\""));
    }
    // `keep-alive, Upgrade` is what servers behind proxies answer.
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(wrong("no \"Connection: Upgrade\""));
    }
    let accept = headers.get(header::SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|accept| {
        accept.as_bytes().trim_ascii() != derive_accept_key(key.as_bytes()).as_bytes()
    }) {
        return Err(wrong("Sec-WebSocket-Accept does not fit the request's key"));
    }
    let extensions = joined(headers, header::SEC_WEBSOCKET_EXTENSIONS);
    let offer = offer(settings);
    let deflate = extensions::accept(&extensions, offer.as_ref()).map_err(|what| wrong(&what))?;
    let chosen = joined(headers, header::SEC_WEBSOCKET_PROTOCOL);
    let offered = match protocols.is_empty() {
        true => "none".to_owned(),
        false => protocols.join(", "),
    };
    let mismatch = |what: String| Err(Error::new(Code::Subprotocol, what));
    if protocols.contains(&chosen) {
        Ok((chosen, deflate))
    } else if !chosen.is_empty() {
        mismatch(format!(
            "the server chose the subprotocol \"{chosen}\", which was not offered ({offered})"
        ))
    } else if !protocols.is_empty() && settings.subprotocol_required {
        mismatch(format!(
            "the server supports none of the subprotocols {offered}"
        ))
    } else {
        Ok((String::new(), deflate))
    }
}

/// Whether a header that is a list of tokens has this one, in any case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    joined(headers, name)
        .split(',')
        .any(|part| part.trim_matches(BLANKS).eq_ignore_ascii_case(token))
}

/// All values of a header (RFC 9110, section 5.3: several lines are one list).
fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .trim_matches(BLANKS)
                .to_owned()
        })
        .collect();
    values.join(", ")
}

fn header_lines(headers: &HeaderMap) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        for part in [
            name.as_str(),
            ": ",
            &String::from_utf8_lossy(value.as_bytes()),
            "\r\n",
        ] {
            lines.push_str(part);
        }
    }
    // It stays as long as the connection.
    lines.shrink_to_fit();
    lines
}

/// Reads on for the beginning of a refusal's body. The attempt's time limit holds here too; a
/// server that keeps the connection open without a length is not waited for.
async fn first_line_of_body(
    stream: &mut (impl AsyncRead + Unpin),
    headers: &HeaderMap,
    mut body: Vec<u8>,
) -> String {
    /// For a body that does not come.
    const PATIENCE: std::time::Duration = std::time::Duration::from_millis(500);

    let chunked = has_token(headers, header::TRANSFER_ENCODING, "chunked");
    let announced = joined(headers, header::CONTENT_LENGTH)
        .parse::<usize>()
        .ok();
    let wanted = match announced {
        Some(length) => length.min(MAX_BODY),
        None => MAX_BODY,
    };
    let enough = |body: &[u8]| {
        let lines = body.iter().filter(|byte| **byte == b'\n').count();
        // In a chunked body the first line is the chunk's length.
        body.len() >= wanted || lines > usize::from(chunked)
    };
    let read_on = async {
        while !enough(&body) {
            match stream.read_buf(&mut body).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
    };
    let _ = sys::within(Some(PATIENCE), read_on).await;
    let text = String::from_utf8_lossy(&body);
    let mut lines = text.lines().map(str::trim);
    if chunked {
        lines.next();
    }
    let line = lines.find(|line| !line.is_empty()).unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(MAX_LINE)
        .collect()
}

/// tungstenite's error without its prefix.
fn in_words(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Protocol(error) => error.to_string(),
        tungstenite::Error::Capacity(error) => error.to_string(),
        tungstenite::Error::Io(error) => describe(error),
        other => other.to_string(),
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::{handshake::client::generate_request, http::Request};

    /// Lines in order, names in lower case.
    fn lines(request: &[u8]) -> Vec<(String, String)> {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let lines = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n");
        let mut lines: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap_or(("", line)))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_request_says_what_tungstenites_does() {
        let target = Target::from_parts("example.com", 8080, "/a b?c=é", None).unwrap();
        let settings = Settings {
            origin: Some("https://example.com".to_owned()),
            headers: vec![("X-One".to_owned(), "1".to_owned())],
            ..Settings::default()
        };
        let protocols = ["mqtt".to_owned(), "soap".to_owned()];
        let (ours, key) = request(&target, &protocols, &settings);
        let theirs = Request::builder()
            .uri(target.request_url())
            .header("Host", "example.com:8080")
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", &key)
            .header("Sec-WebSocket-Protocol", "mqtt, soap")
            .header(
                "Sec-WebSocket-Extensions",
                offer(&settings).unwrap().to_string(),
            )
            .header("Origin", "https://example.com")
            .header("User-Agent", &settings.user_agent)
            .header("X-One", "1");
        let (theirs, _) = generate_request(theirs.body(()).unwrap()).unwrap();
        assert_eq!(lines(&ours), lines(&theirs));
    }
}
