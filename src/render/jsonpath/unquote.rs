//! The inside of a quoted string: Go's escapes, in either kind of quote.

/// The text between the quotes, or `None` where an escape is wrong. Escaped bytes that are no
/// UTF-8 together become U+FFFD.
pub(super) fn unquote(inside: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, quote, &mut bytes)?,
            c if c == quote => return None,
            c => push(&mut bytes, c),
        }
    }
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

fn escape(rest: &mut std::str::Chars<'_>, quote: char, bytes: &mut Vec<u8>) -> Option<()> {
    match rest.next()? {
        'a' => bytes.push(0x07),
        'b' => bytes.push(0x08),
        'f' => bytes.push(0x0c),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        'v' => bytes.push(0x0b),
        '\\' => bytes.push(b'\\'),
        c @ ('\'' | '"') if c == quote => push(bytes, c),
        'x' => bytes.push(u8::try_from(digits(rest, 2, 16)?).ok()?),
        'u' => push(bytes, char::from_u32(digits(rest, 4, 16)?)?),
        'U' => push(bytes, char::from_u32(digits(rest, 8, 16)?)?),
        c @ '0'..='7' => {
            let high = c.to_digit(8)?;
            bytes.push(u8::try_from(high * 64 + digits(rest, 2, 8)?).ok()?);
        }
        _ => return None,
    }
    Some(())
}

fn digits(rest: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Option<u32> {
    let mut value: u32 = 0;
    for _ in 0..count {
        value = value
            .checked_mul(radix)?
            .checked_add(rest.next()?.to_digit(radix)?)?;
    }
    Some(value)
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_gos() {
        assert_eq!(
            unquote(r"a\tb\n\x41\u65e5\101", '"').as_deref(),
            Some("a\tb\nA日A")
        );
        assert_eq!(
            unquote(r#"it\'s "so""#, '\'').as_deref(),
            Some("it's \"so\"")
        );
        assert_eq!(unquote(r"\xe6\x97\xa5", '"').as_deref(), Some("日"));
    }

    #[test]
    fn wrong_escapes_are_refused() {
        for inside in [
            r"\'",
            r"\q",
            r"\x4",
            r"\ud800",
            r"\400",
            "\\",
            "a\"b",
            r"\UFFFFFFFF",
        ] {
            assert_eq!(unquote(inside, '"'), None, "{inside}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(inside in any::<String>()) {
            let plain = !inside.contains(['\\', '"']);
            prop_assert_eq!(plain && unquote(&inside, '"') != Some(inside.clone()), false);
        }
    }
}
