//! Keys that change the pace of a load run while it goes on, as in SIPp: `+` and `-` by a tenth, `*` and `/` double and halve it, `p`
//! pauses and goes on, `q` ends it.

use std::io::{IsTerminal as _, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};

use callfloor_load::Control;

use crate::running::STOP;

/// Obeys what is typed until `over`, where somebody can type.
pub(super) fn obey(control: &Control, over: &AtomicBool) {
    #[cfg(unix)]
    if are_taken()
        && let Some(_typed) = typed::Typed::begin()
    {
        let mut byte = [0];
        // The terminal answers after a tenth of a second at the latest, with nothing where nothing was typed.
        while !over.load(Ordering::Relaxed) {
            if !are_taken() {
                // Sent to the background: what is typed is for somebody else, and who reads it all the same is stopped.
                std::thread::sleep(std::time::Duration::from_millis(200));
            } else if std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {
                act(control, byte[0]);
            }
        }
    }
    #[cfg(not(unix))]
    let _ = (control, over);
}

/// Whether what is typed comes here: stdin is a terminal, and this process is in front of it.
pub(super) fn are_taken() -> bool {
    #[cfg(unix)]
    let in_front =
        || rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|front| front == rustix::process::getpgrp());
    #[cfg(not(unix))]
    let in_front = || false;
    std::io::stdin().is_terminal() && in_front()
}

fn act(control: &Control, key: u8) {
    match key {
        b'+' => control.faster(1.1),
        b'-' => control.faster(1.0 / 1.1),
        b'*' => control.faster(2.0),
        b'/' => control.faster(0.5),
        b'p' => control.pause(),
        b'q' => STOP.store(true, Ordering::Relaxed),
        _ => {}
    }
}

#[cfg(unix)]
mod typed {
    use crate::running::at_exit;
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// A terminal that gives each key at once and does not show it; as it was before, once this ends or the process is ended by a
    /// second Ctrl-C.
    pub(super) struct Typed(Termios);

    impl Typed {
        pub(super) fn begin() -> Option<Self> {
            let before = tcgetattr(std::io::stdin()).ok()?;
            let mut now = before.clone();
            // Ctrl-C still is one.
            now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            now.special_codes[SpecialCodeIndex::VMIN] = 0;
            now.special_codes[SpecialCodeIndex::VTIME] = 1;
            tcsetattr(std::io::stdin(), OptionalActions::Now, &now).ok()?;
            let restored = before.clone();
            at_exit(Some(Box::new(move || {
                // A terminal that is gone needs nothing.
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &restored);
            })));
            Some(Self(before))
        }
    }

    impl Drop for Typed {
        fn drop(&mut self) {
            at_exit(None);
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_the_pace() {
        let control = Control::default();
        [b'*', b'*', b'-', b'p', b'x'].into_iter().for_each(|key| act(&control, key));
        assert_eq!(control.state(), (3.636, true));
    }
}
