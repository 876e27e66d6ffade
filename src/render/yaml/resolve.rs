//! Whether bare text would be read as something else than text, by the YAML 1.1 rules that
//! kubectl's library applies when it reads.

/// Whether `text` needs quotes so as not to become a boolean, null, number or time.
pub(super) fn is_not_text(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'+' | b'-' | b'0'..=b'9') => {
            is_special_float(text)
                || is_time(text)
                || is_number(&text.replace('_', ""))
                || is_base_60(text)
        }
        Some(b'.') => is_special_float(text) || is_decimal(text),
        _ => is_word(text),
    }
}

fn is_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let known = matches!(
        lower.as_str(),
        "y" | "n" | "yes" | "no" | "true" | "false" | "on" | "off" | "~" | "null"
    );
    known && is_cased(text)
}

/// `true`, `True` and `TRUE`, but not `tRUE`.
fn is_cased(word: &str) -> bool {
    let rest = word.get(1..).unwrap_or_default();
    let upper_first = word.starts_with(|c: char| c.is_ascii_uppercase());
    rest.bytes().all(|b| !b.is_ascii_uppercase())
        || (upper_first && rest.bytes().all(|b| !b.is_ascii_lowercase()))
}

fn is_special_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// An integer of at most 64 bits in any of Go's notations, or a decimal number.
fn is_number(text: &str) -> bool {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let radix = |prefixes: [&str; 2], radix: u32| {
        let digits = prefixes
            .iter()
            .find_map(|prefix| unsigned.strip_prefix(prefix));
        digits.map(|digits| (digits, radix))
    };
    let (digits, radix) = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2))
        .or_else(|| {
            unsigned
                .strip_prefix('0')
                .filter(|rest| !rest.is_empty())
                .map(|rest| (rest, 8))
        })
        .unwrap_or((unsigned, 10));
    let plain = !digits.starts_with(['+', '-']);
    let fits = |value: u64| match (negative, text.starts_with('+')) {
        (true, _) => value <= i64::MIN.unsigned_abs(),
        (_, true) => i64::try_from(value).is_ok(),
        _ => true,
    };
    (plain && u64::from_str_radix(digits, radix).is_ok_and(fits)) || is_decimal(text)
}

/// `1`, `1.`, `.5`, `1e3`, signed or not, that fits a 64-bit float.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = unsigned
        .strip_prefix('.')
        .unwrap_or(unsigned)
        .starts_with(|c: char| c.is_ascii_digit());
    starts && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `1:30`, a number of minutes to YAML 1.1.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let digits =
        |part: &str| part.starts_with(|c: char| c.is_ascii_digit()) && digits_or(part, '_');
    if !parts.next().is_some_and(digits) {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let sixtieths =
        |part: &&str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    middle.iter().chain([&last]).all(sixtieths) && digits_or(fraction, '_')
}

fn digits_or(text: &str, other: char) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || c == other)
}

/// A date, or a date and time; months, days and all of the time may have one digit.
fn is_time(text: &str) -> bool {
    let mut rest = text;
    let Some((year, month, day)) = date(&mut rest) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last_day = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=last_day).contains(&day) {
        return false;
    }
    let Some(separator) = rest.chars().next() else {
        return true;
    };
    rest = &rest[separator.len_utf8()..];
    if time(&mut rest).is_none() {
        return false;
    }
    match separator {
        ' ' => rest.is_empty(),
        'T' | 't' => rest == "Z" || is_offset(rest),
        _ => false,
    }
}

fn date(rest: &mut &str) -> Option<(u32, u32, u32)> {
    let year = rest.get(..4).filter(|year| digits_or(year, '0'))?;
    *rest = &rest[4..];
    eat(rest, '-')?;
    let month = up_to_two(rest)?;
    eat(rest, '-')?;
    Some((year.parse().ok()?, month, up_to_two(rest)?))
}

fn time(rest: &mut &str) -> Option<()> {
    let hour = up_to_two(rest)?;
    eat(rest, ':')?;
    let minute = up_to_two(rest)?;
    eat(rest, ':')?;
    let second = up_to_two(rest)?;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.len()
            - fraction
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits > 0 {
            *rest = &fraction[digits..];
        }
    }
    (hour < 24 && minute < 60 && second < 60).then_some(())
}

fn is_offset(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    let two = |part: &str, most: u32| {
        part.len() == 2 && digits_or(part, '0') && part.parse().is_ok_and(|n: u32| n <= most)
    };
    offset
        .split_once(':')
        .is_some_and(|(hours, minutes)| two(hours, 24) && two(minutes, 60))
}

fn up_to_two(rest: &mut &str) -> Option<u32> {
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (number, behind) = rest.split_at(digits);
    *rest = behind;
    number.parse().ok()
}

fn eat(rest: &mut &str, c: char) -> Option<()> {
    *rest = rest.strip_prefix(c)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_yaml_would_misread() {
        for text in [
            "",
            "y",
            "No",
            "TRUE",
            "~",
            "Null",
            "1",
            "-0x1",
            "07",
            "08",
            "1_000",
            "0o7",
            "+.5",
            ".5",
            "1.",
            "1e+5",
            "-.INF",
            ".NaN",
            "1:30",
            "60:00.5",
            "2024-1-2",
            "2024-01-02 03:04:05",
            "2024-01-02t03:04:05.5+01:00",
            "18446744073709551616",
        ] {
            assert!(is_not_text(text), "{text:?}");
        }
    }

    #[test]
    fn what_stays_text() {
        for text in [
            "tRUE",
            "nULL",
            "oFf",
            "+.nan",
            "-",
            ".",
            "..",
            "0x",
            "0b2",
            "1e",
            "0.1.2",
            "2024-13-01",
            "2023-02-29",
            "2024-01-02T25:00:00Z",
            "2024-01-02T03:04:05",
            "1:60",
            "_1",
            "NaN",
            "Infinity",
            "1e999",
            "0x1p4",
            "0xffffffffffffffffff",
            "<<",
            "12日",
        ] {
            assert!(!is_not_text(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_needs_quotes(int in any::<i64>()) {
            prop_assert!(is_not_text(&int.to_string()));
        }

        #[test]
        fn no_text_panics(text in "[0-9-]{0,6}\\PC{0,6}[T .:0-9]{0,8}\\PC{0,3}") {
            let _ = is_not_text(&text);
        }
    }
}
