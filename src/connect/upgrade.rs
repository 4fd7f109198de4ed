//! The upgrade request and what the server answers (RFC 6455, sections 4.1 and 4.2.2).

use super::{Failure, MOST_INTERIM, Phase, address::Target, redirect};
use crate::{
    error::{Code, Error, describe},
    options::Settings,
    protocol::extensions::{self, Agreement, Offer},
    socket::Answer,
    sync::lock,
    tls,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    self,
    handshake::{
        client::{Response, generate_key, generate_request},
        derive_accept_key,
        machine::TryParse,
    },
    http::{HeaderMap, HeaderName, Request, header},
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
    let (request, key) = request(target, protocols, settings).map_err(early)?;
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

/// Writes the request. Returns it and its key.
fn request(
    target: &Target,
    protocols: &[String],
    settings: &Settings,
) -> Result<(Vec<u8>, String), Error> {
    let invalid = |what: &str| Error::invalid(format!("the request cannot be written: {what}"));
    let key = generate_key();
    let mut request = Request::builder()
        .uri(target.request_url())
        .header("Host", target.host_header())
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", &key);
    if !protocols.is_empty() {
        request = request.header("Sec-WebSocket-Protocol", protocols.join(", "));
    }
    if let Some(offer) = offer(settings) {
        request = request.header("Sec-WebSocket-Extensions", offer.to_string());
    }
    if let Some(origin) = &settings.origin {
        request = request.header("Origin", origin);
    }
    let request = request
        .body(())
        .map_err(|error| invalid(&error.to_string()))?;
    let (mut bytes, _) = generate_request(request).map_err(|error| invalid(&error.to_string()))?;
    // The rest as the host spelled it: names are not case-sensitive, but there are servers that
    // think so. The options' parser has let no line break through.
    bytes.truncate(bytes.len() - b"\r\n".len());
    let user_agent = ("User-Agent".to_owned(), settings.user_agent.clone());
    for (name, value) in std::iter::once(&user_agent).chain(&settings.headers) {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    Ok((bytes, key))
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
    let _ = tokio::time::timeout(PATIENCE, read_on).await;
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
