//! What the server saw, by the `id` that the test gave the connection, and commands to it.

use std::collections::{HashMap, VecDeque};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub enum Command {
    Resume,
    Close(u16),
    Drop,
    Reset,
    Ping,
}

#[derive(Default)]
struct Diary {
    lines: Vec<String>,
    /// The newest connection with this id, while it lives.
    live: Option<Live>,
    connections: u64,
}

struct Live {
    number: u64,
    commands: VecDeque<Command>,
    wake: PipeWriter,
}

static DIARIES: LazyLock<Mutex<HashMap<String, Diary>>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

fn diaries() -> MutexGuard<'static, HashMap<String, Diary>> {
    DIARIES
        .lock()
        .expect("nothing panics while it writes a diary")
}

/// A connection's pen: writes into the diary of its id and takes its commands.
pub struct Pen {
    id: String,
    number: u64,
    woken: PipeReader,
    /// Keeps the pipe whole when a newer connection has this id: a broken one would be readable for ever.
    _wake: PipeWriter,
}

impl Pen {
    pub fn new(id: String) -> std::io::Result<Pen> {
        let (woken, wake) = std::io::pipe()?;
        let own = wake.try_clone()?;
        let mut diaries = diaries();
        let diary = diaries.entry(id.clone()).or_default();
        diary.connections += 1;
        let number = diary.connections;
        diary.live = Some(Live {
            number,
            commands: VecDeque::new(),
            wake,
        });
        CHANGED.notify_all();
        Ok(Pen {
            id,
            number,
            woken,
            _wake: own,
        })
    }

    pub fn write(&self, line: String) {
        if let Some(diary) = diaries().get_mut(&self.id) {
            diary.lines.push(line);
        }
        CHANGED.notify_all();
    }

    /// Readable while a command waits.
    pub fn descriptor(&self) -> RawFd {
        self.woken.as_raw_fd()
    }

    pub fn take_command(&mut self) -> Option<Command> {
        // One byte for each command, so that this never waits when the descriptor was readable.
        let _ = self.woken.read(&mut [0]);
        let mut diaries = diaries();
        let live = diaries.get_mut(&self.id)?.live.as_mut()?;
        if live.number == self.number {
            live.commands.pop_front()
        } else {
            None
        }
    }

    /// The command is done: who asked for it may go on.
    pub fn done(&self) {
        CHANGED.notify_all();
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        if let Some(diary) = diaries().get_mut(&self.id)
            && diary
                .live
                .as_ref()
                .is_some_and(|live| live.number == self.number)
        {
            diary.live = None;
        }
        CHANGED.notify_all();
    }
}

/// Tells the newest connection of `id`, which may still have to come, to do something; returns when
/// it has taken the command. False if there was none in time.
pub fn command(id: &str, command: Command, deadline: Instant) -> bool {
    let mut diaries = diaries();
    let mut given = None;
    loop {
        let live = diaries.get_mut(id).and_then(|diary| diary.live.as_mut());
        match (given, live) {
            (None, Some(live)) => {
                live.commands.push_back(command);
                given = live.wake.write_all(&[0]).is_ok().then_some(live.number);
            }
            // Taken, or the connection has ended meanwhile.
            (Some(number), live)
                if live
                    .as_ref()
                    .is_none_or(|l| l.number != number || l.commands.is_empty()) =>
            {
                return true;
            }
            _ => {}
        }
        match left(deadline) {
            None => return false,
            Some(left) => diaries = CHANGED.wait_timeout(diaries, left).expect("as above").0,
        }
    }
}

/// The diary as text, as soon as `count` of its lines begin with `word`, or when the time is over.
pub fn report(id: &str, word: &str, count: usize, deadline: Instant) -> String {
    let mut diaries = diaries();
    loop {
        let lines = diaries.get(id).map_or(&[][..], |diary| &diary.lines);
        let found = lines.iter().filter(|line| line.starts_with(word)).count();
        let left = left(deadline);
        if (word.is_empty() || found >= count) || left.is_none() {
            return lines
                .iter()
                .fold(String::new(), |text, line| text + line + "\n");
        }
        diaries = CHANGED
            .wait_timeout(diaries, left.unwrap_or_default())
            .expect("as above")
            .0;
    }
}

fn left(deadline: Instant) -> Option<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
}
