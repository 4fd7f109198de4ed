//! The send queue: frames that the system has not taken yet.

use crate::{
    protocol::{Control, Kind, Message, OpCode, encoder, encoder::Frame},
    stream::Stream,
    sync::{thread_local, with_local},
};
use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, IoSlice},
};

/// What each message in a queue counts beside its bytes.
pub(crate) const OVERHEAD: usize = 64;
/// A large frame is masked and sent in pieces of this size, a header and 1 MiB, so that no second buffer of the message's
/// size is needed. Smaller ones would stay in the cache, but each wakes the receiver: of 64 KiB they took twice the time.
/// (Of a thread's buffer only what its largest message has touched is in memory.)
const PIECE: usize = (1 << 20) + encoder::MAX_HEADER;
/// A message of at most this length is short.
pub(super) const SHORT: usize = 512;
/// So much is better sent by the thread that has it than copied into the queue.
pub(super) const MUCH: usize = 64 << 10;
/// Small frames that wait are gathered in chunks of this size.
const CHUNK: usize = 16 << 10;
/// So many chunks go to the system in one call.
const GATHER: usize = 16;

/// So many pongs wait at most; then only the latest ping is answered.
const PONGS: usize = 256;

thread_local! {
    static PIECES: RefCell<Pieces> = RefCell::new(Pieces::default());
}

/// A thread's buffer for what it sends.
struct Pieces(Box<[u8]>);

impl Default for Pieces {
    fn default() -> Self {
        Pieces(vec![0; PIECE].into())
    }
}

impl Pieces {
    /// The thread's, out of its place; a new one where that is empty.
    fn take() -> Box<[u8]> {
        let pieces = with_local(&PIECES, |pieces| std::mem::take(&mut pieces.0));
        match pieces.is_empty() {
            true => Pieces::default().0,
            false => pieces,
        }
    }

    fn put_back(self) {
        with_local(&PIECES, |pieces| *pieces = self);
    }
}

/// What the system has not taken of a frame that is being sent.
pub(crate) struct Rest<'a> {
    pieces: Box<[u8]>,
    /// The bytes to go next are these in `pieces`.
    begin: usize,
    end: usize,
    /// And then this.
    frame: Frame<'a>,
    is_begun: bool,
}

impl Rest<'_> {
    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.end - self.begin + self.frame.remaining()
    }

    /// What is to be sent next (not nothing, unless nothing is left), and whether more follows.
    pub fn next(&mut self) -> (&[u8], bool) {
        if self.begin == self.end {
            (self.begin, self.end) = (0, self.frame.write(&mut self.pieces));
        }
        let more = self.frame.remaining() > 0;
        (&self.pieces[self.begin..self.end], more)
    }

    /// So much of it has been sent.
    pub fn sent(&mut self, length: usize) {
        self.begin += length;
        self.is_begun |= length > 0;
    }

    /// All of it, to be queued. Nothing is left here.
    fn chunk(&mut self) -> Chunk {
        let mut bytes = vec![0; self.remaining()];
        let (first, second) = bytes.split_at_mut(self.end - self.begin);
        first.copy_from_slice(&self.pieces[self.begin..self.end]);
        self.begin = self.end;
        self.frame.write(second);
        let first = match self.is_begun {
            false => 0,
            true => bytes.len(),
        };
        Chunk {
            bytes,
            sent: 0,
            first,
        }
    }

    /// Gives the thread its buffer back.
    pub fn put_back(self) {
        Pieces(self.pieces).put_back();
    }
}

/// A message on its way out.
pub(crate) struct Outgoing<'a> {
    pub kind: Kind,
    /// Its bytes, compressed or not.
    pub payload: &'a [u8],
    pub is_compressed: bool,
    /// How long it was before that.
    pub length: usize,
    /// What it was before that, if another connection may have to send it.
    pub original: Option<&'a [u8]>,
}

impl<'a> Outgoing<'a> {
    /// A message that goes out as it is.
    pub fn plain(kind: Kind, payload: &'a [u8]) -> Self {
        Outgoing {
            kind,
            payload,
            is_compressed: false,
            length: payload.len(),
            original: None,
        }
    }
}

/// Bytes that wait, beginning at `sent`.
struct Chunk {
    bytes: Vec<u8>,
    sent: usize,
    /// Where the first frame begins that has its beginning here.
    first: usize,
}

/// Where a message ends in the stream of all bytes sent, and what it counts until then.
struct Mark {
    end: u64,
    size: usize,
}

/// The frames of one connection that wait for the system.
#[derive(Default)]
pub(crate) struct Outbox {
    chunks: VecDeque<Chunk>,
    marks: VecDeque<Mark>,
    /// All bytes ever given to the system.
    sent: u64,
    /// All bytes ever given to the system or queued.
    queued: u64,
    /// What the waiting messages count.
    cost: usize,
    /// Their bytes without the overhead.
    size: usize,
    /// Where the pongs that wait end. When there are many, `next_pong` holds the answer to the latest
    /// ping: answering only that is allowed (RFC 6455, section 5.5.3), and keeps a peer that
    /// pings without reading from filling the memory.
    pongs: VecDeque<u64>,
    next_pong: Option<Vec<u8>>,
    /// What the first frame that waits was before it was compressed, as long as the system has taken nothing
    /// of it.
    held: Option<Message>,
    /// Frames are queued, to be sent together.
    corked: bool,
    /// A thread is sending the rest of a frame by itself: what else is written is queued.
    is_away: bool,
}

impl Outbox {
    /// Whether everything is with the system.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.next_pong.is_none() && !self.is_away
    }

    /// Whether a thread is sending the rest of a frame by itself.
    pub fn is_away(&self) -> bool {
        self.is_away
    }

    /// What the waiting messages count: their bytes and [`OVERHEAD`] each.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// All bytes that wait.
    pub fn waiting(&self) -> usize {
        (self.queued - self.sent) as usize
    }

    /// The bytes of the messages that wait.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Bytes that the system has taken.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that the system has taken or that wait for it.
    pub fn queued(&self) -> u64 {
        self.queued
    }

    /// From here on frames are queued, until [`Outbox::flush`] sends them together.
    pub fn cork(&mut self) {
        self.corked = true;
    }

    /// From here on frames are sent again, behind what waits.
    pub fn uncork(&mut self) {
        self.corked = false;
    }

    /// Sends or queues a message in one frame. With `may_leave` the caller may get the rest of it, to send it itself.
    pub fn message<'a>(
        &mut self,
        stream: &mut Stream,
        message: &Outgoing<'a>,
        may_leave: bool,
    ) -> io::Result<Option<Rest<'a>>> {
        let opcode = message.kind.opcode();
        let Outgoing {
            payload,
            is_compressed,
            ..
        } = *message;
        let rest = self.frame(stream, opcode, payload, is_compressed, may_leave)?;
        if self.sent < self.queued {
            self.mark(message.length);
            let is_untouched = self.chunks.front().is_some_and(|chunk| chunk.first == 0);
            if let (Some(original), true) = (message.original, is_untouched) {
                self.held = Some(Message {
                    kind: message.kind,
                    data: original.to_vec(),
                });
            }
        }
        Ok(rest)
    }

    /// Sends a short message, uncompressed; nothing waits. What the system does not take is queued: false then.
    #[inline]
    pub fn short(&mut self, stream: &mut Stream, kind: Kind, payload: &[u8]) -> io::Result<bool> {
        self.send_short(stream, Frame::new(kind.opcode(), payload, false))?;
        if self.sent == self.queued {
            return Ok(stream.is_flushed());
        }
        self.mark(payload.len());
        Ok(false)
    }

    /// Sends a short frame; nothing waits. What the system does not take is queued. (The thread's buffer, which is
    /// large, is left alone: many threads never send more.)
    #[inline]
    fn send_short(&mut self, stream: &mut Stream, mut frame: Frame) -> io::Result<()> {
        let mut bytes = [0; encoder::MAX_HEADER + SHORT];
        let length = frame.write(&mut bytes);
        let bytes = &bytes[..length];
        let sent = match stream.send_piece(bytes, false) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        self.sent += sent as u64;
        self.queued += length as u64;
        if sent < length {
            let bytes = bytes[sent..].to_vec();
            let first = if sent == 0 { 0 } else { bytes.len() };
            self.chunks.push_back(Chunk {
                bytes,
                sent: 0,
                first,
            });
        }
        Ok(())
    }

    /// The message that was queued last is of this size.
    fn mark(&mut self, size: usize) {
        self.marks.push_back(Mark {
            end: self.queued,
            size,
        });
        self.size += size;
        self.cost += size + OVERHEAD;
    }

    /// Sends or queues a control frame. Not counted: there are few of them, by construction.
    pub fn control(
        &mut self,
        stream: &mut Stream,
        control: Control,
        payload: &[u8],
    ) -> io::Result<()> {
        self.frame(stream, OpCode::Control(control), payload, false, false)?;
        Ok(())
    }

    /// Answers a ping.
    pub fn pong(&mut self, stream: &mut Stream, payload: Vec<u8>) -> io::Result<()> {
        if self.pongs.len() >= PONGS {
            self.next_pong = Some(payload);
            return Ok(());
        }
        self.control(stream, Control::Pong, &payload)?;
        if self.sent < self.queued {
            self.pongs.push_back(self.queued);
        }
        Ok(())
    }

    /// Once the peer's close frame has come, its pings need no answer any more (RFC 6455, section 5.5.2).
    pub fn end_pongs(&mut self) {
        self.next_pong = None;
    }

    /// The rest that a caller had is of no more use.
    pub fn forget_rest(&mut self) {
        self.is_away = false;
    }

    /// Gives the system what it takes. True once nothing is left.
    pub fn flush(&mut self, stream: &mut Stream) -> io::Result<bool> {
        self.corked = false;
        if self.is_away {
            return Ok(false);
        }
        loop {
            while !self.chunks.is_empty() {
                let mut slices = [IoSlice::new(&[]); GATHER];
                let mut count = 0;
                for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
                    *slice = IoSlice::new(&chunk.bytes[chunk.sent..]);
                    count += 1;
                }
                match stream.send(&slices[..count]) {
                    Ok(length) => self.advance(length),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            match self.next_pong.take() {
                Some(payload) => self.pong(stream, payload)?,
                None => return stream.flush(),
            }
        }
    }

    /// Takes out the messages of which the system has taken nothing. But for the first they went in
    /// uncompressed. What has been begun stays, and so do control frames: this connection is about to end.
    pub fn take_unsent(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        if self.is_away {
            return messages;
        }
        let mut held = self.held.take();
        // How many bytes of what has been begun are left.
        let mut begun = 0;
        for chunk in &mut self.chunks {
            begun += chunk.first.saturating_sub(chunk.sent);
            let (mut from, mut to) = (chunk.first, chunk.first);
            while let Some(frame) = encoder::read_back(&chunk.bytes[from..]) {
                let end = from + frame.length;
                match held.take().or(frame.message) {
                    Some(message) if from >= chunk.sent => messages.push(message),
                    _ => {
                        if from < chunk.sent {
                            begun += end.saturating_sub(chunk.sent);
                        }
                        chunk.bytes.copy_within(from..end, to);
                        to += frame.length;
                    }
                }
                from = end;
            }
            chunk.bytes.truncate(to);
        }
        self.chunks.retain(|chunk| chunk.sent < chunk.bytes.len());
        let left = self
            .chunks
            .iter()
            .map(|chunk| chunk.bytes.len() - chunk.sent);
        self.queued = self.sent + left.sum::<usize>() as u64;
        self.pongs.clear();
        self.marks
            .retain(|mark| mark.end <= self.sent + begun as u64);
        self.size = self.marks.iter().map(|mark| mark.size).sum();
        self.cost = self.size + self.marks.len() * OVERHEAD;
        messages
    }

    /// Drops everything: the connection takes nothing more.
    pub fn clear(&mut self) {
        *self = Outbox {
            sent: self.sent,
            queued: self.sent,
            is_away: self.is_away,
            ..Outbox::default()
        };
    }

    /// Sends or queues a frame. What the system does not take of it at once is queued, too, unless it is much and
    /// `may_leave`: the caller then has it ([`Outbox::take_back`]).
    fn frame<'a>(
        &mut self,
        stream: &mut Stream,
        opcode: OpCode,
        payload: &'a [u8],
        is_compressed: bool,
        may_leave: bool,
    ) -> io::Result<Option<Rest<'a>>> {
        if self.corked || self.is_away || !self.chunks.is_empty() {
            self.queue(opcode, payload, is_compressed);
            return Ok(None);
        }
        let mut frame = Frame::new(opcode, payload, is_compressed);
        if payload.len() <= SHORT {
            return self.send_short(stream, frame).map(|()| None);
        }
        let mut pieces = Pieces::take();
        let mut is_begun = false;
        loop {
            let length = frame.write(&mut pieces);
            let sent = match send_all(stream, &pieces[..length], frame.remaining() > 0) {
                Ok(sent) => sent,
                Err(error) => {
                    Pieces(pieces).put_back();
                    return Err(error);
                }
            };
            self.sent += sent as u64;
            self.queued += sent as u64;
            is_begun |= sent > 0;
            if sent == length && frame.remaining() > 0 {
                continue;
            }
            let mut rest = Rest {
                pieces,
                begin: sent,
                end: length,
                frame,
                is_begun,
            };
            // The system takes no more now.
            if rest.remaining() >= MUCH && may_leave {
                self.queued += rest.remaining() as u64;
                self.is_away = true;
                return Ok(Some(rest));
            }
            if rest.remaining() > 0 {
                self.queued += rest.remaining() as u64;
                self.chunks.push_back(rest.chunk());
            }
            rest.put_back();
            return Ok(None);
        }
    }

    /// A caller has sent so much of the rest that it had, and gives back what is left.
    pub fn take_back(&mut self, sent: usize, rest: &mut Rest) {
        self.is_away = false;
        self.sent += sent as u64;
        match rest.remaining() {
            // What has been queued meanwhile takes note of what was sent before it.
            0 => self.advance(0),
            _ => self.chunks.push_front(rest.chunk()),
        }
    }

    /// Appends a frame to what waits.
    fn queue(&mut self, opcode: OpCode, payload: &[u8], is_compressed: bool) {
        let length = encoder::MAX_HEADER + payload.len();
        let has_room = |chunk: &Chunk| chunk.bytes.capacity() - chunk.bytes.len() >= length;
        if !self.chunks.back().is_some_and(has_room) {
            self.chunks.push_back(Chunk {
                bytes: Vec::with_capacity(length.max(CHUNK)),
                sent: 0,
                first: 0,
            });
        }
        if let Some(Chunk { bytes, .. }) = self.chunks.back_mut() {
            let before = bytes.len();
            Frame::new(opcode, payload, is_compressed).append(bytes);
            self.queued += (bytes.len() - before) as u64;
        }
    }

    /// Appends whole frames to what waits; for each where it ends among them, and how long its message is.
    pub fn push_frames(&mut self, bytes: Vec<u8>, messages: &[(usize, usize)]) {
        for (end, size) in messages {
            self.marks.push_back(Mark {
                end: self.queued + *end as u64,
                size: *size,
            });
            self.size += size;
            self.cost += size + OVERHEAD;
        }
        self.queued += bytes.len() as u64;
        self.chunks.push_back(Chunk {
            bytes,
            sent: 0,
            first: 0,
        });
    }

    /// Takes note that the system took `length` bytes from the front.
    fn advance(&mut self, mut length: usize) {
        self.held = None;
        self.sent += length as u64;
        while let Some(chunk) = self.chunks.front_mut() {
            let left = chunk.bytes.len() - chunk.sent;
            if length < left {
                chunk.sent += length;
                break;
            }
            length -= left;
            self.chunks.pop_front();
        }
        if self.chunks.is_empty() {
            // An idle connection holds nothing: not what a full queue needed either.
            self.chunks = VecDeque::new();
            self.pongs = VecDeque::new();
            self.marks.clear();
            self.marks.shrink_to(0);
            (self.size, self.cost) = (0, 0);
            return;
        }
        while self.pongs.front().is_some_and(|end| *end <= self.sent) {
            self.pongs.pop_front();
        }
        while let Some(mark) = self.marks.front() {
            if mark.end > self.sent {
                break;
            }
            self.size -= mark.size;
            self.cost -= mark.size + OVERHEAD;
            self.marks.pop_front();
        }
    }
}

/// Sends until all is sent or the system takes no more; returns how much it took.
fn send_all(stream: &mut Stream, bytes: &[u8], more: bool) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.send_piece(&bytes[sent..], more) {
            Ok(length) => sent += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
