//! The pace of a watch that keeps reading everything again, because no watch of the API covers its output.

use std::time::Duration;

/// The shortest pause between two reads.
const PAUSE: Duration = Duration::from_secs(10);
/// The pause as a multiple of the last read's duration, so that reading takes at most a fifth of the time.
const REST: u32 = 4;

/// Pauses after a read that took this long.
pub(crate) async fn pause(took: Duration) {
    tokio::time::sleep(PAUSE.max(took * REST)).await;
}
