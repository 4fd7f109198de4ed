//! Frames out.

use super::{FrameHeader, OpCode, mask};

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
