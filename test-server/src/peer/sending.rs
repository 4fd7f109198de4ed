//! Sending: frames gathered into one write, large answers in place, messages compressed, commands obeyed meanwhile.

use super::{Alive, Message, Peer, USUAL_BUFFER};
use crate::diary::Command;
use crate::{frame, sys};
use std::io::{ErrorKind, Write};

/// Frames that wait to be written together.
const GATHER: usize = 64 << 10;
/// Longer messages are answered in place instead of being copied next to their neighbours.
const IN_PLACE: usize = 16 << 10;

impl Peer {
    /// Sends a message back as it came.
    pub fn send_back(&mut self, message: &Message) -> Alive {
        if self.deflate.is_some() {
            let payload = self.payload(message).to_vec();
            return self.send_message(message.opcode, payload);
        }
        match message.place.clone() {
            // The header of the answer fits where the client's, which has a mask, was.
            Some(place) if place.len() >= IN_PLACE => {
                self.flush()?;
                let (header, length) = frame::header(true, message.opcode, place.len());
                let start = place.start - length;
                self.buffer[start..place.start].copy_from_slice(&header[..length]);
                let buffer = std::mem::take(&mut self.buffer);
                let result = self.send_all(&buffer[start..place.end]);
                self.buffer = buffer;
                result
            }
            Some(place) => {
                frame::append(&mut self.out, true, message.opcode, &self.buffer[place]);
                self.flush_if_long()
            }
            None => {
                frame::append(&mut self.out, true, message.opcode, &self.assembled);
                self.flush_if_long()
            }
        }
    }

    /// Adds a message to what the next flush sends, compressed if that was agreed.
    pub fn send_message(&mut self, opcode: u8, payload: Vec<u8>) -> Alive {
        let (opcode, payload) = self.encoded(opcode, payload);
        self.push(true, opcode, &payload)
    }

    /// A message as it goes over the wire: its first frame's opcode, RSV1 included, and its payload.
    pub fn encoded(&mut self, opcode: u8, payload: Vec<u8>) -> (u8, Vec<u8>) {
        let compressed = match &mut self.deflate {
            Some(deflate) => deflate.compress(&payload),
            None => None,
        };
        match compressed {
            Some(compressed) => (opcode | frame::COMPRESSED, compressed),
            None => (opcode, payload),
        }
    }

    /// Adds a frame to what the next flush sends.
    pub fn push(&mut self, fin: bool, opcode: u8, payload: &[u8]) -> Alive {
        frame::append(&mut self.out, fin, opcode, payload);
        self.flush_if_long()
    }

    fn flush_if_long(&mut self) -> Alive {
        if self.out.len() >= GATHER {
            self.flush()
        } else {
            Ok(())
        }
    }

    pub fn flush(&mut self) -> Alive {
        if !self.out.is_empty() {
            let mut out = std::mem::take(&mut self.out);
            self.send_all(&out)?;
            out.clear();
            out.shrink_to(GATHER * 2);
            self.out = out;
        }
        for command in std::mem::take(&mut self.deferred) {
            self.perform(command)?;
        }
        Ok(())
    }

    /// Sends these bytes, whatever they are.
    pub fn send_all(&mut self, mut bytes: &[u8]) -> Alive {
        if self.pen.is_none() && !self.reads_while_sending {
            return self.stream.write_all(bytes).or_else(|_| self.over("lost"));
        }
        while !bytes.is_empty() {
            match sys::send_now(&self.stream, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait_writable()?,
                Err(_) => return self.over("lost"),
            }
        }
        Ok(())
    }

    fn wait_writable(&mut self) -> Alive {
        let read = self.reads_while_sending && self.unread.len() < USUAL_BUFFER;
        let ready = sys::wait(Some((&self.stream, read, true)), self.descriptor(), None);
        if read && ready.readable {
            self.receive()?;
        }
        if ready.command
            && let Some(pen) = &mut self.pen
            && let Some(command) = pen.take_command()
        {
            pen.done();
            match command {
                Command::Drop | Command::Reset | Command::Resume => self.perform(command)?,
                // A frame must not begin in the middle of the one that is being sent.
                Command::Close(_) | Command::Ping => self.deferred.push(command),
            }
        }
        Ok(())
    }
}
