//! A Kubernetes quantity (`10Mi`, `300m`) as a number, for comparing only.

/// The amount; `None` for what is not a quantity.
pub fn amount(text: &str) -> Option<f64> {
    let number = text
        .find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(number);
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    let decimal = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text != ".";
    if unsigned.is_empty() || !decimal(unsigned) || unsigned.matches('.').count() > 1 {
        return None;
    }
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        .iter()
        .position(|unit| *unit == suffix);
    if let Some(power) = binary {
        return Some(number.parse::<f64>().ok()? * 1024f64.powi(i32::try_from(power).ok()? + 1));
    }
    let exponent = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
    };
    // As one decimal text, so that 300m and 0.3 are the same float.
    format!("{number}e{exponent}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_amount_has_several_texts() {
        for (one, other) in [
            ("1024Mi", "1Gi"),
            ("10240Ki", "10Mi"),
            ("0.3", "300m"),
            ("1k", "1e3"),
            ("5", "5"),
        ] {
            assert_eq!(amount(one), amount(other), "{one} {other}");
            assert!(amount(one).is_some(), "{one}");
        }
        assert!(amount("10M") < amount("10Mi"));
        for text in ["", "Mi", "x", "1.2.3", "1Xi", "<left out>"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_quantity_panics(text in any::<String>()) {
            prop_assert!(amount(&text).is_none_or(|amount| !amount.is_nan()));
        }
    }
}
