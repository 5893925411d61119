//! The processor's cache: what will be needed is brought near while something else is done.

use prefetch_index::prefetch_index;

const LINE: usize = 64;

/// Has the lines of a value brought into the cache. Reads nothing and changes nothing.
#[inline]
pub(crate) fn bring<T>(value: &T) {
    bring_first(value, size_of::<T>().div_ceil(LINE));
}

/// Has the first lines of a value brought into the cache. Reads nothing and changes nothing.
#[inline]
pub(crate) fn bring_first<T>(value: &T, lines: usize) {
    static HERE: &[u8] = &[0];
    let begin = std::ptr::from_ref(value).addr();
    for at in (begin..begin + size_of::<T>().min(lines * LINE)).step_by(LINE) {
        // The crate takes a place in a list and reads nothing there, so that any address can be named by its distance.
        prefetch_index(HERE, at.wrapping_sub(HERE.as_ptr().addr()));
    }
}
