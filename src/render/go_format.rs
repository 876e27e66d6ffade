//! How Go prints a JSON value: `fmt`'s `%v`, and numbers in `encoding/json` and YAML.
//!
//! kubectl's jsonpath, custom columns and messages show values in Go's own notation; scripts
//! compare that text. Only the notation lives here, no format of its own.

use std::fmt::Write;

use serde_json::{Number, Value};

/// A JSON number as kubectl's decoder keeps it: an `int64` where it fits, else a `float64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum GoNumber {
    Int(i64),
    Float(f64),
}

pub(super) fn number(number: &Number) -> GoNumber {
    match number.as_i64() {
        Some(int) => GoNumber::Int(int),
        None => GoNumber::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// Adds `fmt.Sprint` of a value: maps as `map[a:1 b:2]`, lists as `[1 2]`, strings bare.
pub(super) fn push(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(yes) => text.push_str(if *yes { "true" } else { "false" }),
        Value::Number(n) => match number(n) {
            GoNumber::Int(int) => write!(text, "{int}").expect("a String takes all text"),
            GoNumber::Float(float) => text.push_str(&float_g(float)),
        },
        Value::String(string) => text.push_str(string),
        Value::Array(items) => push_list(text, items),
        Value::Object(map) => push_map(text, map),
    }
}

pub(super) fn push_list(text: &mut String, items: &[Value]) {
    text.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        push(text, item);
    }
    text.push(']');
}

pub(super) fn push_map(text: &mut String, map: &serde_json::Map<String, Value>) {
    text.push_str("map[");
    for (i, (key, item)) in map.iter().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(key);
        text.push(':');
        push(text, item);
    }
    text.push(']');
}

/// `%v` of a float: shortest digits, an exponent below 1e-4 and from 1e6 on.
pub(super) fn float_g(float: f64) -> String {
    notation(float, -4, 6, 2)
}

/// The float in `encoding/json`: shortest digits, an exponent below 1e-6 and from 1e21 on.
pub(super) fn float_json(float: f64) -> String {
    notation(float, -6, 21, 1)
}

fn notation(float: f64, least: i32, most: i32, exponent_digits: usize) -> String {
    if !float.is_finite() {
        return if float.is_nan() {
            "NaN"
        } else if float > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        }
        .to_owned();
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific
        .split_once('e')
        .expect("LowerExp writes an exponent");
    let exponent: i32 = exponent
        .parse()
        .expect("LowerExp writes a decimal exponent");
    if float == 0.0 || (least..most).contains(&exponent) {
        return format!("{float}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.abs();
    format!("{mantissa}e{sign}{exponent:0exponent_digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sprint(value: &Value) -> String {
        let mut text = String::new();
        push(&mut text, value);
        text
    }

    #[test]
    fn values_print_as_go_prints_them() {
        let value = json!({"b": [1, 2.5, "x y", null], "a": {"t": true}});
        assert_eq!(sprint(&value), "map[a:map[t:true] b:[1 2.5 x y <nil>]]");
    }

    #[test]
    fn numbers_too_big_for_int64_are_floats() {
        assert_eq!(sprint(&json!(i64::MAX)), "9223372036854775807");
        assert_eq!(sprint(&json!(u64::MAX)), "1.8446744073709552e+19");
    }

    #[test]
    fn json_floats_have_their_own_exponents() {
        assert_eq!(float_json(1.0), "1");
        assert_eq!(float_json(-0.0), "-0");
        assert_eq!(float_json(1e20), "100000000000000000000");
        assert_eq!(float_json(1e21), "1e+21");
        assert_eq!(float_json(0.000001), "0.000001");
        assert_eq!(float_json(1.5e-7), "1.5e-7");
    }

    proptest! {
        #[test]
        fn the_text_of_a_float_reads_back(float in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
            prop_assert_eq!(float_g(float).parse::<f64>().unwrap(), float);
            prop_assert_eq!(float_json(float).parse::<f64>().unwrap(), float);
        }
    }
}
