//! Keeps the library in memory: hosts load and unload it around every call, and its threads and its error texts must
//! survive that.

use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};

/// Makes every later `FreeLibrary` leave the library loaded.
pub(crate) fn pin_library() {
    let mut module = std::ptr::null_mut();
    // SAFETY: the address is that of a function of this library; `module` outlives the call. Pinning takes no
    // reference that would have to be given back.
    unsafe {
        GetModuleHandleExW(
            GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
            pin_library as *const u16,
            &mut module,
        )
    };
}
