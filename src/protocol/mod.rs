//! The WebSocket protocol (RFC 6455) and its compression (RFC 7692) without any I/O: frames out, bytes
//! in, messages out.
//!
//! tungstenite supplies the frame header, the opcodes and the handshake's parts. The rest is
//! here and not tungstenite's `WebSocket`, because the promises need what that does not give:
//! invalid UTF-8 noticed at the byte, masking in the one copy that a write makes, large messages
//! received in place, no buffer in an idle connection (`docs/architecture.md`).

pub mod close;
pub mod decoder;
pub mod deflate;
pub mod encoder;
pub mod extensions;
pub mod history;
pub mod inflate;
pub mod kept;
pub mod mask;
pub mod utf8;

#[cfg(all(test, not(shuttle)))]
mod properties;

pub use close::{Close, Violation};
pub use decoder::{Decoder, Item};
pub use tokio_tungstenite::tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

/// What kind of data a message carries. The numbers are what `SocketMessageType` returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8, checked.
    Text = 1,
    /// Any bytes.
    Binary = 2,
}

impl Kind {
    /// The kind of this number.
    pub fn from_number(number: u8) -> Self {
        match number {
            1 => Kind::Text,
            _ => Kind::Binary,
        }
    }

    /// The opcode of a message's first frame (RFC 6455, section 5.6).
    pub fn opcode(self) -> OpCode {
        OpCode::Data(match self {
            Kind::Text => Data::Text,
            Kind::Binary => Data::Binary,
        })
    }
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Text or binary.
    pub kind: Kind,
    /// Its bytes, with room for a NUL after them.
    pub data: Vec<u8>,
}

impl Message {
    /// A message of these bytes.
    pub fn new(kind: Kind, payload: &[u8]) -> Self {
        let mut data = Vec::with_capacity(payload.len() + 1);
        data.extend_from_slice(payload);
        Message { kind, data }
    }
}

/// The longest payload of a control frame (RFC 6455, section 5.5).
pub const MAX_CONTROL: usize = 125;
