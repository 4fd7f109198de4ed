//! What a server's bytes mean (RFC 6455, section 5; RFC 7692, section 6), read as a whole.

use super::inflate::{End, Inflated, inflate};

/// Opcode and payload: a whole message (1: text, 2: binary), or a control frame (8, 9, 10).
pub type Item = (u8, Vec<u8>);

/// What was agreed on about the server's compressed messages.
#[derive(Debug, Clone, Copy)]
pub struct Compression {
    /// The logarithm of the window.
    pub window_bits: u8,
    /// Whether messages refer to those before them.
    pub takeover: bool,
}

/// What a receiver must make of the bytes.
#[derive(Debug, Default)]
pub struct Expected {
    /// What it gives.
    pub items: Vec<Item>,
    /// Then it fails with one of these codes; it does not fail if there are none. There is more than one
    /// where one frame has several defects.
    pub codes: Vec<u16>,
    /// From so many items on it may fail with 1002 as well: for compressed data that is invalid, which it
    /// must say at the end of the message only, or that leaves the window, which it need not notice.
    pub may_fail_from: Option<usize>,
}

impl Expected {
    /// Whether a receiver did what it should.
    pub fn fits(&self, items: &[Item], code: Option<u16>) -> bool {
        let is_as_expected = items == self.items
            && match code {
                None => self.codes.is_empty(),
                Some(code) => self.codes.contains(&code),
            };
        let is_early = self.may_fail_from.is_some_and(|from| {
            code == Some(1002) && items.len() >= from && self.items.starts_with(items)
        });
        is_as_expected || is_early
    }

    fn may_fail(&mut self) {
        self.may_fail_from.get_or_insert(self.items.len());
    }
}

/// The message whose fragments are being gathered.
struct Gathered {
    opcode: u8,
    is_compressed: bool,
    payload: Vec<u8>,
}

/// Reads all that a server has sent. Behind `wanted` bytes messages are of no interest any more.
pub fn read(
    wire: &[u8],
    wanted: usize,
    max_message: usize,
    compression: Option<Compression>,
) -> Expected {
    let mut expected = Expected::default();
    let mut reading = Reading {
        wire,
        // What is left where they become of no interest.
        unwanted: wire.len().saturating_sub(wanted),
        max_message,
        compression,
        history: Vec::new(),
        message: None,
    };
    if let Err(codes) = reading.read(&mut expected) {
        expected.codes = codes;
    }
    expected
}

struct Reading<'a> {
    wire: &'a [u8],
    unwanted: usize,
    max_message: usize,
    compression: Option<Compression>,
    history: Vec<u8>,
    message: Option<Gathered>,
}

impl<'a> Reading<'a> {
    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.wire.split_at_checked(length.try_into().ok()?)?;
        self.wire = rest;
        Some(taken)
    }

    /// Up to the end of the bytes, or the codes for what is wrong with them.
    fn read(&mut self, expected: &mut Expected) -> Result<(), Vec<u16>> {
        while let Some((first, length)) = self.header()? {
            let (is_final, rsv1, opcode) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x0f);
            if opcode >= 8 {
                if !is_final || rsv1 || length > 125 {
                    return Err(vec![1002]);
                }
                let Some(payload) = self.take(length) else {
                    return Ok(());
                };
                check_control(opcode, payload)?;
                expected.items.push((opcode, payload.to_vec()));
                continue;
            }
            let is_wanted = self.wire.len() >= self.unwanted;
            let may_be_compressed = self.compression.is_some() || !is_wanted;
            match (&self.message, opcode) {
                (Some(_), 0) if !rsv1 => {}
                (None, 1 | 2) if !rsv1 || may_be_compressed => {
                    self.message = Some(Gathered {
                        opcode,
                        is_compressed: rsv1,
                        payload: Vec::new(),
                    });
                }
                _ => return Err(vec![1002]),
            }
            let mut message = self.message.take().expect("there is one now");
            let total = u128::from(length) + message.payload.len() as u128;
            if is_wanted && !message.is_compressed && total > self.max_message as u128 {
                return Err(vec![1009]);
            }
            let most = self.wire.len().saturating_sub(self.unwanted);
            let (payload, is_whole) = match self.take(length) {
                Some(payload) => (payload, true),
                None => (std::mem::take(&mut self.wire), false),
            };
            let payload = &payload[..payload.len().min(most)];
            message.payload.extend_from_slice(payload);
            let is_ended = is_final && is_whole;
            let is_wanted = is_wanted && self.wire.len() >= self.unwanted;
            let data = self.check_message(&message, is_ended && is_wanted, expected)?;
            match (is_ended, is_whole) {
                (true, _) if is_wanted => expected.items.push((message.opcode, data)),
                (true, _) => {}
                (false, true) => self.message = Some(message),
                (false, false) => return Ok(()),
            }
        }
        Ok(())
    }

    /// The first byte of a frame and the length of its payload.
    fn header(&mut self) -> Result<Option<(u8, u64)>, Vec<u16>> {
        let Some([first, second]) = self.wire.first_chunk() else {
            return Ok(None);
        };
        let (in_extra, least) = match second & 0x7f {
            126 => (2, 126),
            127 => (8, 1 << 16),
            _ => (0, 0),
        };
        let is_masked = second & 0x80 != 0;
        let Some(header) = self.take(2 + in_extra + if is_masked { 4 } else { 0 }) else {
            return Ok(None);
        };
        let extra = &header[2..2 + in_extra as usize];
        let length = match in_extra {
            0 => u64::from(second & 0x7f),
            _ => extra
                .iter()
                .fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        let is_known = matches!(first & 0x0f, 0..=2 | 8..=10);
        match is_masked || !is_known || first & 0x30 != 0 || length < least || length >> 63 != 0 {
            true => Err(vec![1002]),
            false => Ok(Some((*first, length))),
        }
    }

    /// What a message is so far, and whether that can be.
    fn check_message(
        &mut self,
        message: &Gathered,
        is_ended: bool,
        expected: &mut Expected,
    ) -> Result<Vec<u8>, Vec<u16>> {
        let mut codes = Vec::new();
        let data = match (message.is_compressed, self.compression) {
            (true, Some(compression)) => {
                let inflated = self.inflate(&message.payload, compression, 0);
                let is_invalid = inflated.end == End::Invalid;
                if is_invalid || inflated.leaves_window {
                    expected.may_fail();
                }
                if is_ended && (is_invalid || inflated.end == End::Open) {
                    codes.push(1002);
                }
                // What is cut off may become output with the bytes that the receiver puts behind it.
                let may_grow = is_ended && inflated.end == End::Open && {
                    let longer = [&message.payload[..], &[0, 0, 0xff, 0xff, 0]].concat();
                    self.inflate(&longer, compression, 0).end == End::TooLarge
                };
                if inflated.end == End::TooLarge || may_grow {
                    codes.push(1009);
                    // What comes just behind the byte too many may be looked at as well.
                    let further = self.inflate(&message.payload, compression, 1);
                    if further.end == End::Invalid {
                        codes.push(1002);
                    }
                }
                if is_ended && compression.takeover {
                    self.history.extend_from_slice(&inflated.output);
                }
                inflated.output
            }
            _ => message.payload.clone(),
        };
        if message.opcode == 1
            && let Err(error) = std::str::from_utf8(&data)
            && (is_ended || error.error_len().is_some())
        {
            codes.push(1007);
        }
        match codes.is_empty() {
            true => Ok(data),
            false => Err(codes),
        }
    }

    /// `beyond`: so much farther than the limit.
    fn inflate(&self, payload: &[u8], compression: Compression, beyond: usize) -> Inflated {
        let window = 1 << compression.window_bits;
        let limit = self.max_message.saturating_add(beyond);
        inflate(payload, &self.history, window, limit)
    }
}

/// Sections 5.5.1 and 7.4.
fn check_control(opcode: u8, payload: &[u8]) -> Result<(), Vec<u16>> {
    if opcode != 8 || payload.is_empty() {
        return Ok(());
    }
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Err(vec![1002]);
    };
    match u16::from_be_bytes(*code) {
        1000..1004 | 1007..1015 | 3000..5000 => {}
        _ => return Err(vec![1002]),
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(()),
        Err(_) => Err(vec![1007]),
    }
}
