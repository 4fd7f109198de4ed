//! Keeps the library in memory: hosts load and unload it around every call, and its threads, its
//! error texts and its fork handler must survive that.

use std::ffi::c_void;

/// Makes every later `dlclose` leave the library loaded. The link option `-z nodelete` says the
/// same of the shared library; this also covers the static one inside a host's plug-in.
pub(crate) fn pin_library() {
    // SAFETY: an all-zero `Dl_info` is valid, and `dladdr` fills it in.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is that of a function of this library, `info` outlives the call.
    let found = unsafe { libc::dladdr(pin_library as *const c_void, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return;
    }
    // SAFETY: `dli_fname` is a string of the dynamic linker's that lives as long as the library.
    // With RTLD_NOLOAD nothing new is loaded and no initializer runs; for the main program
    // itself the call fails harmlessly.
    unsafe {
        libc::dlopen(
            info.dli_fname,
            libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
        )
    };
}
