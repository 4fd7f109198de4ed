//! Frames out.

#[cfg(all(test, not(shuttle)))]
use super::Control;
use super::{Data, FrameHeader, Kind, Message, OpCode, mask};
use std::io::Cursor;

/// The longest header of a frame from a client.
pub const MAX_HEADER: usize = 14;

/// A header (RFC 6455, section 5.2) and its length.
///
/// Written here: tungstenite's takes longer than the masking of a short message.
#[inline]
fn header(
    opcode: OpCode,
    is_compressed: bool,
    length: usize,
    key: [u8; 4],
) -> ([u8; MAX_HEADER], usize) {
    const FIN: u8 = 0x80;
    const RSV1: u8 = 0x40;
    const MASK: u8 = 0x80;

    let mut bytes = [0; MAX_HEADER];
    let rsv1 = if is_compressed { RSV1 } else { 0 };
    bytes[0] = FIN | rsv1 | u8::from(opcode);
    let key_at = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..126), _) => {
            bytes[1] = MASK | length;
            2
        }
        (_, Ok(length)) => {
            bytes[1] = MASK | 126;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            4
        }
        _ => {
            bytes[1] = MASK | 127;
            bytes[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    bytes[key_at..key_at + 4].copy_from_slice(&key);
    (bytes, key_at + 4)
}

/// A masked, unfragmented frame that is turned into bytes piece by piece, so that a large one never needs a second
/// buffer of its size.
pub struct Frame<'a> {
    header: [u8; MAX_HEADER],
    /// How much of `header` there is; 0 once it has been written.
    header_length: usize,
    payload: &'a [u8],
    key: [u8; 4],
    offset: usize,
}

impl<'a> Frame<'a> {
    /// A frame with a new key. `is_compressed`: the payload is (RFC 7692, section 6).
    pub fn new(opcode: OpCode, payload: &'a [u8], is_compressed: bool) -> Self {
        let key = mask::key();
        let (header, header_length) = header(opcode, is_compressed, payload.len(), key);
        Frame {
            header,
            header_length,
            payload,
            key,
            offset: 0,
        }
    }

    /// Writes what has room, masked in the one copy that a message makes; returns how much. The first time the room
    /// must be enough for the header.
    pub fn write(&mut self, out: &mut [u8]) -> usize {
        let (header, out) = out.split_at_mut(self.header_length);
        header.copy_from_slice(&self.header[..self.header_length]);
        self.header_length = 0;
        let rest = &self.payload[self.offset..];
        let length = rest.len().min(out.len());
        mask::copy(&mut out[..length], &rest[..length], self.key, self.offset);
        self.offset += length;
        header.len() + length
    }

    /// Appends all that is left.
    pub fn append(mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header[..self.header_length]);
        self.header_length = 0;
        mask::append(out, &self.payload[self.offset..], self.key, self.offset);
        self.offset = self.payload.len();
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.header_length + self.payload.len() - self.offset
    }
}

/// A frame that this module has made, read back.
pub struct Made {
    /// How many bytes it takes.
    pub length: usize,
    /// Its message, unless it is a control frame or compressed.
    pub message: Option<Message>,
}

/// Reads the frame at the beginning of `bytes`, which is whole; `None` where there is none.
pub fn read_back(bytes: &[u8]) -> Option<Made> {
    let mut cursor = Cursor::new(bytes);
    let (header, payload) = FrameHeader::parse(&mut cursor).ok()??;
    let start = cursor.position() as usize;
    let length = start + payload as usize;
    let kind = match header.opcode {
        OpCode::Data(Data::Text) => Some(Kind::Text),
        OpCode::Data(Data::Binary) => Some(Kind::Binary),
        _ => None,
    };
    let masked = bytes.get(start..length)?;
    let message = kind.filter(|_| !header.rsv1).map(|kind| {
        let mut data = Vec::with_capacity(masked.len());
        mask::append(&mut data, masked, header.mask.unwrap_or_default(), 0);
        Message { kind, data }
    });
    Some(Made { length, message })
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_tungstenite() {
        let lengths = [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 1 << 31];
        let data = [Kind::Text, Kind::Binary].map(Kind::opcode);
        let control = [Control::Close, Control::Ping, Control::Pong].map(OpCode::Control);
        for opcode in data.into_iter().chain(control) {
            for (length, rsv1) in lengths.into_iter().zip([false, true].into_iter().cycle()) {
                let key = [1, 2, 3, 0xff];
                let theirs = FrameHeader {
                    is_final: true,
                    rsv1,
                    opcode,
                    mask: Some(key),
                    ..FrameHeader::default()
                };
                let mut expected = Vec::new();
                theirs.format(length as u64, &mut expected).unwrap();
                let (bytes, header_length) = header(opcode, rsv1, length, key);
                assert_eq!(bytes[..header_length], expected);
            }
        }
    }
}
