//! One connection: reading frames into messages, answering what must be answered, sending.
//!
//! A connection without a diary makes plain blocking calls, one read and one write per round trip:
//! the benchmarks measure against it. With a diary it can be commanded, so it waits in `poll` first.

mod ending;
mod sending;

pub use ending::AtClose;

use crate::deflate::Deflate;
use crate::diary::{Command, Pen};
use crate::frame::{self, BINARY, CLOSE, CONTINUATION, Header, PING, PONG, TEXT};
use crate::sys;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::ops::Range;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

/// The connection is over; what there was to write into the diary is written.
pub struct Gone;

pub type Alive<T = ()> = Result<T, Gone>;

const FIRST_BUFFER: usize = 8 << 10;
/// What one read takes at most while no frame is known to be longer.
const USUAL_BUFFER: usize = 256 << 10;
const LONGEST_FRAME: u64 = 1 << 30;

pub struct Message {
    pub opcode: u8,
    /// Where in the read buffer it lies; none if it was put together from several frames, or inflated.
    place: Option<Range<usize>>,
}

pub enum Next {
    Message(Message),
    /// The deadline passed.
    Quiet,
}

/// What `/count` tells: number, bytes and hash (FNV-1a) of the messages.
#[derive(Clone, Copy)]
pub struct Total {
    pub messages: u64,
    pub bytes: u64,
    pub hash: u64,
}

impl Total {
    pub const NONE: Total = Total {
        messages: 0,
        bytes: 0,
        hash: 0xcbf2_9ce4_8422_2325,
    };

    pub fn add(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.bytes += payload.len() as u64;
        self.hash = payload.iter().fold(self.hash, |hash, &b| {
            (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
        });
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {} {:016x}", self.messages, self.bytes, self.hash)
    }
}

pub struct Peer {
    pub stream: TcpStream,
    pen: Option<Pen>,
    buffer: Vec<u8>,
    unread: Range<usize>,
    /// The length of the frame that `unread` begins with, header included.
    wanted: usize,
    out: Vec<u8>,
    /// The first frame, and the payloads so far, of a fragmented message.
    fragments: Option<Header>,
    assembled: Vec<u8>,
    /// What was agreed about compression.
    pub deflate: Option<Deflate>,
    close_sent: bool,
    deferred: Vec<Command>,
    /// How many have come.
    pub pongs: u64,
    /// Told to go on by `/control`.
    pub resumed: bool,
    pub answers_pings: bool,
    pub at_close: AtClose,
    /// Reads into the buffer while a write waits, so that a close or a ping is noticed then.
    pub reads_while_sending: bool,
    /// Writes no line for each message.
    pub quiet: bool,
    /// Leaves TCP open for so many milliseconds after the closing handshake.
    pub linger_ms: Option<u64>,
    /// Reads no more than so many bytes each so many milliseconds.
    pub pace: Option<(usize, u64)>,
    pub total: Option<Total>,
}

impl Peer {
    pub fn new(stream: TcpStream, pen: Option<Pen>) -> Peer {
        Peer {
            stream,
            pen,
            buffer: Vec::new(),
            unread: 0..0,
            wanted: frame::MAX_HEADER,
            out: Vec::new(),
            fragments: None,
            assembled: Vec::new(),
            deflate: None,
            close_sent: false,
            deferred: Vec::new(),
            pongs: 0,
            resumed: false,
            answers_pings: true,
            at_close: AtClose::Answer,
            reads_while_sending: false,
            quiet: false,
            linger_ms: None,
            pace: None,
            total: None,
        }
    }

    pub fn note(&self, line: impl FnOnce() -> String) {
        if let Some(pen) = &self.pen {
            pen.write(line());
        }
    }

    pub fn payload(&self, message: &Message) -> &[u8] {
        message
            .place
            .clone()
            .map_or(&self.assembled, |place| &self.buffer[place])
    }

    /// The next message, answers to pings and closing given on the way.
    pub fn next(&mut self, deadline: Option<Instant>) -> Alive<Next> {
        loop {
            if let Some(message) = self.next_buffered()? {
                return Ok(Next::Message(message));
            }
            self.flush()?;
            if !self.wait_readable(deadline)? {
                return Ok(Next::Quiet);
            }
            self.receive()?;
        }
    }

    /// The next message that lies in the buffer already.
    pub fn next_buffered(&mut self) -> Alive<Option<Message>> {
        while let Some((header, place)) = self.take_frame()? {
            if let Some(message) = self.accept(header, place)? {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Takes in what has arrived, without waiting.
    pub fn receive_arrived(&mut self) -> Alive {
        if sys::wait(
            Some((&self.stream, true, false)),
            None,
            Some(Instant::now()),
        )
        .readable
        {
            self.receive()?;
        }
        Ok(())
    }

    fn take_frame(&mut self) -> Alive<Option<(Header, Range<usize>)>> {
        let bytes = &self.buffer[self.unread.clone()];
        let Some(header) = frame::parse(bytes) else {
            self.wanted = frame::MAX_HEADER;
            return Ok(None);
        };
        if header.payload_len > LONGEST_FRAME {
            return self.protocol("a frame longer than 1 GiB");
        }
        let total = header.header_len + header.payload_len as usize;
        if bytes.len() < total {
            self.wanted = total;
            return Ok(None);
        }
        let place = self.unread.start + header.header_len..self.unread.start + total;
        self.unread.start += total;
        if let Some(mask) = header.mask {
            frame::unmask(&mut self.buffer[place.clone()], mask);
        }
        Ok(Some((header, place)))
    }

    fn accept(&mut self, header: Header, place: Range<usize>) -> Alive<Option<Message>> {
        let may_compress = self.deflate.is_some() && matches!(header.opcode, TEXT | BINARY);
        let wrong = match header {
            Header { mask: None, .. } => Some("an unmasked frame"),
            Header { rsv: 1.., .. } if !(may_compress && header.is_compressed()) => {
                Some("a reserved bit")
            }
            Header {
                opcode: 3..=7 | 11..,
                ..
            } => Some("a reserved opcode"),
            Header {
                fin: false,
                opcode: 8..,
                ..
            } => Some("a fragmented control frame"),
            Header {
                payload_len: 126..,
                opcode: 8..,
                ..
            } => Some("a control frame longer than 125 bytes"),
            Header {
                opcode: CONTINUATION,
                ..
            } if self.fragments.is_none() => Some("nothing to continue"),
            Header {
                opcode: TEXT | BINARY,
                ..
            } if self.fragments.is_some() => Some("a message inside a message"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return self.protocol(wrong);
        }
        if header.is_control() {
            let payload = self.buffer[place].to_vec();
            self.control(header.opcode, &payload)?;
            return Ok(None);
        }
        if header.fin && header.opcode != CONTINUATION {
            return self.complete(header, Some(place));
        }
        if header.opcode != CONTINUATION {
            self.fragments = Some(header);
            self.assembled.clear();
        }
        self.assembled.extend_from_slice(&self.buffer[place]);
        match self.fragments {
            Some(first) if header.fin => {
                self.fragments = None;
                self.complete(first, None)
            }
            _ => Ok(None),
        }
    }

    fn complete(&mut self, first: Header, place: Option<Range<usize>>) -> Alive<Option<Message>> {
        let mut message = Message {
            opcode: first.opcode,
            place,
        };
        let wire_len = self.payload(&message).len();
        if first.is_compressed() {
            self.inflate(&mut message)?;
        }
        // Checked for diaries only: it costs a look at each byte.
        if self.pen.is_some() {
            let payload = self.payload(&message);
            let (kind, length) = (
                if message.opcode == TEXT {
                    "text"
                } else {
                    "binary"
                },
                payload.len(),
            );
            if message.opcode == TEXT && std::str::from_utf8(payload).is_err() {
                return self.protocol("text that is not UTF-8");
            }
            if !self.quiet {
                self.note(|| format!("{kind} {length}"));
                if first.is_compressed() {
                    self.note(|| format!("compressed {wire_len} {length}"));
                }
            }
        }
        Ok(Some(message))
    }

    fn inflate(&mut self, message: &mut Message) -> Alive {
        let payload = self.payload(message).to_vec();
        let inflated = match &mut self.deflate {
            Some(deflate) => deflate.inflate(&payload),
            None => Ok(payload),
        };
        match inflated {
            Ok(inflated) => {
                self.assembled = inflated;
                message.place = None;
                Ok(())
            }
            Err(wrong) => self.protocol(&format!("deflate: {wrong}")),
        }
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) -> Alive {
        match opcode {
            PING => {
                self.note(|| format!("ping {}", readable(payload)));
                if self.answers_pings {
                    self.push(true, PONG, payload)?;
                }
                Ok(())
            }
            PONG => {
                self.pongs += 1;
                self.note(|| format!("pong {}", readable(payload)));
                Ok(())
            }
            _ => self.closed_by_client(payload),
        }
    }

    /// The client broke the protocol: into the diary, 1002, over.
    fn protocol<T>(&mut self, what: &str) -> Alive<T> {
        self.note(|| format!("protocol {what}"));
        self.push(
            true,
            CLOSE,
            &frame::close_payload(Some(1002), what.as_bytes()),
        )?;
        self.flush()?;
        self.teardown(false)?;
        Err(Gone)
    }

    fn descriptor(&self) -> Option<RawFd> {
        self.pen.as_ref().map(Pen::descriptor)
    }

    /// False when the deadline passed.
    fn wait_readable(&mut self, deadline: Option<Instant>) -> Alive<bool> {
        if self.pen.is_none() && deadline.is_none() {
            return Ok(true);
        }
        loop {
            let ready = sys::wait(
                Some((&self.stream, true, false)),
                self.descriptor(),
                deadline,
            );
            if ready.command {
                self.obey()?;
            } else {
                return Ok(ready.readable);
            }
        }
    }

    fn receive(&mut self) -> Alive {
        self.make_room();
        let mut end = self.buffer.len();
        if let Some((bytes, ms)) = self.pace {
            end = end.min(self.unread.end + bytes);
            std::thread::sleep(Duration::from_millis(ms));
        }
        loop {
            match self.stream.read(&mut self.buffer[self.unread.end..end]) {
                Ok(0) => return self.over("eof"),
                Ok(count) => {
                    self.unread.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.over("lost"),
            }
        }
    }

    fn make_room(&mut self) {
        if self.unread.is_empty() {
            self.unread = 0..0;
        }
        let full = self.unread.end == self.buffer.len();
        if self.unread.start > 0 && (full || self.unread.start + self.wanted > self.buffer.len()) {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        // Grows only when it was filled: ten thousand idle connections keep their first buffer.
        let size = match self.buffer.len() {
            0 => FIRST_BUFFER,
            size if self.unread.end == size || (full && size < USUAL_BUFFER) => size * 2,
            size => size,
        };
        if size.max(self.wanted) > self.buffer.len() {
            self.buffer.resize(size.max(self.wanted), 0);
        }
    }

    fn over<T>(&mut self, how: &str) -> Alive<T> {
        self.note_total();
        self.note(|| how.to_owned());
        Err(Gone)
    }

    fn note_total(&mut self) {
        if let Some(total) = self.total.take() {
            self.note(|| format!("total {total}"));
        }
    }
}

/// Payloads of control frames as one word of a diary's line.
fn readable(payload: &[u8]) -> String {
    let mut text = String::new();
    for chunk in payload.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                let _ = write!(text, "%{:02x}", c as u32);
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}
