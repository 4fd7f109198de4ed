//! The encoding of Windows' narrow text.

use windows_sys::Win32::Globalization::GetACP;

/// The number of the process's ANSI code page.
pub(crate) fn ansi_code_page() -> u32 {
    // SAFETY: it takes nothing, and gives a number.
    unsafe { GetACP() }
}
