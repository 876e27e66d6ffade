//! How old something is, in the text of kubectl's AGE column.
//!
//! The steps and the integer division are kubectl's, so that a column here and one of
//! `kubectl get` never disagree. The time is an argument; nothing here reads a clock.

use k8s_openapi::jiff::{Timestamp, tz::TimeZone};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The AGE cell of something that happened at `since`; `<unknown>` without a time.
pub fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    match since {
        Some(since) => duration(now.duration_since(since).as_secs()),
        None => "<unknown>".to_owned(),
    }
}

/// The day of a time in seconds of the epoch: `2024-03-01`.
pub fn date(epoch: i64) -> String {
    Timestamp::from_second(epoch).map_or_else(
        |_| "at an unknown time".to_owned(),
        |t| t.to_zoned(TimeZone::UTC).date().to_string(),
    )
}

/// A length of time in whole seconds, truncated toward zero; below -1 it is `<invalid>`.
pub fn duration(seconds: i64) -> String {
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(seconds, MINUTE, 'm', 1, 's'),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(seconds, HOUR, 'h', MINUTE, 'm'),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(seconds, DAY, 'd', HOUR, 'h'),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(seconds, YEAR, 'y', DAY, 'd'),
        _ => format!("{}y", seconds / YEAR),
    }
}

/// Two units, the smaller one dropped when it is zero.
fn two(seconds: i64, big: i64, big_name: char, small: i64, small_name: char) -> String {
    match seconds % big / small {
        0 => format!("{}{big_name}", seconds / big),
        rest => format!("{}{big_name}{rest}{small_name}", seconds / big),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_step_has_kubectls_text() {
        let steps = [
            (i64::MIN, "<invalid>"),
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (1, "1s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (10 * MINUTE - 1, "9m59s"),
            (10 * MINUTE, "10m"),
            (10 * MINUTE + 59, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 59, "3h"),
            (3 * HOUR + MINUTE, "3h1m"),
            (8 * HOUR - 1, "7h59m"),
            (8 * HOUR, "8h"),
            (2 * DAY - 1, "47h"),
            (2 * DAY, "2d"),
            (49 * HOUR, "2d1h"),
            (8 * DAY - 1, "7d23h"),
            (8 * DAY, "8d"),
            (2 * YEAR - 1, "729d"),
            (2 * YEAR, "2y"),
            (731 * DAY, "2y1d"),
            (8 * YEAR - 1, "7y364d"),
            (8 * YEAR, "8y"),
            (30 * YEAR + 200 * DAY, "30y"),
        ];
        for (seconds, text) in steps {
            assert_eq!(duration(seconds), text, "{seconds} s");
        }
    }

    #[test]
    fn parts_of_a_second_are_cut_toward_zero() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(age(at("2026-11-23T11:58:00.1Z"), now), "119s");
        assert_eq!(age(at("2026-11-23T12:00:01.9Z"), now), "0s");
        assert_eq!(age(at("2026-11-23T12:00:02Z"), now), "<invalid>");
        assert_eq!(age(None, now), "<unknown>");
    }

    proptest! {
        #[test]
        fn any_length_has_a_short_text(seconds in any::<i64>()) {
            prop_assert!(duration(seconds).len() <= 15);
        }
    }

    #[test]
    fn a_day_is_written_as_such_and_no_epoch_panics() {
        assert_eq!(date(1_709_251_200), "2024-03-01");
        assert_eq!(date(i64::MAX), "at an unknown time");
    }
}
