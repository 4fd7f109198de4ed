//! The C interface: each function is its arguments, one call into the library, and its result.
//!
//! Here `unsafe` ends. What stands in the doc comments of the functions becomes
//! `include/wdsocket.h`.

#![allow(non_snake_case)]
// What a pointer must point to is said once, in the header's introduction, for all functions.
#![allow(clippy::missing_safety_doc)]

mod args;
mod callback;
mod closing;
mod connecting;
mod constants;
mod events;
mod french;
mod last_error;
mod looking;
mod options;
mod reading;
mod text;
#[cfg(windows)]
mod wide;
mod writing;

#[cfg(windows)]
pub use self::wide::*;
pub use self::{
    closing::*, connecting::*, constants::*, events::*, french::*, last_error::*, looking::*,
    options::*, reading::*, writing::*,
};

use crate::{
    error::{Code, Error, Result},
    host, logging, sys,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

/// Runs what a function does: sets the thread's error, keeps panics in, keeps callers out that may
/// not call.
fn run<T>(function: impl FnOnce() -> Result<T>) -> Result<T> {
    static START: Once = Once::new();

    // Before any lock, and before `START`: the child of a fork has the locks as they were.
    if sys::is_forked() {
        return last_error::set(Err(Error::new(
            Code::Forked,
            "the library cannot be used in a child of fork; start a new program with exec",
        )));
    }
    if host::is_inside() {
        return last_error::set(Err(Error::new(
            Code::Busy,
            "no function may be called inside a wake-up or a log function",
        )));
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        START.call_once(|| {
            sys::pin_library();
            sys::watch_for_fork();
            logging::start();
        });
        function()
    }))
    .unwrap_or_else(|panic| Err(internal(&*panic)));
    logging::deliver();
    last_error::set(result)
}

/// A panic as an error.
fn internal(panic: &(dyn std::any::Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    Error::new(
        Code::Internal,
        format!("a defect in the library, please report it: {what}"),
    )
}

/// For functions that return 1 or 0.
fn truth(function: impl FnOnce() -> Result<()>) -> isize {
    run(function).is_ok().into()
}

/// For functions that return a count, a length or a handle, or a negative error code.
fn count(function: impl FnOnce() -> Result<usize>) -> isize {
    match run(function) {
        Ok(count) => count as isize,
        Err(error) => -(error.code as isize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn message() -> String {
        // SAFETY: the pointer is valid until the thread's next call.
        unsafe { CStr::from_ptr(SocketErrorMessage()) }
            .to_string_lossy()
            .into_owned()
    }

    #[test]
    fn a_panic_becomes_an_internal_error_and_the_next_call_works() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(truth(|| panic!("on {}", "purpose")), 0);
        std::panic::set_hook(hook);
        assert_eq!(SocketErrorCode(), Code::Internal as isize);
        assert!(message().contains("on purpose"), "{}", message());
        assert_eq!(count(|| Ok(3)), 3);
        assert_eq!((SocketErrorCode(), message().as_str()), (0, ""));
    }

    #[test]
    fn a_failed_count_is_the_negative_code() {
        assert_eq!(count(|| Err(Error::new(Code::Timeout, "late"))), -5);
        assert_eq!((SocketErrorCode(), message().as_str()), (5, "late"));
    }
}
