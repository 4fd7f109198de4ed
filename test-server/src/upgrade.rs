//! The upgrade (RFC 6455, 4.2): the request that came, the answer, right or wrong as asked.

use crate::deflate::Deflate;
use crate::query::Query;
use std::fmt::Write as _;
use std::io::Read;
use std::net::TcpStream;

const LONGEST_REQUEST: usize = 64 << 10;

pub struct Request {
    /// Request line and header lines, as they came.
    pub text: String,
    pub query: Query,
    headers: Vec<(String, String)>,
}

impl Request {
    /// Reads up to the empty line; none if the client goes away or sends something else before it.
    pub fn read(stream: &mut TcpStream) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        while !bytes.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut part).ok().filter(|&count| count > 0)?;
            bytes.extend_from_slice(&part[..count]);
            if bytes.len() > LONGEST_REQUEST {
                return None;
            }
        }
        bytes.truncate(bytes.len() - 2);
        let text = String::from_utf8(bytes).ok()?;
        let (first, lines) = text.split_once("\r\n")?;
        let target = first.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let headers = lines.lines().filter_map(|line| line.split_once(':'));
        let headers = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Request {
            query: Query::parse(target),
            headers,
            text: text.clone(),
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// What the RFC demands of the request and this one lacks.
    pub fn fault(&self) -> Option<String> {
        let has_token = |name, token: &str| {
            self.header(name).is_some_and(|value| {
                value
                    .split(',')
                    .any(|part| part.trim().eq_ignore_ascii_case(token))
            })
        };
        let key = self.header("sec-websocket-key").unwrap_or_default();
        let twice = self.headers.iter().find(|(name, _)| {
            let single = matches!(name.as_str(), "host" | "upgrade" | "origin" | "user-agent")
                || name.starts_with("sec-websocket-key")
                || name.starts_with("sec-websocket-version");
            single
                && self
                    .headers
                    .iter()
                    .filter(|(other, _)| other == name)
                    .count()
                    > 1
        });
        if self.header("host").is_none_or(str::is_empty) {
            Some("no Host".to_owned())
        } else if !has_token("upgrade", "websocket") {
            Some("no Upgrade: websocket".to_owned())
        } else if !has_token("connection", "upgrade") {
            Some("no Connection: Upgrade".to_owned())
        } else if self.header("sec-websocket-version") != Some("13") {
            Some("no Sec-WebSocket-Version: 13".to_owned())
        } else if key.len() != 24 || !key.ends_with("==") {
            Some("no good Sec-WebSocket-Key".to_owned())
        } else {
            twice.map(|(name, _)| format!("{name} twice"))
        }
    }

    /// The subprotocols that the client offers.
    fn offered(&self) -> impl Iterator<Item = &str> {
        self.header("sec-websocket-protocol")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
    }

    /// The answer 101, with what the query makes of it.
    pub fn answer(&self) -> String {
        let query = &self.query;
        let right_accept = || {
            tungstenite::handshake::derive_accept_key(
                self.header("sec-websocket-key")
                    .unwrap_or_default()
                    .as_bytes(),
            )
        };
        let accept = match query.text("accept").as_deref() {
            Some("bad") => Some("bm90IHRoZSByaWdodCBvbmUgYXQ=".to_owned()),
            Some("none") => None,
            _ => Some(right_accept()),
        };
        let protocol = match query.text("choose").as_deref() {
            Some("none") => None,
            Some("first") => self
                .offered()
                .find(|offer| !offer.is_empty())
                .map(str::to_owned),
            chosen => chosen.map(str::to_owned).or(query.text("protocol")),
        };
        let upgrade = query.text("upgrade").unwrap_or("websocket".to_owned());
        let connection = query.text("connection").unwrap_or("Upgrade".to_owned());
        let mut text = String::from("HTTP/1.1 101 Switching Protocols\r\n");
        let extra = query.texts("header").into_iter().filter_map(|header| {
            header
                .split_once(':')
                .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
        });
        let fields = [
            ("Upgrade".to_owned(), Some(upgrade)),
            ("Connection".to_owned(), Some(connection)),
            ("Sec-WebSocket-Accept".to_owned(), accept),
            ("Sec-WebSocket-Protocol".to_owned(), protocol),
            (
                "Sec-WebSocket-Extensions".to_owned(),
                query.text("extensions").or(Deflate::answer(query)),
            ),
        ];
        for (name, value) in fields.into_iter().chain(extra) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                let _ = write!(text, "{name}: {value}\r\n");
            }
        }
        text + "\r\n"
    }
}

/// An answer that is not 101.
pub fn refusal(query: &Query) -> Vec<u8> {
    let status = query.number("status", 404);
    let reason = query.text("reason").unwrap_or("As Told".to_owned());
    let body = query.bytes("body").unwrap_or_default();
    let mut head = format!(
        "HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in query.texts("header") {
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        let _ = write!(head, "{name}: {value}\r\n");
    }
    [head.as_bytes(), b"\r\n", body].concat()
}
