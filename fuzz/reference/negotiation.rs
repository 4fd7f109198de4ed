//! `Sec-WebSocket-Extensions` in a server's answer, read by taking it apart: at the commas, at the semicolons, at
//! the equals signs (RFC 6455, section 9.1; RFC 7692, sections 5 and 7.1).

/// What a client has offered.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    /// The largest window, 9 to 15, in the offer where it is not 15.
    pub window_bits: u8,
    /// False: the offer asks for none, either way.
    pub takeover: bool,
}

/// What the parameters of permessage-deflate say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// `server_no_context_takeover`.
    pub server_no_context_takeover: bool,
    /// `client_no_context_takeover`.
    pub client_no_context_takeover: bool,
    /// `server_max_window_bits`.
    pub server_max_window_bits: Option<u8>,
    /// `client_max_window_bits`.
    pub client_max_window_bits: Option<u8>,
}

/// What there is to say against a header is not compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

/// What a client must make of the header. `None`: no extension.
pub fn read(header: &str, offered: Option<Offered>) -> Result<Option<Agreed>, Refused> {
    let mut agreed = None;
    for element in split(header, ',')? {
        // A list may have empty elements (RFC 9110, section 5.6.1.2).
        if element.is_empty() {
            continue;
        }
        let parts = split(element, ';')?;
        let (name, parameters) = parts.split_first().ok_or(Refused)?;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|parameter| read_parameter(parameter))
            .collect::<Result<_, _>>()?;
        let offered = offered.ok_or(Refused)?;
        if *name != "permessage-deflate" || agreed.is_some() {
            return Err(Refused);
        }
        agreed = Some(agree(&parameters, offered)?);
    }
    Ok(agreed)
}

/// The parts between separators outside quoted strings, without the blanks around them.
fn split(text: &str, separator: char) -> Result<Vec<&str>, Refused> {
    let mut parts = Vec::new();
    let mut start = 0;
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    match is_quoted {
        true => Err(Refused),
        false => Ok(parts.into_iter().map(trim).collect()),
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_token(text: &str) -> bool {
    let is_allowed = |byte| matches!(byte, 0x21..=0x7e) && !b"\"(),/:;<=>?@[\\]{}".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}

fn read_parameter(parameter: &str) -> Result<(&str, Option<String>), Refused> {
    let (name, value) = match parameter.split_once('=') {
        Some((name, value)) => (trim(name), Some(unquote(trim(value))?)),
        None => (parameter, None),
    };
    let is_good = is_token(name) && value.as_deref().is_none_or(is_token);
    is_good.then_some((name, value)).ok_or(Refused)
}

fn unquote(value: &str) -> Result<String, Refused> {
    let Some(quoted) = value.strip_prefix('"') else {
        return Ok(value.to_owned());
    };
    let mut unquoted = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next().ok_or(Refused)? {
            '"' if rest.as_str().is_empty() => return Ok(unquoted),
            '"' => return Err(Refused),
            '\\' => unquoted.push(rest.next().ok_or(Refused)?),
            c => unquoted.push(c),
        }
    }
}

fn agree(parameters: &[(&str, Option<String>)], offered: Offered) -> Result<Agreed, Refused> {
    let mut names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refused);
    }
    let mut agreed = Agreed::default();
    for (name, value) in parameters {
        let bits = match value.as_deref() {
            Some("8") => Some(8),
            Some("9") => Some(9),
            Some("10") => Some(10),
            Some("11") => Some(11),
            Some("12") => Some(12),
            Some("13") => Some(13),
            Some("14") => Some(14),
            Some("15") => Some(15),
            _ => None,
        };
        match (*name, value, bits) {
            ("server_no_context_takeover", None, _) => agreed.server_no_context_takeover = true,
            ("client_no_context_takeover", None, _) => agreed.client_no_context_takeover = true,
            ("server_max_window_bits", _, Some(_)) => agreed.server_max_window_bits = bits,
            ("client_max_window_bits", _, Some(_)) => agreed.client_max_window_bits = bits,
            _ => return Err(Refused),
        }
    }
    // What the offer demands must be in the answer.
    let is_small = |bits| bits <= offered.window_bits;
    let (server_bits, client_bits) = (agreed.server_max_window_bits, agreed.client_max_window_bits);
    let keeps_offer = (offered.takeover || agreed.server_no_context_takeover)
        && (offered.window_bits == 15 || server_bits.is_some_and(is_small))
        && client_bits.is_none_or(is_small);
    keeps_offer.then_some(agreed).ok_or(Refused)
}
