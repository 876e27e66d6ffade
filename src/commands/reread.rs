//! The pace of a watch that reads everything again and again, because no watch of the API covers what it shows.

use std::time::Duration;

/// The shortest pause between two reads.
const PAUSE: Duration = Duration::from_secs(10);
/// The pause in multiples of the time that the last read took, so that reading takes a fifth of the time at most.
const REST: u32 = 4;

/// Pauses after a read that took this long.
pub(super) async fn pause(took: Duration) {
    tokio::time::sleep(PAUSE.max(took * REST)).await;
}
