//! Something that is done at the end of a scope, also where a panic ends it.

use std::fmt;

/// Does something when it is dropped: whoever waits for it waits for nobody where a panic comes between.
pub struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> AtEnd<F> {
    /// Does `act` when it is dropped.
    #[must_use = "it is done at once where nobody keeps this"]
    pub const fn new(act: F) -> Self {
        Self(act)
    }
}

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<F: FnMut()> fmt::Debug for AtEnd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtEnd").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn whoever_waits_for_the_end_does_not_outlive_a_panic() {
        let over = AtomicBool::new(false);
        let ended = std::panic::catch_unwind(|| {
            std::thread::scope(|scope| {
                let _over = AtEnd::new(|| over.store(true, Ordering::Relaxed));
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        std::thread::yield_now();
                    }
                });
                assert!(over.load(Ordering::Relaxed), "it is not over yet");
            });
        });
        assert!(ended.is_err());
    }
}
