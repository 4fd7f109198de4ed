//! Close frames (RFC 6455, sections 5.5.1 and 7.4) and what fails a connection.

use super::MAX_CONTROL;
use std::borrow::Cow;

/// The peer did something that ends the connection: the code to send, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// 1002, 1007 or 1009.
    pub code: u16,
    /// What the peer did.
    pub what: Cow<'static, str>,
}

impl Violation {
    /// A breach of the protocol (1002).
    pub fn protocol(what: impl Into<Cow<'static, str>>) -> Self {
        Violation {
            code: 1002,
            what: what.into(),
        }
    }
}

/// What a close frame says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Close {
    /// The code; `None` where the frame was empty, which is reported as 1005.
    pub code: Option<u16>,
    /// The reason, for people.
    pub reason: String,
}

/// Whether a code may stand in a close frame (RFC 6455, sections 7.4.1 and 7.4.2, and the codes
/// that IANA has registered since).
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Whether the host may send it: 1000, and what is registered or private (RFC 6455, 7.4.2).
pub fn may_be_chosen(code: i32) -> bool {
    matches!(code, 1000 | 3000..=4999)
}

/// The longest reason, in bytes: a control frame without the two bytes of the code.
pub const MAX_REASON: usize = MAX_CONTROL - 2;

impl Close {
    /// A close frame with this code and reason.
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Close {
            code: Some(code),
            reason: reason.into(),
        }
    }

    /// Reads the payload of a close frame.
    pub fn parse(payload: &[u8]) -> Result<Self, Violation> {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            return match payload.is_empty() {
                true => Ok(Close::default()),
                false => Err(Violation::protocol("sent a close frame of 1 byte")),
            };
        };
        let code = u16::from_be_bytes(*code);
        if !may_be_sent(code) {
            return Err(Violation::protocol(format!(
                "sent a close frame with code {code}, which no close frame may carry"
            )));
        }
        match simdutf8::basic::from_utf8(reason) {
            Ok(reason) => Ok(Close::new(code, reason)),
            Err(_) => Err(Violation {
                code: 1007,
                what: "sent a close frame whose reason is not valid UTF-8".into(),
            }),
        }
    }

    /// The payload of this close frame.
    pub fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        if let Some(code) = self.code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(self.reason.as_bytes());
        }
        payload
    }

    /// The code as it is reported: 1005 where there was none.
    pub fn reported_code(&self) -> u16 {
        self.code.unwrap_or(1005)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_rfc() {
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
        ] {
            assert_eq!(
                Close::parse(&Close::new(code, "é").payload()),
                Ok(Close::new(code, "é"))
            );
        }
        for code in [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535u16,
        ] {
            assert_eq!(
                Close::parse(&code.to_be_bytes()).unwrap_err().code,
                1002,
                "{code}"
            );
        }
        assert_eq!(Close::parse(&[]), Ok(Close::default()));
        assert_eq!(Close::parse(&[3]).unwrap_err().code, 1002);
        assert_eq!(Close::parse(&[3, 232, 0xff]).unwrap_err().code, 1007);
    }
}
