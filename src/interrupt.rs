//! Signals: what asks a run to end (Ctrl-C, SIGTERM, a terminal that is closed), and that it continues after a stop.

use crate::error::{Error, Result};
use crate::exit::Code;

/// Waits for the first of them. The signals are taken over from the first poll on: they end nothing by themselves any more, so
/// the caller must go on polling.
pub(crate) async fn any() {
    tokio::select! {
        () = ctrl_c() => {}
        () = ended() => {}
    }
}

/// Runs a watch until it ends by itself or by Ctrl-C.
pub(crate) async fn watch(follow: impl Future<Output = Result<Code>>) -> Result<Code> {
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    tokio::select! {
        ended = follow => ended,
        _ = &mut interrupted => Err(watch_ended()),
    }
}

/// A watch that Ctrl-C ended, with the exit code of `kubectl get -w`.
pub(crate) fn watch_ended() -> Error {
    Error::silent(Code::Failed)
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(windows)]
async fn ended() {
    use tokio::signal::windows::{ctrl_close, ctrl_shutdown};
    let (Ok(mut close), Ok(mut shutdown)) = (ctrl_close(), ctrl_shutdown()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = close.recv() => {}
        _ = shutdown.recv() => {}
    }
}

/// Every time the program continues after it was stopped (Ctrl-Z and `fg`).
pub(crate) struct Continued {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Continued {
    /// Listens from now on.
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            signals: {
                use rustix::process::Signal;
                use tokio::signal::unix::{SignalKind, signal};
                signal(SignalKind::from_raw(Signal::CONT.as_raw())).ok()
            },
        }
    }

    /// Waits for the next time.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
