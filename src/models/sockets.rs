//! The hand-over between host threads and the service task.

use super::*;
use crate::error::Code;
use shuttle::thread;

#[test]
fn a_reader_gets_every_message_in_order() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let sender = thread::spawn(move || {
            peer.peer_sends(&text("a"));
            // Two in one segment: the second must not be forgotten in the decoder.
            peer.peer_sends(&[text("b"), text("c")].concat());
        });
        for expected in ["a", "b", "c"] {
            assert_eq!(read(&socket).as_deref(), Some(expected));
        }
        sender.join().unwrap();
        socket.release(1000);
    });
}

#[test]
fn two_readers_share_the_messages_and_none_sleeps_while_there_are_any() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let other = socket.clone();
        let reader = thread::spawn(move || [read(&other), read(&other)]);
        peer.peer_sends(&[text("a"), text("b"), text("c"), text("d")].concat());
        let mut all = Vec::from([read(&socket), read(&socket)]);
        all.extend(reader.join().unwrap());
        all.sort();
        let expected = ["a", "b", "c", "d"].map(|text| Some(text.to_owned()));
        assert_eq!(all, expected);
        socket.release(1000);
    });
}

#[test]
fn whoever_takes_a_message_wakes_the_next_reader() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || read(&socket))
            })
            .collect();
        // One of the three takes all of it from the stream.
        peer.peer_sends(&[text("a"), text("b"), text("c")].concat());
        assert!(read(&socket).is_some());
        for reader in readers {
            assert!(reader.join().unwrap().is_some());
        }
        socket.release(1000);
    });
}

#[test]
fn a_reader_that_leaves_its_message_wakes_the_next() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let other = socket.clone();
        let asker = thread::spawn(move || {
            other.read(Wait::Forever, |message| Peek::Leave(message.data.len()))
        });
        let other = socket.clone();
        let reader = thread::spawn(move || read(&other));
        peer.peer_sends(&text("a"));
        peer.peer_sends(&text("b"));
        assert_eq!(asker.join().unwrap().unwrap(), Some(1));
        assert!(reader.join().unwrap().is_some());
        assert!(read(&socket).is_some());
        socket.release(1000);
    });
}

#[test]
fn closing_wakes_every_reader() {
    check(|| {
        let (socket, _peer) = open(Mode::Synchronous, settings());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || socket.read(Wait::Forever, |_| Peek::Leave(())))
            })
            .collect();
        socket.release(1000);
        for reader in readers {
            let error = reader.join().unwrap().unwrap_err();
            assert!(
                matches!(error.code, Code::Cancelled | Code::Closed),
                "{error}"
            );
        }
    });
}

#[test]
fn the_end_of_the_connection_wakes_every_reader_after_the_last_message() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let other = socket.clone();
        let reader = thread::spawn(move || {
            let mut count = 0;
            while read(&other).is_some() {
                count += 1;
            }
            count
        });
        peer.peer_sends(&text("a"));
        peer.peer_sends(&[text("b"), close_frame()].concat());
        let mut count = 0;
        while read(&socket).is_some() {
            count += 1;
        }
        assert_eq!(count + reader.join().unwrap(), 2);
        peer.peer_ends();
    });
}

#[test]
fn a_ping_is_answered_while_the_host_is_busy() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let sender = thread::spawn({
            let peer = peer.clone();
            move || peer.peer_sends(&text("a"))
        });
        // Waits, perhaps for so long that the service task has gone to sleep.
        assert!(read(&socket).is_some());
        sender.join().unwrap();
        peer.peer_sends(&frame(9, b"ping"));
        // Nobody reads any more: the service task must take over.
        while peer.sent().is_empty() {
            thread::yield_now();
        }
        assert_eq!(peer.sent()[0], 0x8a);
        // And the host must get the lead back.
        peer.peer_sends(&text("b"));
        assert_eq!(read(&socket).as_deref(), Some("b"));
        socket.release(1000);
    });
}

#[test]
fn a_full_receive_queue_loses_nothing_and_stops_nobody() {
    check(|| {
        let limits = Settings {
            receive_queue: 65,
            ..settings()
        };
        let (socket, peer) = open(Mode::Synchronous, limits);
        let sender = thread::spawn(move || {
            peer.peer_sends(&[text("a"), text("b"), text("c")].concat());
            peer.peer_sends(&[text("d"), close_frame()].concat());
        });
        for expected in ["a", "b", "c", "d"] {
            // Now and then the host is busy for longer.
            sys::now();
            assert_eq!(read(&socket).as_deref(), Some(expected));
        }
        assert_eq!(read(&socket), None);
        sender.join().unwrap();
    });
}

#[test]
fn a_writer_that_waits_for_room_gets_it() {
    check(|| {
        let limits = Settings {
            send_queue: 1,
            // The model's clock jumps.
            write_timeout: std::time::Duration::MAX,
            ..settings()
        };
        let (socket, peer) = open(Mode::Synchronous, limits);
        peer.set_room(0);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || {
                    socket.write(Kind::Text, b"x").unwrap();
                    socket.write(Kind::Text, b"y").unwrap();
                })
            })
            .collect();
        for _ in 0..8 {
            peer.set_room(3);
            thread::yield_now();
        }
        peer.set_room(1_000);
        for writer in writers {
            writer.join().unwrap();
        }
        while peer.sent().len() < 4 * 7 {
            thread::yield_now();
        }
        socket.release(1000);
    });
}

#[test]
fn closing_wakes_a_writer_that_waits_for_room() {
    check(|| {
        let limits = Settings {
            send_queue: 1,
            write_timeout: std::time::Duration::MAX,
            ..settings()
        };
        let (socket, peer) = open(Mode::Synchronous, limits);
        peer.set_room(0);
        let other = socket.clone();
        let writer = thread::spawn(move || {
            let first = other.write(Kind::Text, b"x");
            first.and_then(|()| other.write(Kind::Text, b"y"))
        });
        socket.release(1000);
        let error = writer.join().unwrap().unwrap_err();
        assert!(
            matches!(error.code, Code::Cancelled | Code::Closed),
            "{error}"
        );
        peer.set_room(1_000);
    });
}
