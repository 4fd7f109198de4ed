//! A server's answer to the upgrade request, read line by line (RFC 6455, section 4.1).

use super::negotiation::{self, Agreed, Offered};

/// What the client has asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The value that `Sec-WebSocket-Accept` must have.
    pub accept: &'a str,
    /// The subprotocols.
    pub protocols: &'a [String],
    /// Whether one of them must be chosen.
    pub is_required: bool,
    /// The compression.
    pub offered: Option<Offered>,
}

/// What the answer says.
#[derive(Debug)]
pub struct Answered<'a> {
    /// It keeps to the letter of HTTP's grammar: then a client may not misunderstand it.
    pub is_strict: bool,
    /// The status, where the first line has one.
    pub status: Option<u16>,
    /// The subprotocol and the compression of a 101 that fits the request.
    pub accepted: Option<(String, Option<Agreed>)>,
    /// What comes behind it.
    pub rest: &'a [u8],
}

/// Reads the answer, after those that only announce another (RFC 9110, section 15.2), of which there may be 16;
/// `None` if it has no end.
pub fn read<'a>(bytes: &'a [u8], asked: &Asked) -> Option<Answered<'a>> {
    let mut answered = read_one(bytes, asked)?;
    for _ in 0..16 {
        if !matches!(answered.status, Some(100 | 102..=199)) {
            break;
        }
        let next = read_one(answered.rest, asked)?;
        answered = Answered {
            is_strict: answered.is_strict && next.is_strict,
            ..next
        };
    }
    Some(answered)
}

fn read_one<'a>(bytes: &'a [u8], asked: &Asked) -> Option<Answered<'a>> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    let mut is_strict = true;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = rest[..end].strip_suffix(b"\r");
        is_strict &= line.is_some();
        let line = String::from_utf8_lossy(line.unwrap_or(&rest[..end]));
        rest = &rest[end + 1..];
        match (line.is_empty(), lines.is_empty()) {
            (false, _) => lines.push(line.into_owned()),
            (true, false) => break,
            // Empty lines before the first.
            (true, true) => is_strict = false,
        }
    }
    let (first, fields) = lines.split_first()?;
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split(' ').next())
        .filter(|status| status.len() == 3)
        .and_then(|status| status.parse().ok())
        .filter(|status| (100..1000).contains(status));
    let is_text = |text: &str| text.chars().all(|c| c == '\t' || !c.is_control());
    let is_ascii = |text: &str| text.bytes().all(|byte| matches!(byte, 0x20..0x7f));
    is_strict &= status.is_some() && first.len() > 12 && is_ascii(first);
    is_strict &= fields.len() <= 100 && bytes.len() - rest.len() <= 60_000;
    is_strict &= fields.iter().all(|field| field.contains(':'));
    let fields: Vec<_> = fields
        .iter()
        .map(|field| field.split_once(':').unwrap_or((field, "")))
        .map(|(name, value)| (name.to_ascii_lowercase(), trim(value)))
        .collect();
    is_strict &= fields
        .iter()
        .all(|(name, value)| is_name(name) && is_text(value));
    let accepted = match status {
        Some(101) => check(&fields, asked),
        _ => None,
    };
    Some(Answered {
        is_strict,
        status,
        accepted,
        rest,
    })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !name.is_empty() && name.bytes().all(is_allowed)
}

fn check(fields: &[(String, &str)], asked: &Asked) -> Option<(String, Option<Agreed>)> {
    let values = |wanted: &str| -> Vec<&str> {
        let of_it = fields.iter().filter(|(name, _)| name == wanted);
        of_it.map(|(_, value)| *value).collect()
    };
    let has_token = |name: &str, token: &str| {
        let values = values(name);
        let mut tokens = values.iter().flat_map(|value| value.split(','));
        tokens.any(|other| trim(other).eq_ignore_ascii_case(token))
    };
    let is_switched = has_token("upgrade", "websocket") && has_token("connection", "upgrade");
    if !is_switched || values("sec-websocket-accept").first() != Some(&asked.accept) {
        return None;
    }
    let extensions = values("sec-websocket-extensions").join(",");
    let agreed = negotiation::read(&extensions, asked.offered).ok()?;
    let protocol = match values("sec-websocket-protocol").as_slice() {
        [] | [""] if asked.protocols.is_empty() || !asked.is_required => String::new(),
        [one] if asked.protocols.iter().any(|protocol| protocol == one) => (*one).to_owned(),
        _ => return None,
    };
    Some((protocol, agreed))
}
