//! Message-only windows, and posting to windows of the host's.

use std::{
    io,
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    ptr::{null, null_mut},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};
use windows_sys::{
    Win32::{
        Foundation::{
            DUPLICATE_SAME_ACCESS, DuplicateHandle, ERROR_INVALID_WINDOW_HANDLE, GetLastError,
            HWND, LPARAM, LRESULT, WAIT_OBJECT_0, WPARAM,
        },
        System::{
            LibraryLoader::{GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GetModuleHandleExW},
            Threading::{
                GetCurrentProcess, GetCurrentThread, GetCurrentThreadId, WaitForSingleObject,
            },
        },
        UI::WindowsAndMessaging::{
            CREATESTRUCTW, CreateWindowExW, DefWindowProcW, DestroyWindow, GWLP_USERDATA,
            GetQueueStatus, GetWindowLongPtrW, HWND_MESSAGE, IsWindow, KillTimer, PostMessageW,
            QS_INPUT, QS_PAINT, QS_TIMER, RegisterClassW, RegisterWindowMessageW, SetTimer,
            SetWindowLongPtrW, WM_NCCREATE, WM_TIMER, WNDCLASSW,
        },
    },
    w,
};

/// Asked of a window's thread, inside its message loop; returns whether there is more to do.
pub(crate) type Work = fn() -> bool;

/// How posting a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It is in the queue.
    Yes,
    /// The queue is full (10,000 messages), for now.
    Full,
    /// There is no such window any more.
    Gone,
}

/// A message-only window: a place in a thread's message loop, which the thread's end destroys.
#[derive(Debug)]
pub(crate) struct Window {
    /// An `HWND`. Anybody may post to it.
    handle: isize,
    thread: OwnedHandle,
    thread_id: u32,
}

/// The window's messages. Registered, so that nobody else's have their numbers.
struct Messages {
    work: u32,
    close: u32,
}

fn messages() -> &'static Messages {
    static MESSAGES: OnceLock<Messages> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        // SAFETY: the strings are NUL-terminated constants.
        unsafe {
            Messages {
                work: RegisterWindowMessageW(w!("wdsocket: callbacks wait")),
                close: RegisterWindowMessageW(w!("wdsocket: attachment ends")),
            }
        }
    })
}

/// How often there was more to do.
static ROUND: AtomicU32 = AtomicU32::new(1);

const CLASS: *const u16 = w!("wdsocket");
const TIMER: usize = 1;
/// The shortest time that timers have (`USER_TIMER_MINIMUM`), in ms. A timer's message comes after input and painting.
const PAUSE_MS: u32 = 10;

impl Window {
    /// A window of the calling thread's, which does `work` after each [`Window::post`].
    pub fn new(work: Work) -> io::Result<Self> {
        let module = register_class()?;
        let mut thread = null_mut();
        // SAFETY: pseudo-handles of the calling thread and process; `thread` outlives the call.
        let made = unsafe {
            DuplicateHandle(
                GetCurrentProcess(),
                GetCurrentThread(),
                GetCurrentProcess(),
                &mut thread,
                0,
                0,
                DUPLICATE_SAME_ACCESS,
            )
        };
        if made == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, so that nobody else owns it.
        let thread = unsafe { OwnedHandle::from_raw_handle(thread) };
        // SAFETY: the class is registered, the strings are constants; `handle_message` gets `work` with
        // WM_NCCREATE.
        let window = unsafe {
            CreateWindowExW(
                0,
                CLASS,
                null(),
                0,
                0,
                0,
                0,
                0,
                HWND_MESSAGE,
                null_mut(),
                module,
                work as *const _,
            )
        };
        if window.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Window {
            handle: window as isize,
            thread,
            // SAFETY: takes nothing.
            thread_id: unsafe { GetCurrentThreadId() },
        })
    }

    /// Whether it belongs to the calling thread.
    pub fn is_mine(&self) -> bool {
        // SAFETY: takes nothing.
        self.thread_id == unsafe { GetCurrentThreadId() } && self.is_alive()
    }

    /// Whether its thread has not ended.
    pub fn is_alive(&self) -> bool {
        // SAFETY: the handle is open as long as `self`.
        unsafe { WaitForSingleObject(self.thread.as_raw_handle(), 0) != WAIT_OBJECT_0 }
    }

    /// Has the window's thread do its work.
    pub fn post(&self) -> Posted {
        match self.is_alive() {
            true => post_message(self.handle, messages().work),
            false => Posted::Gone,
        }
    }

    /// Destroys the window, which only its own thread can do: at once, or when that thread next looks for messages.
    pub fn close(self) {
        if self.is_mine() {
            // SAFETY: the window is this thread's.
            unsafe { DestroyWindow(self.handle as HWND) };
        } else if self.is_alive() {
            post_message(self.handle, messages().close);
        }
    }
}

/// Posts a message of the host's to a window of the host's.
pub(crate) fn post_message(window: isize, message: u32) -> Posted {
    // SAFETY: posting takes no pointers, and a handle that is none is only refused.
    unsafe {
        match PostMessageW(window as HWND, message, 0, 0) {
            0 if GetLastError() == ERROR_INVALID_WINDOW_HANDLE => Posted::Gone,
            0 => Posted::Full,
            _ => Posted::Yes,
        }
    }
}

/// Whether there is such a window.
pub(crate) fn is_window(window: isize) -> bool {
    // SAFETY: a handle that is none is only refused.
    unsafe { IsWindow(window as HWND) != 0 }
}

/// Whether the calling thread has a message queue: it has called a function for windows or messages before.
pub(crate) fn has_message_queue() -> bool {
    // SAFETY: takes no pointers.
    unsafe { windows_sys::Win32::UI::WindowsAndMessaging::IsGUIThread(0) != 0 }
}

/// The module that this code is in, with the window class registered for it.
fn register_class() -> io::Result<*mut core::ffi::c_void> {
    static MODULE: OnceLock<isize> = OnceLock::new();
    if let Some(module) = MODULE.get() {
        return Ok(*module as *mut _);
    }
    let mut module = null_mut();
    // SAFETY: the address is one of this module, which stays loaded; `module` outlives the call.
    let found = unsafe {
        GetModuleHandleExW(
            GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
            handle_message as *const u16,
            &mut module,
        )
    };
    if found == 0 {
        return Err(io::Error::last_os_error());
    }
    let class = WNDCLASSW {
        style: 0,
        lpfnWndProc: Some(handle_message),
        cbClsExtra: 0,
        cbWndExtra: 0,
        hInstance: module,
        hIcon: null_mut(),
        hCursor: null_mut(),
        hbrBackground: null_mut(),
        lpszMenuName: null(),
        lpszClassName: CLASS,
    };
    // SAFETY: the class describes itself with constants. Where two threads come here at once, the second is told
    // that it exists, which is as good.
    unsafe { RegisterClassW(&class) };
    let _ = MODULE.set(module as isize);
    Ok(module)
}

unsafe extern "system" fn handle_message(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let own = messages();
    // SAFETY: the system calls this with arguments that fit the message; the window is the calling thread's, which
    // may do with it what it likes. What lies in the window's user data came from `Window::new`.
    unsafe {
        if message == WM_NCCREATE {
            let create = lparam as *const CREATESTRUCTW;
            SetWindowLongPtrW(window, GWLP_USERDATA, (*create).lpCreateParams as _);
            return 1;
        }
        if message == own.close {
            DestroyWindow(window);
            return 0;
        }
        let is_timer = message == WM_TIMER && wparam == TIMER;
        if is_timer {
            KillTimer(window, TIMER);
        }
        if !is_timer && message != own.work {
            return DefWindowProcW(window, message, wparam, lparam);
        }
        let stored = GetWindowLongPtrW(window, GWLP_USERDATA);
        if stored == 0 {
            return 0;
        }
        let work: Work = std::mem::transmute(stored as *const ());
        if work() {
            again(window);
        }
        0
    }
}

/// There is more to do. Posted messages come before input, painting and the loop's end (WM_QUIT), which a flood of them
/// would keep from the host: where the thread has such things to do, the rest comes after them. Nobody can ask whether
/// the loop is to end, so that every fourth time the rest waits in any case.
///
/// # Safety
/// The window is one of [`Window`]'s and of the calling thread.
unsafe fn again(window: HWND) {
    // SAFETY: the caller's promise.
    unsafe {
        let waiting = GetQueueStatus(QS_INPUT | QS_PAINT | QS_TIMER) >> 16;
        let round = ROUND.fetch_add(1, Ordering::Relaxed);
        if waiting != 0
            || round.is_multiple_of(4)
            || PostMessageW(window, messages().work, 0, 0) == 0
        {
            SetTimer(window, TIMER, PAUSE_MS, None);
        }
    }
}
