//! Frames (RFC 6455, 5.2): parsing, unmasking, writing. Writing accepts what is wrong, too.

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// RSV1 beside the opcode of a message's first frame: the message is compressed (RFC 7692, 6).
pub const COMPRESSED: u8 = 0x40;

/// The longest header of a frame from a client: 2 bytes, 8 of length, 4 of mask.
pub const MAX_HEADER: usize = 14;

#[derive(Clone, Copy)]
pub struct Header {
    pub fin: bool,
    pub rsv: u8,
    pub opcode: u8,
    pub mask: Option<[u8; 4]>,
    pub header_len: usize,
    pub payload_len: u64,
}

impl Header {
    pub fn is_control(&self) -> bool {
        self.opcode >= 8
    }

    /// RSV1 alone.
    pub fn is_compressed(&self) -> bool {
        self.rsv == 4
    }
}

/// The header at the start of `bytes`, once it is complete.
pub fn parse(bytes: &[u8]) -> Option<Header> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (payload_len, mut header_len) = match second & 0x7f {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mask = if second & 0x80 != 0 {
        let mask = bytes.get(header_len..header_len + 4)?.try_into().ok()?;
        header_len += 4;
        Some(mask)
    } else {
        None
    };
    Some(Header {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 15,
        mask,
        header_len,
        payload_len,
    })
}

/// In steps of 64 bytes, which the compiler turns into vector instructions.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide: [u8; 64] = std::array::from_fn(|i| mask[i & 3]);
    let mut chunks = payload.chunks_exact_mut(64);
    for chunk in &mut chunks {
        for (byte, key) in chunk.iter_mut().zip(&wide) {
            *byte ^= key;
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(&wide) {
        *byte ^= key;
    }
}

/// A server's header (no mask) as an array and its length.
pub fn header(fin: bool, opcode: u8, payload_len: usize) -> ([u8; 10], usize) {
    let mut bytes = [0; 10];
    bytes[0] = opcode | if fin { 0x80 } else { 0 };
    match payload_len {
        0..126 => {
            bytes[1] = payload_len as u8;
            (bytes, 2)
        }
        126..0x1_0000 => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&(payload_len as u16).to_be_bytes());
            (bytes, 4)
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
            (bytes, 10)
        }
    }
}

pub fn append(out: &mut Vec<u8>, fin: bool, opcode: u8, payload: &[u8]) {
    let (bytes, len) = header(fin, opcode, payload.len());
    out.extend_from_slice(&bytes[..len]);
    out.extend_from_slice(payload);
}

/// The payload of a close frame.
pub fn close_payload(code: Option<u16>, reason: &[u8]) -> Vec<u8> {
    code.map_or_else(Vec::new, |code| [&code.to_be_bytes(), reason].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_every_length_are_read_back() {
        for len in [0, 1, 125, 126, 0xffff, 0x1_0000] {
            let (bytes, header_len) = header(true, BINARY, len);
            assert!(parse(&bytes[..header_len - 1]).is_none());
            let header = parse(&bytes[..header_len]).unwrap();
            assert_eq!(
                (header.fin, header.opcode, header.payload_len),
                (true, BINARY, len as u64)
            );
            assert_eq!(header.header_len, header_len);
        }
    }

    #[test]
    fn unmasking_twice_changes_nothing() {
        let original: Vec<u8> = (0..200).collect();
        let mut bytes = original.clone();
        unmask(&mut bytes, [1, 2, 3, 4]);
        assert_eq!(bytes[..5], [1, 3, 1, 7, 5]);
        unmask(&mut bytes, [1, 2, 3, 4]);
        assert_eq!(bytes, original);
    }
}
