//! A document as text: its encoding, the bounds of one in a field of an object, and where in it a parser stopped.

use serde::de::DeserializeOwned;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Budget, DuplicateKeyPolicy, Options};
use std::borrow::Cow;

/// Most bytes of text that a document may have for each byte it is written in: an alias repeats more only where a document is made to grow.
const GROWTH_MAX: usize = 10;

/// Reads the YAML in a field of an object, such as a hook's manifest. `None`: it is not YAML, not a `T`, or its aliases repeat too much: a
/// release can hold thousands of documents, and each takes no longer than its length allows.
///
/// Of a key that is there twice the last one counts, as for Helm.
pub fn embedded<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut budget = Budget::default();
    budget.max_total_scalar_bytes = GROWTH_MAX.saturating_mul(text.len());
    let mut options = Options::default();
    options.budget = Some(budget);
    // A node takes a byte at least.
    options.alias_limits.max_total_replayed_events = text.len();
    options.with_snippet = false;
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    serde_saphyr::from_str_with_options(text, options).ok()
}

/// Decodes what shells write: UTF-8, and UTF-16 with its byte order mark, as PowerShell redirects.
///
/// # Errors
/// A clause: `line 3: it is not text in UTF-8`.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes[2..].as_chunks();
        let units: Vec<u16> = units.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok();
        let text = text.filter(|_| rest.is_empty());
        text.ok_or_else(|| "it is not valid UTF-16".to_owned())
    };
    if bytes.starts_with(&[0xff, 0xfe]) {
        return wide(u16::from_le_bytes).map(Into::into);
    }
    if bytes.starts_with(&[0xfe, 0xff]) {
        return wide(u16::from_be_bytes).map(Into::into);
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    std::str::from_utf8(bytes).map(Into::into).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        format!("line {line}: it is not text in UTF-8")
    })
}

/// `line 3, column 5: WHY` of a YAML parser's error, without the text around that place: it can hold credentials.
pub fn yaml_error(error: &serde_saphyr::Error) -> String {
    let error = original(error);
    let (line, column) = error.location().map_or((0, 0), |l| (l.line(), l.column()));
    place(line, column, &error.to_string())
}

/// The bound that a YAML parser's error is about.
pub fn breach(error: &serde_saphyr::Error) -> Option<&BudgetBreach> {
    match original(error) {
        serde_saphyr::Error::Budget { breach, .. } => Some(breach),
        _ => None,
    }
}

/// The error without what says from which alias it was reached.
fn original(error: &serde_saphyr::Error) -> &serde_saphyr::Error {
    let mut error = error.without_snippet();
    while let serde_saphyr::Error::AliasError { error: inner, .. } = error {
        error = inner.without_snippet();
    }
    error
}

/// `line 3, column 5: WHY` on one line; the parsers name the place in their own ways.
pub fn place(line: u64, column: u64, why: &str) -> String {
    let why = why.find(" at line ").map_or(why, |at| &why[..at]);
    let why = match why.strip_prefix("budget breached: ") {
        Some(bound) => format!("more than is read of one file: {bound}"),
        None if why == "recursion limit exceeded" => "nested too deeply".to_owned(),
        None => why.to_owned(),
    };
    super::one_line(&format!("line {line}, column {column}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn an_embedded_document_grows_no_faster_than_its_text() {
        let env = "a: &env\n  - {name: A, value: b}\n  - {name: C, value: d}\n";
        let shared = format!("{env}b: *env\nc: *env\nd: *env\na: *env\n");
        let read: Value = embedded(&shared).unwrap();
        assert_eq!((&read["a"], &read["d"]), (&read["b"], &read["c"]));

        let many = format!("a: &a [{}]\nb: [{}]\n", "1,".repeat(90), "*a,".repeat(90));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(900), "*a,".repeat(90));
        for bomb in [many, long] {
            assert!(serde_saphyr::from_str::<Value>(&bomb).is_ok());
            assert_eq!(embedded::<Value>(&bomb), None);
        }
    }

    #[test]
    fn what_powershell_redirects_is_decoded() {
        for (mark, unit) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let wide = "a: ü\r\n".encode_utf16().flat_map(unit);
            let mut bytes: Vec<u8> = mark.into_iter().chain(wide).collect();
            assert_eq!(decode(&bytes).unwrap(), "a: ü\r\n");
            bytes.push(b'a');
            assert_eq!(decode(&bytes).unwrap_err(), "it is not valid UTF-16");
        }
        assert_eq!(decode("\u{feff}a".as_bytes()).unwrap(), "a");
        let broken = decode(b"a: b\nc: \xff\n").unwrap_err();
        assert_eq!(broken, "line 2: it is not text in UTF-8");
    }
}
