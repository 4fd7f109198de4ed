//! Bytes in, items out.
//!
//! The decoder holds no buffer of its own: it takes what the caller read, keeps at most the
//! beginning of a header, and gathers payload in the message that it belongs to. An idle
//! connection holds nothing.

use super::{
    Close, Control, Data, FrameHeader, Kind, MAX_CONTROL, Message, OpCode, Violation,
    encoder::MAX_HEADER, utf8::Validator,
};
use std::io::Cursor;
use tokio_tungstenite::tungstenite;

/// How far a message's buffer grows ahead of what has arrived: a header that claims much and
/// brings little costs no more than this.
const GROWTH: usize = 1 << 20;

/// Something whole that the peer sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// A message, its fragments joined.
    Message(Message),
    /// A ping's payload.
    Ping(Vec<u8>),
    /// A pong's payload.
    Pong(Vec<u8>),
    /// A close frame.
    Close(Close),
}

/// The frame whose payload is being read.
#[derive(Debug)]
struct Frame {
    opcode: OpCode,
    is_final: bool,
    remaining: u64,
}

/// The message whose fragments are being gathered.
#[derive(Debug)]
struct Gathering {
    message: Message,
    text: Validator,
}

/// Turns the bytes of one connection into items.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a header whose rest has not arrived.
    header: [u8; MAX_HEADER],
    header_length: usize,
    frame: Option<Frame>,
    gathering: Option<Gathering>,
    control: Vec<u8>,
}

impl Decoder {
    /// Takes bytes from the front of `input` until an item is whole; `None` when more bytes are
    /// needed (`input` is empty then).
    ///
    /// `max_message`: the largest message in bytes. A larger one is a violation as soon as a
    /// header says so.
    pub fn next(
        &mut self,
        input: &mut &[u8],
        max_message: usize,
    ) -> Result<Option<Item>, Violation> {
        loop {
            if self.frame.is_none() {
                match self.take_header(input)? {
                    Some((header, length)) => self.begin(&header, length, max_message)?,
                    None => return Ok(None),
                }
            }
            self.take_payload(input)?;
            match self.frame.take() {
                Some(frame) if frame.remaining > 0 => {
                    self.frame = Some(frame);
                    return Ok(None);
                }
                Some(frame) => {
                    if let Some(item) = self.end(&frame)? {
                        return Ok(Some(item));
                    }
                }
                None => unreachable!("a frame was begun above"),
            }
        }
    }

    /// Reads a header from `input`, or from what was kept of it before and `input`.
    fn take_header(&mut self, input: &mut &[u8]) -> Result<Option<(FrameHeader, u64)>, Violation> {
        let kept = self.header_length;
        let (parsed, consumed) = if kept == 0 {
            parse(input)?
        } else {
            let more = input.len().min(MAX_HEADER - kept);
            self.header[kept..kept + more].copy_from_slice(&input[..more]);
            parse(&self.header[..kept + more])?
        };
        let Some((header, length)) = parsed else {
            let more = input.len();
            self.header[kept..kept + more].copy_from_slice(input);
            self.header_length += more;
            *input = &[];
            return Ok(None);
        };
        *input = &input[consumed - kept..];
        self.header_length = 0;
        check(&header, length, consumed)?;
        Ok(Some((header, length)))
    }

    /// Begins a frame whose header is in order.
    fn begin(
        &mut self,
        header: &FrameHeader,
        length: u64,
        max_message: usize,
    ) -> Result<(), Violation> {
        if let OpCode::Data(data) = header.opcode {
            let gathered = match (data, &mut self.gathering) {
                (Data::Continue, Some(gathering)) => gathering,
                (Data::Continue, None) => {
                    return Err(Violation::protocol(
                        "sent a continuation frame without a message to continue",
                    ));
                }
                (_, Some(_)) => {
                    return Err(Violation::protocol(
                        "began a message before it had finished the last",
                    ));
                }
                (data, none) => none.insert(Gathering {
                    message: Message {
                        kind: match data {
                            Data::Text => Kind::Text,
                            _ => Kind::Binary,
                        },
                        data: Vec::new(),
                    },
                    text: Validator::default(),
                }),
            };
            let data = &mut gathered.message.data;
            let total = (data.len() as u64).saturating_add(length);
            if total > max_message as u64 {
                return Err(Violation {
                    code: 1009,
                    what: format!(
                        "sent a message of at least {total} bytes, more than MAX_MESSAGE_BYTES \
                         ({max_message}) allows"
                    )
                    .into(),
                });
            }
            // With room for the NUL that callbacks and readers get after the message. The first
            // frame's is exact; a message in many fragments grows as vectors do.
            let wanted = (length as usize).min(GROWTH) + 1;
            match data.is_empty() {
                true => data.reserve_exact(wanted),
                false => data.reserve(wanted),
            }
        }
        self.frame = Some(Frame {
            opcode: header.opcode,
            is_final: header.is_final,
            remaining: length,
        });
        Ok(())
    }

    /// Moves as much payload as there is from `input` to where it belongs.
    fn take_payload(&mut self, input: &mut &[u8]) -> Result<(), Violation> {
        let Some(frame) = &mut self.frame else {
            return Ok(());
        };
        let length = frame.remaining.min(input.len() as u64) as usize;
        let (piece, rest) = input.split_at(length);
        *input = rest;
        frame.remaining -= length as u64;
        match (frame.opcode, &mut self.gathering) {
            (OpCode::Data(_), Some(gathering)) => {
                gathering.message.data.extend_from_slice(piece);
                gathering.validate(length)
            }
            _ => {
                self.control.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// Ends a frame whose payload is whole.
    fn end(&mut self, frame: &Frame) -> Result<Option<Item>, Violation> {
        match frame.opcode {
            OpCode::Control(control) => {
                let payload = std::mem::take(&mut self.control);
                Ok(Some(match control {
                    Control::Close => Item::Close(Close::parse(&payload)?),
                    Control::Ping => Item::Ping(payload),
                    _ => Item::Pong(payload),
                }))
            }
            OpCode::Data(_) if !frame.is_final => Ok(None),
            OpCode::Data(_) => {
                let Some(mut gathering) = self.gathering.take() else {
                    unreachable!("a data frame gathers");
                };
                if !gathering.text.is_complete() {
                    return Err(invalid_text());
                }
                let data = &mut gathering.message.data;
                data.reserve_exact(1);
                // What waits in a queue is counted by its length: let it not hold much more.
                if data.capacity() - data.len() > data.len() / 4 + 64 {
                    data.shrink_to(data.len() + 1);
                }
                Ok(Some(Item::Message(gathering.message)))
            }
        }
    }

    /// Where a large payload may be received in place, and how many bytes of it: the message's
    /// own buffer, once its header is known. Call [`Decoder::received`] with what came.
    pub fn in_place(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        let remaining = match &self.frame {
            Some(frame) if matches!(frame.opcode, OpCode::Data(_)) => frame.remaining,
            _ => return None,
        };
        let data = &mut self.gathering.as_mut()?.message.data;
        let remaining = usize::try_from(remaining).unwrap_or(usize::MAX);
        if remaining == 0 {
            return None;
        }
        if data.capacity() - data.len() < remaining.min(1 << 14) {
            data.reserve_exact(remaining.min(GROWTH.max(data.len())) + 1);
        }
        let room = (data.capacity() - data.len()).min(remaining);
        Some((data, room))
    }

    /// Takes note of `length` bytes that were appended in place.
    pub fn received(&mut self, length: usize) -> Result<(), Violation> {
        if let (Some(frame), Some(gathering)) = (&mut self.frame, &mut self.gathering) {
            frame.remaining -= length as u64;
            gathering.validate(length)?;
        }
        Ok(())
    }

    /// Whether the stream may end here: between two frames and two messages.
    pub fn is_between_messages(&self) -> bool {
        self.frame.is_none() && self.header_length == 0 && self.gathering.is_none()
    }
}

impl Gathering {
    /// Checks the last `length` bytes of a text.
    fn validate(&mut self, length: usize) -> Result<(), Violation> {
        let data = &self.message.data;
        match self.message.kind {
            Kind::Binary => Ok(()),
            Kind::Text => self
                .text
                .push(&data[data.len() - length..])
                .map_err(|_| invalid_text()),
        }
    }
}

fn invalid_text() -> Violation {
    Violation {
        code: 1007,
        what: "sent a text message that is not valid UTF-8".into(),
    }
}

/// Parses a header; says how many bytes it took.
fn parse(input: &[u8]) -> Result<(Option<(FrameHeader, u64)>, usize), Violation> {
    let mut cursor = Cursor::new(input);
    let parsed = FrameHeader::parse(&mut cursor).map_err(|error| {
        Violation::protocol(match error {
            tungstenite::Error::Protocol(tungstenite::error::ProtocolError::InvalidOpcode(
                code,
            )) => {
                format!("sent a frame with the reserved opcode {code}")
            }
            other => format!("sent a frame that cannot be read: {other}"),
        })
    })?;
    Ok((parsed, cursor.position() as usize))
}

/// What RFC 6455, section 5.2 and 5.5, forbids in a header, whatever came before.
fn check(header: &FrameHeader, length: u64, consumed: usize) -> Result<(), Violation> {
    let forbidden = if header.rsv1 || header.rsv2 || header.rsv3 {
        "set a reserved bit without an extension that gives it a meaning"
    } else if header.mask.is_some() {
        "sent a masked frame, which only clients may"
    } else if length > i64::MAX as u64 {
        "sent a frame length with the highest bit set"
    } else if header.len(length) != consumed {
        "sent a frame length that is not in its shortest form"
    } else if matches!(header.opcode, OpCode::Control(_)) && !header.is_final {
        "fragmented a control frame"
    } else if matches!(header.opcode, OpCode::Control(_)) && length > MAX_CONTROL as u64 {
        "sent a control frame of more than 125 bytes"
    } else {
        return Ok(());
    };
    Err(Violation::protocol(forbidden))
}
