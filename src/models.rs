//! Models: the real code of sockets, events and the lead, run by shuttle under many schedules with
//! the world of `sys::model` (`docs/models.md`). `make model` runs them.
//!
//! A wake-up that is lost is a deadlock here, and shuttle reports the schedule.

mod events;
mod gathering;
mod lead;
mod sockets;

use crate::{
    error::{Code, Error},
    options::Settings,
    protocol::Kind,
    runtime,
    socket::{Answer, Handler, Living, Mode, Peek, Socket, Telling, Told, Upgraded, Wait, events},
    stream::Stream,
    sync::{Arc, Mutex, lock},
    sys,
};

/// Schedules for each model.
fn schedules() -> usize {
    std::env::var("WDSOCKET_SCHEDULES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000)
}

/// Runs a model under random schedules, then under those that favour rare preemptions.
fn check(model: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(model.clone(), schedules());
    shuttle::check_pct(model, schedules(), 3);
}

/// An unmasked frame, as a server sends it.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode, payload.len() as u8];
    bytes.extend_from_slice(payload);
    bytes
}

fn text(payload: &str) -> Vec<u8> {
    frame(1, payload.as_bytes())
}

/// A close frame with code 1000.
fn close_frame() -> Vec<u8> {
    frame(8, &1000u16.to_be_bytes())
}

/// Time limits and pings are not what the models are about; the queue limits are small.
fn settings() -> Settings {
    Settings {
        ping_interval: None,
        ..Settings::default()
    }
}

/// A connection that is coming up, and the peers' ends of it and of those after it; further attempts fail.
fn connect<const N: usize>(mode: Mode, settings: Settings) -> (Arc<Socket>, [Arc<sys::Socket>; N]) {
    let peers: [Arc<sys::Socket>; N] = std::array::from_fn(|_| Arc::default());
    (connect_to(mode, settings, peers.clone()), peers)
}

/// The same with the peers' ends given.
fn connect_to<const N: usize>(
    mode: Mode,
    settings: Settings,
    peers: [Arc<sys::Socket>; N],
) -> Arc<Socket> {
    let socket = Socket::new("s", "ws://model/", mode, settings);
    let mut next = peers.into_iter();
    let attempt = move |_: &std::sync::Arc<Settings>| {
        let upgraded = next.next().map(|peer| Upgraded {
            stream: Stream::direct(peer),
            registration: None,
            answer: Answer::default(),
            remote: String::new(),
            early: Vec::new(),
        });
        let refused = || (Answer::default(), Error::new(Code::Refused, "refused"));
        std::future::ready(upgraded.ok_or_else(refused))
    };
    runtime::spawn(|life| Living::new(life, socket.clone(), attempt).live(false)).unwrap();
    socket
}

/// With reconnecting, after hardly any time.
fn reconnecting() -> Settings {
    Settings {
        reconnect_min: std::time::Duration::from_millis(1),
        reconnect_max: std::time::Duration::from_millis(1),
        ..settings()
    }
}

/// An open connection and the peer's end of it.
fn open(mode: Mode, settings: Settings) -> (Arc<Socket>, Arc<sys::Socket>) {
    let (socket, [peer]) = connect(mode, settings);
    socket.wait_until_open().unwrap();
    (socket, peer)
}

/// Reads one message, waiting without limit; `None` once the connection has ended.
fn read(socket: &Arc<Socket>) -> Option<String> {
    let take = |kind: Kind, data: &[u8]| {
        assert_eq!(kind, Kind::Text);
        Peek::Take(String::from_utf8(data.to_vec()).unwrap())
    };
    socket.read(Wait::Forever, take).ok().flatten()
}

/// Writes down what it hears.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn lines(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|other| other == line)
    }

    fn write(&self, told: Told<'_>) {
        let line = match told {
            Told::Opening => "opening".to_owned(),
            Told::Message(_, [text @ .., 0]) => String::from_utf8(text.to_vec()).unwrap(),
            Told::Message(..) => panic!("no NUL"),
            Told::Closing(ended) => format!("closing {}", ended.code()),
            Told::Error(error, _) => format!("error {}", error.code as i32),
            Told::Writable => "writable".to_owned(),
        };
        lock(&self.0).push(line);
    }
}

impl Handler for Diary {
    fn call(&self, _socket: &Arc<Socket>, telling: &mut Telling<'_, '_>) {
        while let Some(told) = telling.next() {
            self.write(told);
        }
    }
}

/// Dispatches, waiting without limit, until the diary has this line.
fn dispatch_until(diary: &Diary, line: &str) {
    while !diary.has(line) {
        events().dispatch(None, 0).unwrap();
    }
}

/// The whole messages of one byte each among masked frames.
fn written(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while let [head, length, rest @ ..] = bytes {
        let length = usize::from(length & 0x7f);
        if rest.len() < 4 + length {
            break;
        }
        if head & 15 == 1 {
            messages.push(char::from(rest[0] ^ rest[4]).to_string());
        }
        bytes = &rest[4 + length..];
    }
    messages
}
