//! The hand-over between host threads and the service task.

use super::*;
use crate::socket::State;
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
        let asker =
            thread::spawn(move || other.read(Wait::Forever, |_, data| Peek::Leave(data.len())));
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
                thread::spawn(move || socket.read(Wait::Forever, |_, _| Peek::Leave(())))
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

/// A reader that waits while the connection comes up gets what comes, and afterwards the service task answers.
fn expect_message_and_pong(
    socket: Arc<Socket>,
    peer: &sys::Socket,
    reader: thread::JoinHandle<Option<String>>,
) {
    peer.peer_sends(&text("a"));
    assert_eq!(reader.join().unwrap().as_deref(), Some("a"));
    let before = peer.sent().len();
    peer.peer_sends(&frame(9, b"ping"));
    while peer.sent().len() == before {
        thread::yield_now();
    }
    socket.release(1000);
}

#[test]
fn a_reader_may_wait_while_the_connection_opens() {
    check(|| {
        let (socket, [peer]) = connect(Mode::Synchronous, settings());
        let other = socket.clone();
        let reader = thread::spawn(move || read(&other));
        socket.wait_until_open().unwrap();
        expect_message_and_pong(socket, &peer, reader);
    });
}

#[test]
fn a_reader_may_wait_while_another_call_gets_the_connection_back() {
    check(|| {
        let (socket, [first, second]) = connect(Mode::Synchronous, reconnecting());
        socket.wait_until_open().unwrap();
        first.peer_ends();
        assert_eq!(read(&socket), None);
        let other = socket.clone();
        let reader = thread::spawn(move || read(&other));
        socket.write(Kind::Text, b"x").unwrap();
        assert_eq!(second.sent().len(), 7);
        expect_message_and_pong(socket, &second, reader);
    });
}

#[test]
fn an_attempt_that_nobody_waits_for_goes_on() {
    check(|| {
        let (socket, [first, second]) = connect(Mode::Synchronous, reconnecting());
        socket.wait_until_open().unwrap();
        first.peer_ends();
        assert_eq!(read(&socket), None);
        // Only begins it.
        let looked = socket.read(Wait::No, |_, _| Peek::Leave(()));
        assert!(looked.unwrap().is_none());
        socket.write(Kind::Text, b"x").unwrap();
        assert_eq!(second.sent().len(), 7);
        second.peer_ends();
        assert_eq!(read(&socket), None);
        // Who began it may not be who hears of it.
        let error = socket.write(Kind::Text, b"x").unwrap_err();
        assert_eq!(error.code, Code::Refused);
        socket.release(1000);
    });
}

#[test]
fn what_is_written_around_a_loss_arrives_once_and_in_order() {
    check(|| {
        let diary = Diary::default();
        let mode = Mode::Callback(Box::new(diary.clone()));
        let (socket, [first, second]) = connect(mode, reconnecting());
        dispatch_until(&diary, "opening");
        first.set_room(7);
        let (other, peer) = (socket.clone(), first.clone());
        let writer = thread::spawn(move || {
            for payload in [b"a", b"b", b"c", b"d"] {
                other.write(Kind::Text, payload).unwrap();
            }
        });
        match shuttle::rand::Rng::gen_bool(&mut shuttle::rand::thread_rng(), 0.5) {
            true => peer.peer_ends(),
            // The close frame's answer takes 8 bytes.
            false => peer.peer_sends(&close_frame()),
        }
        writer.join().unwrap();
        while socket.state() == State::Open {
            thread::yield_now();
        }
        first.set_room(8);
        while diary
            .lines()
            .iter()
            .filter(|line| *line == "opening")
            .count()
            < 2
        {
            events().dispatch(None, 0).unwrap();
        }
        let mut all = written(&first.sent());
        let early = all.len();
        while all.len() < 4 {
            thread::yield_now();
            all.truncate(early);
            all.extend(written(&second.sent()));
        }
        assert_eq!(all, ["a", "b", "c", "d"]);
        socket.release(1000);
    });
}

#[test]
fn closing_cancels_a_reader_that_receives_the_answer_itself() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let other = socket.clone();
        let reader = thread::spawn(move || other.read(Wait::Forever, |_, _| Peek::Leave(())));
        let server = thread::spawn(move || {
            while peer.sent().is_empty() {
                thread::yield_now();
            }
            peer.peer_sends(&close_frame());
        });
        socket.release(1000);
        let error = reader.join().unwrap().unwrap_err();
        assert_eq!(error.code, Code::Cancelled, "{error}");
        server.join().unwrap();
    });
}

/// Pings at once, and gives up soon.
fn pinging() -> Settings {
    let soon = Some(std::time::Duration::from_millis(1));
    Settings {
        ping_interval: soon,
        pong_timeout: std::time::Duration::from_millis(1),
        ..settings()
    }
}

#[test]
fn a_missing_pong_ends_the_wait_of_every_reader() {
    check(|| {
        let (socket, _peer) = open(Mode::Synchronous, pinging());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || read(&socket))
            })
            .collect();
        assert_eq!(read(&socket), None);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), None);
        }
    });
}

#[test]
fn a_missing_pong_is_noticed_while_a_reader_comes_back_again_and_again() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, pinging());
        let other = socket.clone();
        let reader = thread::spawn(move || while read(&other).is_some() {});
        while socket.state() == State::Open {
            // Each time it comes back it waits by itself again.
            peer.peer_sends(&text("a"));
            thread::yield_now();
        }
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_that_gives_up_leaves_the_wait_to_those_behind_it() {
    check(|| {
        let (socket, peer) = open(Mode::Synchronous, settings());
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let socket = socket.clone();
                thread::spawn(move || read(&socket))
            })
            .collect();
        let limit = Wait::For(std::time::Duration::from_millis(60));
        let seen = socket.read(limit, |_, _| Peek::Leave(())).unwrap();
        peer.peer_sends(&text("a"));
        peer.peer_sends(&text("b"));
        for reader in readers {
            assert!(reader.join().unwrap().is_some());
        }
        assert_eq!(seen, None);
        socket.release(1000);
    });
}

#[test]
fn a_send_that_fails_beside_a_reader_ends_its_wait_after_the_last_message() {
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
        peer.break_sending();
        let _ = socket.write(Kind::Text, b"x");
        assert_eq!(reader.join().unwrap(), 1);
    });
}
