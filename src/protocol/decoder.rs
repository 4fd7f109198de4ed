//! Bytes in, items out.
//!
//! The decoder holds no buffer of its own: it takes what the caller read, keeps at most the
//! beginning of a header, and gathers payload in the message that it belongs to. An idle
//! connection holds nothing.

use super::{
    Close, Control, Data, FrameHeader, Kind, MAX_CONTROL, Message, OpCode, Violation,
    encoder::MAX_HEADER,
    inflate::{Inflater, Limits},
    utf8::Validator,
};
use std::io::Cursor;
use tokio_tungstenite::tungstenite;

/// How far a message's buffer grows ahead of what has arrived: a header that claims much and
/// brings little costs no more than this.
const GROWTH: usize = 1 << 20;
/// What a frame counts that does not end a message, in bytes of decompressed output that take as long.
const FRAME: usize = 64;

/// Something whole that the peer sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A message that came whole, in one frame: it lies in the input.
    Whole(Kind, &'a [u8]),
    /// A message that came in pieces, joined.
    Message(Message),
    /// A ping's payload.
    Ping(Vec<u8>),
    /// A pong's payload.
    Pong(Vec<u8>),
    /// A close frame.
    Close(Close),
}

#[cfg(any(fuzzing, all(test, not(shuttle))))]
impl Item<'_> {
    /// The same, with a message of its own.
    pub fn into_owned(self) -> Item<'static> {
        match self {
            Item::Whole(kind, payload) => Item::Message(Message::new(kind, payload)),
            Item::Message(message) => Item::Message(message),
            Item::Ping(payload) => Item::Ping(payload),
            Item::Pong(payload) => Item::Pong(payload),
            Item::Close(close) => Item::Close(close),
        }
    }
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
    is_compressed: bool,
    /// The largest that it may become.
    limit: usize,
}

/// Turns the bytes of one connection into items.
#[derive(Default)]
pub struct Decoder {
    /// The beginning of a header whose rest has not arrived.
    header: [u8; MAX_HEADER],
    header_length: usize,
    frame: Option<Frame>,
    gathering: Option<Gathering>,
    control: Vec<u8>,
    /// Where compression was agreed on.
    inflater: Option<Box<Inflater>>,
    /// Nobody wants messages any more.
    discarding: bool,
}

impl Decoder {
    /// A decoder for a connection on which messages may come compressed.
    pub fn inflating(inflater: Option<Inflater>) -> Self {
        Decoder {
            inflater: inflater.map(Box::new),
            ..Decoder::default()
        }
    }

    /// From here on messages are dropped unseen: only control frames are wanted.
    pub fn discard_messages(&mut self) {
        self.discarding = true;
        self.inflater = None;
    }

    /// Gives back what decompressing needs rarely. True: call it again later.
    pub fn rest(&mut self) -> bool {
        self.inflater
            .as_mut()
            .is_some_and(|inflater| inflater.rest())
    }

    /// Whether compressed messages have come since `rest` was last called.
    pub fn has_inflated(&self) -> bool {
        self.inflater
            .as_ref()
            .is_some_and(|inflater| inflater.is_used())
    }

    /// Takes bytes from the front of `input` until an item is whole; `None` when more bytes are
    /// needed (`input` is empty then), or when decompressing has used up the allowance.
    ///
    /// A message larger than its limit is a violation as soon as a header says so, or its
    /// decompression shows it.
    pub fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
        limits: &mut Limits,
    ) -> Result<Option<Item<'a>>, Violation> {
        if let Some((kind, payload)) = self.take_whole(input, limits.message) {
            return Ok(Some(Item::Whole(kind, payload)));
        }
        loop {
            if self.frame.is_none() {
                match self.take_header(input)? {
                    Some((header, length)) => self.begin(&header, length, limits.message)?,
                    None => return Ok(None),
                }
            }
            self.take_payload(input, limits)?;
            match self.frame.take() {
                Some(frame) if frame.remaining > 0 => {
                    self.frame = Some(frame);
                    return Ok(None);
                }
                Some(frame) => {
                    if let Some(item) = self.end(&frame, limits)? {
                        return Ok(Some(item));
                    }
                    // A message may come in a great many frames.
                    *limits.allowance = limits.allowance.saturating_sub(FRAME);
                    if *limits.allowance == 0 {
                        return Ok(None);
                    }
                }
                None => unreachable!("a frame was begun above"),
            }
        }
    }

    /// Takes a message that lies in the input as a whole, in one frame, uncompressed: most do. Whatever is not in order
    /// is left for the rest of this module to say so.
    #[inline]
    fn take_whole<'a>(&mut self, input: &mut &'a [u8], most: usize) -> Option<(Kind, &'a [u8])> {
        if !self.is_between_messages() || self.discarding {
            return None;
        }
        let (kind, rest) = match input.split_first()? {
            (0x81, rest) => (Kind::Text, rest),
            (0x82, rest) => (Kind::Binary, rest),
            _ => return None,
        };
        // The length, in its shortest form (RFC 6455, section 5.2).
        let (length, rest) = match rest.split_first()? {
            (short @ 0..126, rest) => (usize::from(*short), rest),
            (126, rest) => match rest.split_first_chunk() {
                Some((bytes, rest)) if *bytes >= [0, 126] => {
                    (usize::from(u16::from_be_bytes(*bytes)), rest)
                }
                _ => return None,
            },
            (127, rest) => match rest.split_first_chunk() {
                Some((bytes, rest)) if *bytes >= [0, 0, 0, 0, 0, 1, 0, 0] => {
                    let length = u64::from_be_bytes(*bytes);
                    (usize::try_from(length).ok()?, rest)
                }
                _ => return None,
            },
            _ => return None,
        };
        if length > most || rest.len() < length {
            return None;
        }
        let (payload, rest) = rest.split_at(length);
        if kind == Kind::Text && simdutf8::basic::from_utf8(payload).is_err() {
            return None;
        }
        *input = rest;
        Some((kind, payload))
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
        let may_be_compressed = self.inflater.is_some() || self.discarding;
        check(&header, length, consumed, may_be_compressed)?;
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
                    is_compressed: header.rsv1,
                    limit: max_message,
                }),
            };
            let is_plain = !gathered.is_compressed;
            let max_message = gathered.limit;
            let data = &mut gathered.message.data;
            let total = (data.len() as u64).saturating_add(length);
            if is_plain && !self.discarding && total > max_message as u64 {
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
                _ if !is_plain || self.discarding => {}
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
    fn take_payload(&mut self, input: &mut &[u8], limits: &mut Limits) -> Result<(), Violation> {
        let Some(frame) = &mut self.frame else {
            return Ok(());
        };
        let length = frame.remaining.min(input.len() as u64) as usize;
        let (mut piece, _) = input.split_at(length);
        let made = match (frame.opcode, &mut self.gathering, &mut self.inflater) {
            (OpCode::Data(_), ..) if self.discarding => {
                piece = &[];
                0
            }
            (OpCode::Data(_), Some(gathering), Some(inflater)) if gathering.is_compressed => {
                let data = &mut gathering.message.data;
                let before = data.len();
                let mut limits = limits.of_message(gathering.limit);
                inflater.inflate(&mut piece, data, &mut limits)?;
                data.len() - before
            }
            (OpCode::Data(_), Some(gathering), _) => {
                gathering
                    .message
                    .data
                    .extend_from_slice(std::mem::take(&mut piece));
                length
            }
            _ => {
                self.control.extend_from_slice(std::mem::take(&mut piece));
                0
            }
        };
        let taken = length - piece.len();
        *input = &input[taken..];
        frame.remaining -= taken as u64;
        match &mut self.gathering {
            Some(gathering) => gathering.validate(made),
            None => Ok(()),
        }
    }

    /// Ends a frame whose payload is whole.
    fn end<'a>(
        &mut self,
        frame: &Frame,
        limits: &mut Limits,
    ) -> Result<Option<Item<'a>>, Violation> {
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
                if self.discarding {
                    return Ok(None);
                }
                if let (true, Some(inflater)) = (gathering.is_compressed, &mut self.inflater) {
                    let data = &mut gathering.message.data;
                    let before = data.len();
                    inflater.end(data, &mut limits.of_message(gathering.limit))?;
                    let made = data.len() - before;
                    gathering.validate(made)?;
                }
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
        let wanted = !self.discarding;
        let gathering = self
            .gathering
            .as_mut()
            .filter(|gathering| wanted && !gathering.is_compressed)?;
        let data = &mut gathering.message.data;
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

    /// The same place, if so many bytes at least are missing there, to be filled elsewhere and given back. Until then this
    /// decoder is not used.
    pub fn take_place(&mut self, least: usize) -> Option<(Vec<u8>, usize)> {
        let (data, room) = self.in_place()?;
        (room >= least).then(|| (std::mem::take(data), room))
    }

    /// Takes a place back, with what was appended there: [`Decoder::received`] is to be called for that.
    pub fn give_back_place(&mut self, data: Vec<u8>) {
        if let Some(gathering) = &mut self.gathering {
            gathering.message.data = data;
        }
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
fn check(
    header: &FrameHeader,
    length: u64,
    consumed: usize,
    may_be_compressed: bool,
) -> Result<(), Violation> {
    let begins_message = matches!(header.opcode, OpCode::Data(Data::Text | Data::Binary));
    let forbidden = if header.rsv2 || header.rsv3 || (header.rsv1 && !may_be_compressed) {
        "set a reserved bit without an extension that gives it a meaning"
    } else if header.rsv1 && !begins_message {
        "set the bit for compression on a frame that does not begin a message"
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// A frame as a server sends it, with any first byte.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(length as u8),
            length @ 126..65536 => {
                bytes.push(126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                bytes.push(127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        bytes
    }

    /// The next item, however much decompressing takes.
    fn next(
        decoder: &mut Decoder,
        input: &mut &[u8],
        max: usize,
    ) -> Result<Option<Item<'static>>, Violation> {
        let mut limits = Limits {
            message: max,
            allowance: &mut usize::MAX.clone(),
        };
        Ok(decoder.next(input, &mut limits)?.map(Item::into_owned))
    }

    /// Decodes pieces of these sizes, used in turn; every other large payload is received in place.
    fn decode(
        bytes: &[u8],
        sizes: &[usize],
        max: usize,
    ) -> (Vec<Item<'static>>, Option<Violation>) {
        let mut decoder = Decoder::default();
        let mut items = Vec::new();
        let mut rest = bytes;
        for (turn, size) in sizes.iter().cycle().enumerate() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*size).min(rest.len()));
            let mut input = piece;
            rest = later;
            if turn % 2 == 1
                && let Some((data, room)) = decoder.in_place()
            {
                let (now, after) = input.split_at(room.min(input.len()));
                data.extend_from_slice(now);
                input = after;
                if let Err(violation) = decoder.received(now.len()) {
                    return (items, Some(violation));
                }
            }
            loop {
                match next(&mut decoder, &mut input, max) {
                    Ok(Some(item)) => items.push(item),
                    Ok(None) => break,
                    Err(violation) => return (items, Some(violation)),
                }
            }
            assert!(input.is_empty());
        }
        (items, None)
    }

    fn text(data: &str) -> Item<'static> {
        Item::Message(Message {
            kind: Kind::Text,
            data: data.into(),
        })
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_items() {
        let large = vec![7u8; 70_000];
        let bytes = [
            frame(0x81, b"plain"),
            frame(0x81, b""),
            frame(0x01, "caf\u{e9} \u{20ac}".as_bytes().split_at(4).0),
            frame(0x89, b"ping in between"),
            frame(0x80, "caf\u{e9} \u{20ac}".as_bytes().split_at(4).1),
            frame(0x02, &large[..300]),
            frame(0x00, b""),
            frame(0x8a, b""),
            frame(0x80, &large[300..]),
            frame(0x88, &[3, 232, b'b', b'y', b'e']),
        ]
        .concat();
        let expected = vec![
            text("plain"),
            text(""),
            Item::Ping(b"ping in between".to_vec()),
            text("caf\u{e9} \u{20ac}"),
            Item::Pong(Vec::new()),
            Item::Message(Message {
                kind: Kind::Binary,
                data: large,
            }),
            Item::Close(Close::new(1000, "bye")),
        ];
        for sizes in [
            &[1][..],
            &[2, 3, 5],
            &[7, 1],
            &[13],
            &[64],
            &[1000, 1],
            &[8192],
            &[1 << 20],
        ] {
            let (items, violation) = decode(&bytes, sizes, 1 << 20);
            assert_eq!(violation, None, "{sizes:?}");
            assert_eq!(items, expected, "{sizes:?}");
        }
    }

    #[test]
    fn breaches_of_the_protocol_get_their_code_whatever_the_split() {
        let long = |length: u64| [&[0x82, 127][..], &length.to_be_bytes()].concat();
        for (bytes, code) in [
            (frame(0xc1, b"rsv1"), 1002),
            (frame(0xa1, b"rsv2"), 1002),
            (frame(0x91, b"rsv3"), 1002),
            (frame(0x83, b"reserved data"), 1002),
            (frame(0x8b, b"reserved control"), 1002),
            (frame(0x80, b"continues nothing"), 1002),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),
            (frame(0x09, b"fragmented ping"), 1002),
            (frame(0x89, &[0; 126]), 1002),
            (vec![0x81, 0x81, 1, 2, 3, 4, 5], 1002),
            (vec![0x82, 126, 0, 5, 1, 2, 3, 4, 5], 1002),
            (long(5), 1002),
            (long(1 << 63), 1002),
            (long(70_000), 1009),
            (
                [frame(0x02, &[0; 600]), frame(0x80, &[0; 401])].concat(),
                1009,
            ),
            (frame(0x81, b"ab\xff"), 1007),
            (frame(0x81, b"ab\xe2\x82"), 1007),
            (frame(0x88, &[3]), 1002),
            (frame(0x88, &[0, 1]), 1002),
            (frame(0x88, &[3, 232, 0xff]), 1007),
        ] {
            for sizes in [&[1][..], &[2, 3], &[1 << 20]] {
                let (items, violation) = decode(&bytes, sizes, 1000);
                assert_eq!(items, [], "{bytes:x?}");
                assert_eq!(
                    violation.map(|violation| violation.code),
                    Some(code),
                    "{bytes:x?}"
                );
            }
        }
    }

    #[test]
    fn a_message_of_exactly_the_limit_passes() {
        let (items, violation) = decode(&frame(0x82, &[0; 1000]), &[100], 1000);
        assert_eq!((items.len(), violation), (1, None));
    }

    #[test]
    fn invalid_text_is_noticed_at_the_byte_that_makes_it_invalid() {
        // In the middle of a frame whose rest has not come (Autobahn 6.4.3 and 6.4.4).
        let mut decoder = Decoder::default();
        let bytes = frame(0x81, b"\xce\xba\xf4\x90 and much more");
        let mut input = &bytes[..2 + 3];
        assert_eq!(next(&mut decoder, &mut input, 1000), Ok(None));
        let mut input = &bytes[2 + 3..2 + 4];
        assert_eq!(next(&mut decoder, &mut input, 1000).unwrap_err().code, 1007);
    }

    #[test]
    fn a_header_that_promises_much_reserves_little() {
        let mut decoder = Decoder::default();
        let header = [&[0x82, 127][..], &(1u64 << 30).to_be_bytes()].concat();
        assert_eq!(next(&mut decoder, &mut &header[..], 1 << 31), Ok(None));
        let (data, _) = decoder.in_place().unwrap();
        assert!(data.capacity() <= 2 * GROWTH, "{}", data.capacity());
    }
}
