//! Dispatching, and how a host hears that there is something to dispatch.

use super::{
    args,
    callback::{CWakeup, UserData, WdSocketWakeup},
    count, truth,
};
use crate::{error::Error, host::HostCall, socket::events};
use std::ffi::c_void;

/// Runs waiting callbacks on the calling thread.
///
/// - `timeout_ms`: how long to wait for the first callback; 0 does not wait, negative waits without
///   limit.
/// - `max_events`: at most so many; 0 or less: those that were waiting when the first was taken, so
///   that callbacks which cause events cannot keep the host here for ever.
///
/// Returns how many callbacks it ran; 0 if none came in time, or if `SocketWake` or
/// `SocketShutdown` was called. `-WDSOCKET_E_BUSY`, and nothing run, while another thread dispatches
/// and inside a callback. What remains keeps the handle of `SocketDispatchHandle` signalled.
#[unsafe(no_mangle)]
pub extern "C" fn SocketDispatch(timeout_ms: i32, max_events: i32) -> isize {
    count(|| {
        #[cfg(windows)]
        events().note_choice();
        let most = usize::try_from(max_events).unwrap_or(0);
        events().dispatch(args::limit(timeout_ms), most)
    })
}

/// Makes the current or else the next `SocketDispatch` return as if its time had passed. From any
/// thread.
///
/// Returns 1.
#[unsafe(no_mangle)]
pub extern "C" fn SocketWake() -> isize {
    truth(|| {
        events().wake();
        Ok(())
    })
}

/// Waits until every callback that was running at the time of the call has returned. For hosts that
/// close a socket on another thread than the one that dispatches: after `SocketClose` no callback of
/// the connection starts, after `SocketSync` none runs, and what `user_data` points to can be freed.
///
/// - `timeout_ms`: how long to wait; 0 does not wait, negative waits without limit.
///
/// Returns 1; 0 with `WDSOCKET_E_TIMEOUT`, or inside a callback with `WDSOCKET_E_BUSY`.
#[unsafe(no_mangle)]
pub extern "C" fn SocketSync(timeout_ms: i32) -> isize {
    truth(|| events().sync(args::limit(timeout_ms)))
}

/// What a host's own event loop waits on: a file descriptor that is readable while callbacks wait
/// (poll, epoll, GLib, libuv, Qt), on Windows a manual-reset event (`MsgWaitForMultipleObjects`). The host then
/// calls `SocketDispatch(0, 0)`.
///
/// Level-triggered; may be signalled although nothing waits. The same value for the life of the
/// process. It is the library's own: never read from it, write to it, reset it or close it.
///
/// Returns the descriptor or `HANDLE`, or a negative error code.
#[unsafe(no_mangle)]
pub extern "C" fn SocketDispatchHandle() -> isize {
    count(|| {
        #[cfg(windows)]
        events().note_choice();
        events()
            .handle()
            .map(|handle| handle as usize)
            .map_err(|error| Error::io("cannot make a descriptor", &error))
    })
}

/// Sets the function that is called when callbacks begin to wait, for hosts whose loop can be woken
/// by a call but cannot wait on a descriptor.
///
/// - `wakeup`: called once when the queue stops being empty, not for each event; called again after a
///   `SocketDispatch` that left something; called at once if events already wait. It runs on a
///   thread of the library's, never under a lock and never inside a call of the host's. It must only
///   post to the host's own loop, which then calls `SocketDispatch`: no function of this library may
///   be called in it (`WDSOCKET_E_BUSY`), and while it runs no connection makes progress. NULL
///   removes it.
/// - `user_data`: handed to `wakeup`.
///
/// Returns 1. When it returns, the old function is not running and will not be called again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketSetWakeup(wakeup: WdSocketWakeup, user_data: *mut c_void) -> isize {
    truth(|| {
        #[cfg(windows)]
        events().note_choice();
        events().set_wakeup(wakeup.map(|wakeup| -> Box<dyn HostCall> {
            Box::new(CWakeup {
                wakeup,
                user_data: UserData(user_data),
            })
        }));
        Ok(())
    })
}

/// Windows only. Makes the calling thread's message loop dispatch by itself: callbacks run while it looks for
/// messages (`GetMessage` and `DispatchMessage`, a dialog, a message box), without a call of the host's.
///
/// The library makes a message-only window on the thread and posts to it, one message at a time, however many events
/// wait. Callbacks take turns with the thread's other messages: after 10 ms of callbacks, input and painting come
/// first. A message loop inside a callback (a message box) keeps the windows alive and runs no callback inside the
/// callback; what arrives meanwhile comes after it.
///
/// While a thread is attached, `SocketDispatch` on another is `-WDSOCKET_E_BUSY`. A second call, on another thread,
/// moves the attachment. It ends with the thread; events then wait for whoever dispatches next.
///
/// Without a call the first asynchronous connect on a thread that has a message queue attaches it, if the host has
/// called none of `SocketDispatch`, `SocketDispatchHandle`, `SocketSetWakeup`, `SocketPostToWindow` and
/// `SocketAttachThread` before. A later `SocketDispatch` on another thread ends such an automatic attachment.
///
/// Returns 1, or 0 if the window could not be made (`WDSOCKET_E_IO`).
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn SocketAttachThread() -> isize {
    truth(|| events().attach(work))
}

/// Windows only. Has a message of the host's posted to a window of the host's when callbacks begin to wait; the
/// window's procedure then calls `SocketDispatch(0, 0)`.
///
/// - `hwnd`: an `HWND`, of any thread. NULL ends it.
/// - `message`: 1 to 0xFFFF, best from `WM_APP` up or from `RegisterWindowMessage`. wParam and lParam are 0.
///
/// At most one message is outstanding: the next comes when something waits after the next `SocketDispatch`. One is
/// posted at once if events already wait. It ends by itself with the window.
///
/// Returns 1, or 0: `WDSOCKET_E_INVALID_ARGUMENT` if there is no such window or the number is none.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SocketPostToWindow(hwnd: *mut c_void, message: u32) -> isize {
    truth(|| events().post_to_window((!hwnd.is_null()).then_some((hwnd as isize, message))))
}

/// What the window of an attached thread does.
#[cfg(windows)]
fn work() -> bool {
    // Like every entry, with the panic boundary; the thread's error stays what it was.
    let before = super::last_error::Last::exchange(None);
    let more = super::run(|| Ok(events().work())).unwrap_or(false);
    super::last_error::Last::exchange(before);
    more
}

/// Attaches the calling thread if nobody has said who dispatches.
#[cfg(windows)]
pub(super) fn attach_automatically() {
    events().attach_automatically(work);
}
