//! What console gives no access to: the terminal's mode, and what was typed before it was asked for.
//!
//! On Windows console reads the keyboard without changing a mode, and nothing suspends a program: there is nothing to do here.

use std::io;

/// The terminal's input while a question is asked. Its mode is restored at the end, however that comes, and what was typed
/// beyond the answer is discarded: the rest of a paste must not run in the shell.
#[derive(Debug)]
pub(super) struct Keyboard {
    #[cfg(unix)]
    usual: rustix::termios::Termios,
}

#[cfg(unix)]
impl Keyboard {
    /// Remembers the terminal's mode.
    ///
    /// # Errors
    /// stdin is not a terminal.
    pub(super) fn take() -> io::Result<Self> {
        let usual = rustix::termios::tcgetattr(io::stdin())?;
        Ok(Self { usual })
    }

    /// Discards what was typed and not read yet.
    ///
    /// # Errors
    /// The terminal refuses, so that it is not known who answers.
    pub(super) fn discard(&self) -> io::Result<()> {
        use rustix::termios::{QueueSelector, tcflush};
        Ok(tcflush(io::stdin(), QueueSelector::IFlush)?)
    }

    /// After a stop: the mode in which console waits for a key, which the shell has changed in the meantime.
    ///
    /// # Errors
    /// The terminal refuses.
    pub(super) fn resume(&self) -> io::Result<()> {
        use rustix::termios::{OptionalActions, tcsetattr};
        let mut raw = self.usual.clone();
        raw.make_raw();
        raw.output_modes = self.usual.output_modes;
        Ok(tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?)
    }

    /// Stops the program as the terminal does on Ctrl-Z. Returns when it is continued, or at once where nobody could continue it.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub(super) fn suspend(&self) -> io::Result<()> {
        use rustix::process::{Signal, kill_current_process_group};
        Ok(kill_current_process_group(Signal::TSTP)?)
    }
}

#[cfg(unix)]
impl Drop for Keyboard {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone has no mode.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.usual);
    }
}

#[cfg(not(unix))]
impl Keyboard {
    pub(super) fn take() -> io::Result<Self> {
        Ok(Self {})
    }

    pub(super) fn discard(&self) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn resume(&self) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn suspend(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Discards what was typed for a question that did not come, so that the shell does not run it. A program in the background
/// leaves the terminal alone.
pub fn discard_typed() {
    #[cfg(unix)]
    {
        use rustix::process::getpgrp;
        use rustix::termios::{QueueSelector, tcflush, tcgetpgrp};
        if tcgetpgrp(io::stdin()) == Ok(getpgrp()) {
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        }
    }
}
