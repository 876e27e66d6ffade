//! The dialect on small values. What the real kubectl prints is in the corpus, see
//! `src/render/corpus.rs`.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn print(template: &str, value: &Value) -> Result<String, String> {
    let template = Template::parse(template).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    template
        .write(&mut out, value)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn conditions_by_type() {
    let value = json!({"status": {"conditions": [
        {"type": "Released", "status": "False"}, {"type": "Ready", "status": "True"},
    ]}});
    assert_eq!(
        print(r#"{.status.conditions[?(@.type=="Ready")].status}"#, &value).unwrap(),
        "True"
    );
    assert_eq!(
        print(
            "{range .status.conditions[*]}{.type}={.status}{'\\n'}{end}",
            &value
        )
        .unwrap(),
        "Released=False\nReady=True\n"
    );
    assert_eq!(
        print("{.status.conditions[*]['type','status']}", &value).unwrap(),
        "Released Ready False True"
    );
}

#[test]
fn errors_name_the_template() {
    let value = json!({"items": []});
    assert_eq!(
        print("{.items[", &value).unwrap_err(),
        "error parsing jsonpath {.items[, unterminated array"
    );
    assert_eq!(
        print("{.items[0]}", &value).unwrap_err(),
        "error executing jsonpath \"{.items[0]}\": array index out of bounds: index 0, length 0"
    );
    assert_eq!(
        print("", &value).unwrap_err(),
        "template format specified but no template given"
    );
}

#[test]
fn relaxed_forms_are_one_path() {
    let path = Path::relaxed("metadata.name").unwrap();
    for form in [".metadata.name", "{metadata.name}", "{.metadata.name}"] {
        assert_eq!(Path::relaxed(form).unwrap(), path);
    }
    assert!(
        Path::relaxed("{.a}{.b}")
            .unwrap_err()
            .to_string()
            .starts_with("unexpected path string")
    );
    assert!(Path::relaxed("{}").is_err());
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("[?(@.a==".to_owned()),
        Just(")]".to_owned()),
        Just("..".to_owned()),
        Just(".a".to_owned()),
        Just("{range .a[*]}".to_owned()),
        Just("{end}".to_owned()),
        Just("['a','b']".to_owned()),
        Just("{@}".to_owned()),
        Just("-1".to_owned()),
        Just(":".to_owned()),
        Just("*".to_owned()),
        Just("\"x\"".to_owned()),
        Just("{.a[".to_owned()),
        Just("]}".to_owned()),
        "[\\PC\n]{0,3}",
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_template_panics(template in pieces()) {
        let value = json!({"a": [{"a": 1, "b": "日x"}, null, [1, 2.5], "s"], "b": {"a": true}});
        let _ = print(&template, &value);
        let _ = Path::relaxed(&template).map(|path| path.find(&value).is_ok());
    }

    #[test]
    fn text_without_braces_prints_as_it_is(text in "[^{}]{1,40}") {
        prop_assert_eq!(print(&text, &json!({})).unwrap(), text);
    }

    #[test]
    fn slices_are_rusts(length in 0usize..6, start in 0usize..7, end in 0usize..7) {
        let items: Vec<usize> = (0..length).collect();
        let printed = print(&format!("{{@[{start}:{end}]}}"), &json!(items));
        match items.get(start..end).filter(|part| !part.is_empty()) {
            Some(part) => prop_assert_eq!(printed.unwrap(), part.iter().map(usize::to_string).collect::<Vec<_>>().join(" ")),
            None => prop_assert_eq!(printed.is_ok(), start == end),
        }
    }
}
