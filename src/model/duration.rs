//! Lengths of time as Go writes them: in kubectl's flags and in Flux's manifests.

use std::time::Duration;

/// Reads a kubectl duration: `0`, `30` (seconds), `1m30s`, `500ms`, `2h`. Several parts add up in any order, as in Go.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 30s, 2m or 1m30s");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while let Some((part, after)) = part(rest) {
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = after;
    }
    match text.is_empty() || !rest.is_empty() {
        true => Err(wrong()),
        false => Ok(total),
    }
}

/// The first number with its unit, and the text after it.
fn part(text: &str) -> Option<(Duration, &str)> {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, after) = text.split_at(text.find(|c| !is_number(c))?);
    let unit = after.find(is_number).unwrap_or(after.len());
    let (unit, after) = after.split_at(unit);
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let value: f64 = number.parse().ok()?;
    let part = Duration::try_from_secs_f64(value * scale).ok()?;
    Some((part, after))
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
        for (text, milliseconds) in [
            ("1.5m30s", 120_000),
            (".5s", 500),
            ("5.s", 5_000),
            ("30s1m", 90_000),
            ("1h1h", 7_200_000),
            ("1500us", 1),
            ("2000µs", 2),
            ("3000000ns", 3),
        ] {
            let read = parse_duration(text).map(|read| read.as_millis());
            assert_eq!(read, Ok(milliseconds), "{text}");
        }
        for wrong in [
            "",
            ".s",
            "1h.",
            "1m30",
            "1e3s",
            "9999999999999999h",
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
