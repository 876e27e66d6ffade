//! Durations as kubectl's flags take them.

use k8s_openapi::jiff::SignedDuration;
use std::time::Duration;

/// Reads a kubectl duration: `0`, `30` (seconds), `1m30s`, `500ms`, `2h`.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 30s, 2m or 1m30s");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    // The library's words for units would do too; kubectl has none.
    let is_gos = text
        .chars()
        .all(|c| c.is_ascii_digit() || ".hms".contains(c));
    let read = text.parse::<SignedDuration>().ok().filter(|_| is_gos);
    read.and_then(|read| read.try_into().ok()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_kubectl_reads_them() {
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        assert_eq!(parse_duration("7"), Ok(Duration::from_secs(7)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        for wrong in [
            "",
            "s",
            "5x",
            "-1s",
            "1m 2s",
            "1..2s",
            "2 minutes",
            "1d",
            "PT1M",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_duration_text_panics(text in ".{0,12}") {
            let _ = parse_duration(&text);
        }
    }
}
