//! How a connection ends, pauses, and does what `/control` says.

use super::{Alive, Gone, Peer, readable};
use crate::diary::{Command, Pen};
use crate::frame::{self, CLOSE, PING};
use crate::sys;
use std::time::Instant;

/// How long the client may take to close TCP after the end.
const TEARDOWN_MS: u64 = 5000;

/// What it does about the client's close frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AtClose {
    Answer,
    /// Nothing, and leaves the end of TCP to the client.
    Hold,
    /// Leaves it to the behaviour, for which everything then is `Gone`.
    Leave,
}

impl Peer {
    /// Sends a close frame and serves until the client has answered it.
    pub fn close(&mut self, code: Option<u16>, reason: &[u8]) -> Alive {
        self.send_close(code, reason)?;
        loop {
            self.next(None)?;
        }
    }

    pub fn send_close(&mut self, code: Option<u16>, reason: &[u8]) -> Alive {
        self.close_sent = true;
        self.push(true, CLOSE, &frame::close_payload(code, reason))?;
        self.flush()
    }

    pub(super) fn closed_by_client(&mut self, payload: &[u8]) -> Alive {
        self.note_total();
        match payload {
            [] => self.note(|| "close none".to_owned()),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                self.note(|| {
                    format!("close {code} {}", readable(reason))
                        .trim_end()
                        .to_owned()
                });
                if !matches!(code, 1000..=1003 | 1007..=1011 | 3000..=4999)
                    || std::str::from_utf8(reason).is_err()
                {
                    self.note(|| format!("protocol a close frame with {code}"));
                }
            }
            [_] => self.note(|| "protocol a close frame of one byte".to_owned()),
        }
        if !self.unread.is_empty() {
            self.note(|| "protocol data after the close frame".to_owned());
        }
        match self.at_close {
            AtClose::Answer => {}
            AtClose::Hold => return self.hold(None),
            AtClose::Leave => return Err(Gone),
        }
        if !self.close_sent {
            self.close_sent = true;
            self.push(true, CLOSE, &payload[..payload.len().min(125)])?;
        }
        self.flush()?;
        if let Some(ms) = self.linger_ms {
            self.discard(Some(sys::in_ms(ms)), true)?;
            self.note(|| "end".to_owned());
        }
        self.teardown(true)
    }

    /// Ends TCP in order from this side and waits for the client to do so too. Always `Gone`.
    pub fn teardown(&mut self, silence_expected: bool) -> Alive {
        sys::finish_sending(&self.stream);
        self.discard(Some(sys::in_ms(TEARDOWN_MS)), silence_expected)?;
        Err(Gone)
    }

    /// Ends TCP with a reset. Always `Gone`.
    pub fn reset(&mut self) -> Alive {
        sys::reset_on_close(&self.stream);
        Err(Gone)
    }

    /// Reads and discards until the client ends TCP or the deadline passes.
    pub fn hold(&mut self, deadline: Option<Instant>) -> Alive {
        self.discard(deadline, false)
    }

    fn discard(&mut self, deadline: Option<Instant>, silence_expected: bool) -> Alive {
        let mut told = !silence_expected;
        while self.wait_readable(deadline)? {
            self.unread = 0..0;
            self.receive()?;
            if !std::mem::replace(&mut told, true) {
                self.note(|| "protocol data after the close frame".to_owned());
            }
        }
        Ok(())
    }

    /// Neither reads nor writes for a while, or until it is told to resume.
    pub fn pause(&mut self, deadline: Option<Instant>) -> Alive {
        while !self.resumed {
            let ready = sys::wait(None, self.descriptor(), deadline);
            if ready.command {
                self.obey()?;
            } else if ready.nothing() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn obey(&mut self) -> Alive {
        let Some(command) = self.pen.as_mut().and_then(Pen::take_command) else {
            return Ok(());
        };
        let result = self.perform(command);
        if let Some(pen) = &self.pen {
            pen.done();
        }
        result
    }

    pub(super) fn perform(&mut self, command: Command) -> Alive {
        match command {
            Command::Resume => self.resumed = true,
            Command::Drop => self.teardown(false)?,
            Command::Reset => self.reset()?,
            Command::Close(code) => self.send_close(Some(code), b"")?,
            Command::Ping => {
                self.push(true, PING, b"control")?;
                self.flush()?;
            }
        }
        Ok(())
    }
}
