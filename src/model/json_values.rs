//! How many values a JSON text holds, counted without parsing it.
//!
//! A small value such as `{"a":0}` takes about a hundred times its size in memory, so that a bound on bytes is not enough.

/// Whether the text holds more values than this. A bracket or a comma precedes each value, so those are counted.
pub fn exceed(json: &[u8], max: usize) -> bool {
    // A value takes a byte at least, and so does what stands before it.
    json.len() / 2 >= max && count(json) > max
}

fn count(json: &[u8]) -> usize {
    let (mut values, mut quoted, mut escaped) = (0, false, false);
    for byte in json {
        if escaped {
            escaped = false;
        } else if quoted {
            match byte {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => quoted = true,
                b',' | b'[' | b'{' => values += 1,
                _ => {}
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_are_not_values() {
        assert_eq!(count(br#"{"a": "[{,", "b\"[": [1, {}], "c": "\\"}"#), 6);
        assert!(!exceed(b"[0,0,0]", 3) && exceed(b"[0,0,0]", 2));
    }
}
