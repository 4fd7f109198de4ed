//! What `SocketInfo` shows.

use super::{Ended, Socket};
use crate::{
    error::{Code, Error},
    sync::lock,
};

/// The items that are there. The numbers are the `WDSOCKET_INFO_…` constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Item {
    Protocol = 1,
    Extensions = 2,
    RemoteAddress = 3,
    CloseCode = 4,
    CloseReason = 5,
    HttpStatus = 6,
    ResponseHeaders = 7,
    Tls = 8,
    BytesIn = 9,
    BytesOut = 10,
    MessagesIn = 11,
    MessagesOut = 12,
    QueuedIn = 13,
    QueuedOut = 14,
    PingMs = 15,
    Url = 16,
    LastError = 17,
    PeerCertificate = 18,
    Proxy = 19,
    Reconnections = 20,
    WireBytesIn = 21,
    WireBytesOut = 22,
}

impl Item {
    /// The item with this number.
    pub fn from_number(number: i32) -> Option<Item> {
        use Item::*;
        [
            Protocol,
            Extensions,
            RemoteAddress,
            CloseCode,
            CloseReason,
            HttpStatus,
            ResponseHeaders,
            Tls,
            BytesIn,
            BytesOut,
            MessagesIn,
            MessagesOut,
            QueuedIn,
            QueuedOut,
            PingMs,
            Url,
            LastError,
            PeerCertificate,
            Proxy,
            Reconnections,
            WireBytesIn,
            WireBytesOut,
        ]
        .into_iter()
        .find(|item| *item as i32 == number)
    }
}

impl Socket {
    /// An item as text; empty where there is nothing to say (yet). `ended`: of this connection, which there may
    /// be no more, as far as it is known.
    pub fn info(&self, item: Item, ended: Option<&Ended>) -> String {
        let core = lock(&self.core);
        let ended = ended.or(core.ended.as_deref());
        let (answer, remote) = match ended {
            Some(ended) => (&ended.answer, &ended.remote),
            None => (&core.answer, &core.remote),
        };
        let outbox = core.link.as_ref().map(|link| &link.outbox);
        match item {
            Item::Protocol => answer.protocol.clone(),
            Item::Extensions => match &answer.deflate {
                Some(agreement) => agreement.to_string(),
                None => String::new(),
            },
            Item::RemoteAddress => remote.to_string(),
            Item::CloseCode => match ended {
                Some(ended) => ended.ending.code.to_string(),
                None => String::new(),
            },
            Item::CloseReason => match ended {
                Some(ended) => ended.ending.reason.clone(),
                None => String::new(),
            },
            Item::HttpStatus => match answer.status {
                0 => String::new(),
                status => status.to_string(),
            },
            Item::ResponseHeaders => answer.headers.clone(),
            Item::Tls => answer.tls.clone(),
            Item::PeerCertificate => crate::tls::describe_certificate(&answer.certificate),
            Item::Proxy => answer.proxy.clone(),
            Item::Reconnections => core.again.count.to_string(),
            Item::BytesIn => core.counters.bytes_in.to_string(),
            Item::BytesOut => core.counters.bytes_out.to_string(),
            Item::MessagesIn => core.counters.messages_in.to_string(),
            Item::MessagesOut => core.counters.messages_out.to_string(),
            Item::QueuedIn => self.received.bytes().to_string(),
            Item::QueuedOut => {
                (outbox.map_or(0, |outbox| outbox.size()) + core.again.size()).to_string()
            }
            Item::PingMs => match core.keepalive.round_trip() {
                Some(time) => format!("{:.3}", time.as_secs_f64() * 1e3),
                None => String::new(),
            },
            // Another one after a redirection.
            Item::Url if !answer.url.is_empty() => answer.url.clone(),
            Item::Url => self.url.to_string(),
            Item::LastError => match ended {
                Some(ended) => {
                    let what = ended.ending.what.clone();
                    self.about(Error::new(Code::Closed, what)).message.into()
                }
                None => String::new(),
            },
            Item::WireBytesIn => core.counters.wire_in.to_string(),
            Item::WireBytesOut => {
                (core.counters.wire_out + outbox.map_or(0, |outbox| outbox.sent())).to_string()
            }
        }
    }
}
