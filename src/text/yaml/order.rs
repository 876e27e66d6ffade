//! The order of keys: letters after all else, runs of digits by their number (`a2` before `a10`).

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Entries as kubectl's YAML has them.
pub(super) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<(&String, &Value)> = Vec::with_capacity(map.len());
    for entry in map {
        // By insertion and not `sort_by`, which may panic: the order is not transitive
        // (a2 < a10 < a1b < a01 < a2), and kubectl's own result there changes from run to run.
        let place = entries.partition_point(|other| before(other.0, entry.0));
        entries.insert(place, entry);
    }
    entries
}

fn before(left: &str, right: &str) -> bool {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(l, r)| l != r) else {
        return left.len() < right.len();
    };
    let (l, r) = (left[at], right[at]);
    match (l.is_alphabetic(), r.is_alphabetic()) {
        (true, true) => return l < r,
        (false, false) => {}
        (_, right_is_letter) => return right_is_letter,
    }
    // A zero inside a number, not at its start, must count as a digit of it.
    let digits_before = left[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let inside_number = (l == '0' || r == '0') && digits_before.into_iter().any(|c| *c != '0');
    let (left_number, left_end) = number(&left[at..], inside_number);
    let (right_number, right_end) = number(&right[at..], inside_number);
    left_number
        .cmp(&right_number)
        .then(left_end.cmp(&right_end))
        .then(l.cmp(&r))
        == Ordering::Less
}

/// The number that the text starts with and how many digits it has.
fn number(text: &[char], inside_number: bool) -> (i64, usize) {
    let digits = text.iter().map_while(|c| c.to_digit(10));
    let start = (i64::from(inside_number), 0);
    digits.fold(start, |(value, count), digit| {
        (value.wrapping_mul(10).wrapping_add(digit.into()), count + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value_and_letters_come_last() {
        let keys = [
            "a10", "a2", "a1", "A", "_", "10", "9", "a-b", "a b", "ab", "a1b", "é", "",
        ];
        let map: Map<String, Value> = keys
            .iter()
            .map(|key| ((*key).to_owned(), Value::Null))
            .collect();
        let sorted: Vec<_> = sorted(&map)
            .into_iter()
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(
            sorted,
            [
                "", "_", "9", "10", "A", "a b", "a-b", "a1", "a2", "a10", "a1b", "ab", "é"
            ]
        );
    }
}
