//! What the library says about itself: silent, unless the environment or the host asks.
//!
//! Lines come from anywhere, also from under locks; the host's function must not. So lines for
//! the host wait here and are handed over by the runtime's thread, or by the host's own thread
//! when its call ends. Secrets never get this far: header values, user information and message
//! contents are not logged.

use crate::{
    host::{Hook, HostCall},
    runtime,
};
use log::{Level, LevelFilter, Log, Metadata, Record};
use once_cell::sync::Lazy;
use std::{
    collections::VecDeque,
    io::Write,
    sync::{Mutex, OnceLock, PoisonError, atomic::AtomicUsize, atomic::Ordering},
};

/// So many lines wait at most for a host that does not take them; then the oldest go.
const MOST: usize = 10_000;
/// So many are handed over at once at most; the runtime's thread goes on with the rest.
const AT_ONCE: usize = 100;
/// The environment variable that sends lines to standard error.
const VARIABLE: &str = "WDSOCKET_LOG";

struct Logger {
    /// What goes to standard error.
    stderr: LevelFilter,
    /// What goes to the host, as a number.
    host: AtomicUsize,
    waiting: Mutex<Waiting>,
    hook: Hook<(i32, String)>,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<(i32, String)>,
    delivering: bool,
    /// The runtime has been asked to deliver.
    asked: bool,
}

static LOGGER: Lazy<Logger> = Lazy::new(|| Logger {
    stderr: std::env::var(VARIABLE)
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::Off),
    host: AtomicUsize::new(0),
    waiting: Mutex::default(),
    hook: Hook::default(),
});

/// Sets the logger up. Called once.
pub(crate) fn start() {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    INSTALLED.get_or_init(|| log::set_logger(&*LOGGER).is_ok());
    LOGGER.update_level();
}

/// Hands lines of this level and more important ones to the host.
pub(crate) fn set_hook(function: Option<Box<dyn HostCall<(i32, String)>>>, level: i32) {
    let level = match function {
        Some(_) => level as usize,
        None => 0,
    };
    // The function first where there is one, the level first where there is none: no line
    // finds a level without a function.
    if level == 0 {
        LOGGER.host.store(0, Ordering::SeqCst);
        LOGGER.lock().lines.clear();
    }
    LOGGER.hook.set(function);
    LOGGER.host.store(level, Ordering::SeqCst);
    LOGGER.update_level();
}

/// Hands waiting lines to the host. Call it without a lock.
pub(crate) fn deliver() {
    if LOGGER.host.load(Ordering::Relaxed) > 0 {
        LOGGER.deliver();
    }
}

impl Logger {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host_level(&self) -> LevelFilter {
        LevelFilter::iter()
            .nth(self.host.load(Ordering::Relaxed))
            .unwrap_or(LevelFilter::Trace)
    }

    fn update_level(&self) {
        log::set_max_level(self.stderr.max(self.host_level()));
    }

    fn deliver(&self) {
        /// Lets the next deliver, also if the host's function does not return normally.
        struct Delivering<'a>(&'a Logger);
        impl Drop for Delivering<'_> {
            fn drop(&mut self) {
                self.0.lock().delivering = false;
            }
        }
        let mut waiting = self.lock();
        // One at a time, so that lines stay in order.
        if waiting.delivering || waiting.lines.is_empty() {
            return;
        }
        waiting.delivering = true;
        let delivering = Delivering(self);
        // Not what comes meanwhile, nor very many: a call of the host's would not end while others log.
        for _ in 0..AT_ONCE {
            let Some(line) = waiting.lines.pop_front() else {
                break;
            };
            drop(waiting);
            self.hook.call(line);
            waiting = self.lock();
        }
        drop(waiting);
        drop(delivering);
        self.ask();
    }

    /// Has the runtime deliver, if lines wait and nobody is about to.
    fn ask(&self) {
        let mut waiting = self.lock();
        if waiting.lines.is_empty() || waiting.delivering || waiting.asked {
            return;
        }
        waiting.asked = true;
        drop(waiting);
        let asked = Asked;
        // Where there is no runtime the task is dropped, and the next line asks again.
        runtime::spawn_detached(async move {
            drop(asked);
            deliver();
        });
    }
}

/// A request that is on its way, until it begins or the runtime drops it.
struct Asked;

impl Drop for Asked {
    fn drop(&mut self) {
        LOGGER.lock().asked = false;
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wdsocket")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = record.args().to_string().replace(['\r', '\n', '\0'], " ");
        if record.level() <= self.stderr {
            let level = record.level().as_str().to_ascii_lowercase();
            let _ = writeln!(std::io::stderr().lock(), "wdsocket {level}: {line}");
        }
        if record.level() <= self.host_level() {
            let level = match record.level() {
                Level::Error => 1,
                Level::Warn => 2,
                Level::Info => 3,
                Level::Debug => 4,
                Level::Trace => 5,
            };
            let mut waiting = self.lock();
            if waiting.lines.len() >= MOST {
                waiting.lines.pop_front();
            }
            waiting.lines.push_back((level, line));
            drop(waiting);
            self.ask();
        }
    }

    fn flush(&self) {}
}
