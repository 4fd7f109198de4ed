//! Frames out.

use super::{Data, FrameHeader, Kind, Message, OpCode, mask};
use std::io::Cursor;

/// The longest header of a frame from a client.
pub const MAX_HEADER: usize = 14;

/// The header and key of a masked, unfragmented frame.
fn header(opcode: OpCode, is_compressed: bool) -> (FrameHeader, [u8; 4]) {
    let key = mask::key();
    let header = FrameHeader {
        is_final: true,
        rsv1: is_compressed,
        opcode,
        mask: Some(key),
        ..FrameHeader::default()
    };
    (header, key)
}

/// A frame that is turned into bytes piece by piece, so that a large one never needs a second
/// buffer of its size.
pub struct Frame<'a> {
    payload: &'a [u8],
    key: [u8; 4],
    offset: usize,
}

impl<'a> Frame<'a> {
    /// Begins a frame: appends its header to `out`. `is_compressed`: the payload is (RFC 7692, section 6).
    pub fn begin(
        out: &mut Vec<u8>,
        opcode: OpCode,
        payload: &'a [u8],
        is_compressed: bool,
    ) -> Self {
        let (header, key) = header(opcode, is_compressed);
        header
            .format(payload.len() as u64, out)
            .expect("writing to a vector cannot fail");
        Frame {
            payload,
            key,
            offset: 0,
        }
    }

    /// Appends at most `limit` further bytes of the payload. False once nothing is left.
    pub fn append(&mut self, out: &mut Vec<u8>, limit: usize) -> bool {
        let piece = &self.payload[self.offset..];
        let piece = &piece[..piece.len().min(limit)];
        mask::append(out, piece, self.key, self.offset);
        self.offset += piece.len();
        self.offset < self.payload.len()
    }

    /// How many bytes of the payload are still to be appended.
    pub fn remaining(&self) -> usize {
        self.payload.len() - self.offset
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
