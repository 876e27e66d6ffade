//! Bounded waiting by asking again. Nothing here sleeps for a fixed time and hopes.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// The pause between two questions.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// Asks `probe` until it answers, for at most `limit`. `what` completes the sentence "… did not happen".
pub fn wait<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = probe() {
            return Ok(answer);
        }
        if Instant::now() >= end {
            return Err(Error::Timeout {
                what: what.to_owned(),
                limit,
                seen: String::new(),
            });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_the_wait() {
        let mut asked = 0;
        let answer = wait("third time", Duration::from_secs(60), || {
            asked += 1;
            (asked == 3).then_some("here")
        });
        assert_eq!(answer.unwrap(), "here");
        assert_eq!(asked, 3);
    }

    #[test]
    fn no_answer_names_what_was_waited_for() {
        let error = wait::<()>("the moon", Duration::ZERO, || None).unwrap_err();
        assert_eq!(error.to_string(), "the moon did not happen within 0 s");
    }
}
