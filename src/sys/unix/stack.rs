//! How much stack the host has left.

use std::{cell::Cell, mem::MaybeUninit};

/// Whether the stack has room for what connects, some 60 KiB with TLS. Not where it is another than the thread's, as coroutines
/// have them: those are small.
pub(crate) fn has_room() -> bool {
    /// So much is to be left.
    const ROOM: usize = 256 << 10;

    std::thread_local! {
        static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
    }
    let here = stack_pointer();
    let (lowest, size) = STACK.with(|stack| {
        stack.get().unwrap_or_else(|| {
            let found = stack_of_this_thread();
            stack.set(Some(found));
            found
        })
    });
    let below = here.wrapping_sub(lowest);
    below < size && below >= ROOM
}

/// How far the stack has grown. (A variable's address would be one of the sanitizer's, where that keeps variables elsewhere.)
fn stack_pointer() -> usize {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let pointer: usize;
        // SAFETY: copies a register.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            std::arch::asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags));
            #[cfg(target_arch = "aarch64")]
            std::arch::asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
        }
        pointer
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let here = 0u8;
        std::ptr::from_ref(&here).addr()
    }
}

/// The lowest address of the calling thread's stack and its size; 0 where the system does not say.
fn stack_of_this_thread() -> (usize, usize) {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: `pthread_getattr_np` initializes the attributes of a thread that lives, as the calling one does.
    let result = unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) };
    if result != 0 {
        return (0, 0);
    }
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes were initialized, and are destroyed once, after their last use.
    let result = unsafe {
        let result = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        result
    };
    match result {
        0 => (lowest.addr(), size),
        _ => (0, 0),
    }
}
