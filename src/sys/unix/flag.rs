//! The descriptor that a host's own loop waits on.

use super::bell::new_eventfd;
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsRawFd,
};

/// A level-triggered flag: its descriptor is readable while it is raised.
#[derive(Debug)]
pub(crate) struct Flag {
    file: File,
}

impl Flag {
    /// A lowered flag.
    pub fn new() -> io::Result<Self> {
        Ok(Flag {
            file: new_eventfd()?.into(),
        })
    }

    /// The number that the host waits on.
    pub fn handle(&self) -> isize {
        self.file.as_raw_fd() as isize
    }

    /// Makes it readable.
    pub fn raise(&self) {
        let _ = (&self.file).write(&1u64.to_ne_bytes());
    }

    /// Makes it unreadable.
    pub fn lower(&self) {
        let _ = (&self.file).read(&mut [0; 8]);
    }
}
