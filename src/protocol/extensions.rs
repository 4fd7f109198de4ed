//! The negotiation of permessage-deflate (RFC 7692, sections 5 and 7.1; RFC 6455, section 9.1).

use std::fmt;

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The largest window, 32 KiB: what holds where nothing else is said.
pub const MAX_WINDOW_BITS: u8 = 15;
/// The smallest window that a server may ask for.
const MIN_WINDOW_BITS: u8 = 8;

/// What this side offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The largest window either way, 9 to 15: the logarithm of its size in bytes.
    pub window_bits: u8,
    /// Whether a message may refer to those before it, either way.
    pub context_takeover: bool,
}

/// What the server has agreed to: its answer, normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Messages from the server do not refer to those before them.
    pub server_no_context_takeover: bool,
    /// Messages to the server must not refer to those before them.
    pub client_no_context_takeover: bool,
    /// The largest window of the server's, 8 to 15.
    pub server_max_window_bits: Option<u8>,
    /// The largest window that the server accepts, 8 to 15.
    pub client_max_window_bits: Option<u8>,
    /// The window that this side keeps to: no larger than either side has said.
    pub client_window_bits: u8,
    /// Whether this side's messages refer to those before them: only if neither side has said otherwise.
    pub client_takes_over: bool,
}

/// As in the server's answer, in a fixed order.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        if let Some(bits) = self.client_max_window_bits {
            write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}")?;
        }
        Ok(())
    }
}

/// As in the upgrade request. `client_max_window_bits` is always there: it allows the server to ask for a
/// smaller window. (With its value, because Boost.Beast misreads one without before a second choice.)
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.window_bits;
        let mut offer = format!("{NAME}; {CLIENT_MAX_WINDOW_BITS}={bits}");
        if bits < MAX_WINDOW_BITS {
            offer.push_str(&format!("; {SERVER_MAX_WINDOW_BITS}={bits}"));
        }
        if !self.context_takeover {
            return write!(
                f,
                "{offer}; {CLIENT_NO_CONTEXT_TAKEOVER}; {SERVER_NO_CONTEXT_TAKEOVER}"
            );
        }
        // As a second choice (section 5.1): there are servers that take only clients which say that they
        // can do without.
        write!(f, "{offer}, {offer}; {CLIENT_NO_CONTEXT_TAKEOVER}")
    }
}

/// Reads the server's `Sec-WebSocket-Extensions`. `offer`: what it answers, if anything was
/// offered. `None`: no extension is used.
///
/// # Errors
/// What is wrong with it, as the end of a sentence about the server's answer. The client must
/// fail the connection then (RFC 6455, section 9.1; RFC 7692, section 7.1).
pub fn accept(header: &str, offer: Option<&Offer>) -> Result<Option<Agreement>, String> {
    let extensions = parse(header)
        .ok_or_else(|| format!("Sec-WebSocket-Extensions is not a list of extensions: {header}"))?;
    let mut agreement = None;
    for extension in &extensions {
        match offer {
            Some(offer) if extension.name == NAME => {
                if agreement.is_some() {
                    return Err(format!("it uses {NAME} twice"));
                }
                agreement = Some(agree(&extension.parameters, offer)?);
            }
            _ => {
                return Err(format!(
                    "it uses an extension that was not offered: {}",
                    extension.name
                ));
            }
        }
    }
    Ok(agreement)
}

/// Checks the parameters of permessage-deflate against what was offered.
fn agree(parameters: &[(&str, Option<String>)], offer: &Offer) -> Result<Agreement, String> {
    let mut agreement = Agreement {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: None,
        client_max_window_bits: None,
        client_window_bits: offer.window_bits,
        client_takes_over: offer.context_takeover,
    };
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(other, _)| other == name) {
            return Err(format!("{NAME} has the parameter {name} twice"));
        }
        let value = value.as_deref();
        match *name {
            SERVER_NO_CONTEXT_TAKEOVER => {
                agreement.server_no_context_takeover = no_value(name, value)?;
            }
            CLIENT_NO_CONTEXT_TAKEOVER => {
                agreement.client_no_context_takeover = no_value(name, value)?;
                agreement.client_takes_over = false;
            }
            SERVER_MAX_WINDOW_BITS => {
                let bits = window_bits(name, value, offer)?;
                agreement.server_max_window_bits = Some(bits);
            }
            CLIENT_MAX_WINDOW_BITS => {
                let bits = window_bits(name, value, offer)?;
                agreement.client_max_window_bits = Some(bits);
                agreement.client_window_bits = bits;
            }
            _ => return Err(format!("{NAME} has the unknown parameter {name}")),
        }
    }
    // A server accepts these by repeating them (RFC 7692, sections 7.1.1.1 and 7.1.2.1).
    let missing = if !offer.context_takeover && !agreement.server_no_context_takeover {
        SERVER_NO_CONTEXT_TAKEOVER
    } else if offer.window_bits < MAX_WINDOW_BITS && agreement.server_max_window_bits.is_none() {
        SERVER_MAX_WINDOW_BITS
    } else {
        return Ok(agreement);
    };
    Err(format!(
        "{NAME} lacks the parameter {missing}, which was offered"
    ))
}

fn no_value(name: &str, value: Option<&str>) -> Result<bool, String> {
    match value {
        None => Ok(true),
        Some(value) => Err(format!(
            "{NAME} has {name}={value}, a parameter that takes no value"
        )),
    }
}

/// 8 to 15, without leading zeros, and no more than what was offered (RFC 7692, section 7.1.2).
fn window_bits(name: &str, value: Option<&str>, offer: &Offer) -> Result<u8, String> {
    let Some(value) = value else {
        return Err(format!("{NAME} has {name} without a value"));
    };
    match (MIN_WINDOW_BITS..=MAX_WINDOW_BITS).find(|bits| bits.to_string() == value) {
        Some(bits) if bits <= offer.window_bits => Ok(bits),
        Some(bits) => Err(format!(
            "{NAME} has {name}={bits}, more than the {} that were offered",
            offer.window_bits
        )),
        None => Err(format!(
            "{NAME} has {name}={value}, which is not a number from {MIN_WINDOW_BITS} to \
             {MAX_WINDOW_BITS}"
        )),
    }
}

/// One extension of the list.
#[derive(Debug, PartialEq, Eq)]
struct Extension<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, Option<String>)>,
}

/// Reads `extension-list` (RFC 6455, section 9.1), with empty elements as any HTTP list may have
/// (RFC 9110, section 5.6.1.2). `None`: the header does not fit the grammar.
fn parse(header: &str) -> Option<Vec<Extension<'_>>> {
    let mut rest = Cursor(header);
    let mut extensions = Vec::new();
    loop {
        rest.skip_space();
        if rest.take(',') {
            continue;
        }
        if rest.0.is_empty() {
            return Some(extensions);
        }
        let name = rest.token()?;
        let mut parameters = Vec::new();
        while rest.take_separator(';') {
            let name = rest.token()?;
            let value = match rest.take_separator('=') {
                true => Some(rest.value()?),
                false => None,
            };
            parameters.push((name, value));
        }
        extensions.push(Extension { name, parameters });
        if !rest.0.is_empty() && !rest.take_separator(',') {
            return None;
        }
    }
}

/// What is left of a header.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.0.strip_prefix(wanted) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// A separator with space around it.
    fn take_separator(&mut self, separator: char) -> bool {
        self.skip_space();
        let found = self.take(separator);
        self.skip_space();
        found
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self
            .0
            .find(|c| !is_token_character(c))
            .unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A token, or a quoted string whose content is a token.
    fn value(&mut self) -> Option<String> {
        if !self.take('"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        let mut characters = self.0.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => value.push(characters.next()?),
                character => value.push(character),
            }
        }
        self.0 = characters.as_str();
        (!value.is_empty() && value.chars().all(is_token_character)).then_some(value)
    }
}

/// RFC 9110, section 5.6.2.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    const ANY: Offer = Offer {
        window_bits: 15,
        context_takeover: true,
    };
    const SMALL: Offer = Offer {
        window_bits: 10,
        context_takeover: false,
    };

    #[test]
    fn offers() {
        assert_eq!(
            ANY.to_string(),
            "permessage-deflate; client_max_window_bits=15, \
             permessage-deflate; client_max_window_bits=15; client_no_context_takeover"
        );
        assert_eq!(
            SMALL.to_string(),
            "permessage-deflate; client_max_window_bits=10; server_max_window_bits=10; \
             client_no_context_takeover; server_no_context_takeover"
        );
    }

    #[test]
    fn answers_that_fit_the_offer_are_accepted_and_normalised() {
        for (header, agreed) in [
            ("permessage-deflate", "permessage-deflate"),
            (
                " ,permessage-deflate ;\tclient_max_window_bits = \"1\\0\" , ",
                "permessage-deflate; client_max_window_bits=10",
            ),
            (
                "permessage-deflate;client_no_context_takeover;server_max_window_bits=8;\
                 server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=8",
            ),
        ] {
            let agreement = accept(header, Some(&ANY)).unwrap().unwrap();
            assert_eq!(agreement.to_string(), agreed, "{header}");
        }
        for header in ["", " ", ",", " , ,"] {
            assert_eq!(accept(header, Some(&ANY)), Ok(None));
            assert_eq!(accept(header, None), Ok(None));
        }
        let full = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9";
        assert!(accept(full, Some(&SMALL)).unwrap().is_some());
    }

    #[test]
    fn everything_else_is_refused_with_a_word_about_it() {
        let deflate = |parameters: &str| format!("permessage-deflate; {parameters}");
        for (header, word) in [
            ("permessage-bzip2".into(), "permessage-bzip2"),
            ("Permessage-Deflate".into(), "Permessage-Deflate"),
            ("permessage-deflate, x-more".into(), "x-more"),
            ("permessage-deflate, permessage-deflate".into(), "twice"),
            (deflate("window=10"), "unknown parameter window"),
            (
                deflate("server_max_window_bits=9; server_max_window_bits=9"),
                "twice",
            ),
            (
                deflate("server_no_context_takeover=1"),
                "server_no_context_takeover=1",
            ),
            (
                deflate("client_no_context_takeover=\"\""),
                "not a list of extensions",
            ),
            (deflate("client_max_window_bits"), "without a value"),
            (deflate("server_max_window_bits=7"), "7"),
            (deflate("server_max_window_bits=16"), "16"),
            (deflate("server_max_window_bits=09"), "09"),
            (deflate("client_max_window_bits=+9"), "+9"),
            (deflate("client_max_window_bits=x"), "x"),
            (deflate(""), "not a list"),
            (deflate("=9"), "not a list"),
            (deflate("client_max_window_bits=\"9"), "not a list"),
            (deflate("client_max_window_bits=\"9\" 9"), "not a list"),
            (deflate("client_max_window_bits=\" 9\""), "not a list"),
            ("permessage deflate".into(), "not a list"),
            ("permessage-deflate; é".into(), "not a list"),
        ] {
            let refused = accept(&header, Some(&ANY)).unwrap_err();
            assert!(refused.contains(word), "{header}: {refused}");
        }
        for (header, word) in [
            ("permessage-deflate".into(), "lacks"),
            (deflate("server_no_context_takeover"), "lacks"),
            (deflate("server_max_window_bits=10"), "lacks"),
            (
                deflate("server_no_context_takeover; server_max_window_bits=11"),
                "more than the 10",
            ),
        ] {
            let refused = accept(&header, Some(&SMALL)).unwrap_err();
            assert!(refused.contains(word), "{header}: {refused}");
        }
        let refused = accept("permessage-deflate", None).unwrap_err();
        assert!(refused.contains("not offered"), "{refused}");
    }
}
