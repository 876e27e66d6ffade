//! Every case of `tests/fixtures/kubectl-dialect`, compared with what the real kubectl printed.

#[path = "../../tests/support/same_yaml.rs"]
mod same_yaml;

use crate::text::Screen;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{custom_columns::CustomColumns, json, jsonpath, name, sort::SortBy, yaml};
use crate::view::object_list;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    get: Get,
    output: String,
    sort_by: Option<String>,
    #[serde(default)]
    no_headers: bool,
    stdout: String,
    error: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Get {
    One,
    All,
}

/// What `get` prints, also in front of an error, and the error.
fn run(case: &Case, mut objects: Vec<Value>) -> (String, Option<String>) {
    let mut out = Vec::new();
    let result = print(case, &mut objects, &mut out);
    (String::from_utf8(out).unwrap(), result.err())
}

fn print(case: &Case, objects: &mut Vec<Value>, out: &mut Vec<u8>) -> Result<(), String> {
    let error = |error: &dyn std::error::Error| error.to_string();
    let (format, argument) = case.output.split_once('=').unwrap_or((&case.output, ""));
    // kubectl checks the format before it asks the server, the order afterwards.
    let template = (format == "jsonpath")
        .then(|| jsonpath::Template::parse(argument))
        .transpose();
    let template = template.map_err(|e| error(&e))?;
    let columns = (format == "custom-columns")
        .then(|| CustomColumns::parse(argument))
        .transpose();
    let columns = columns.map_err(|e| error(&e))?;
    if case.get == Get::One {
        objects.truncate(1);
    }
    if let Some(by) = case.sort_by.as_deref().filter(|by| !by.is_empty()) {
        SortBy::parse(by)
            .and_then(|by| by.sort(objects, |object| object))
            .map_err(|e| error(&e))?;
    }
    if let Some(columns) = columns {
        let mut printer = columns.printer(case.no_headers);
        let screen = &mut Screen::new(out);
        printer.write_page(screen, objects).map_err(|e| error(&e))?;
        return printer.finish(screen).map_err(|e| error(&e));
    }
    if format == "name" {
        for object in objects {
            let text = object["metadata"]["name"].as_str().unwrap();
            name::write(
                &mut Screen::new(out),
                "HelmRelease",
                "helm.toolkit.fluxcd.io",
                text,
            )
            .unwrap();
        }
        return Ok(());
    }
    let whole = match case.get {
        Get::One => objects.remove(0),
        Get::All => object_list::list(std::mem::take(objects)),
    };
    match template {
        Some(template) => return template.write(out, &whole).map_err(|e| error(&e)),
        None if format == "json" => json::write_value(out, &whole),
        None => yaml::write_value(out, &whole),
    }
    .map_err(|e| error(&e))
}

#[test]
fn every_case_prints_what_kubectl_printed() {
    let objects: Vec<Value> = serde_json::from_str(include_str!(
        "../../tests/fixtures/kubectl-dialect/objects.json"
    ))
    .unwrap();
    let cases: Vec<Case> = serde_json::from_str(include_str!(
        "../../tests/fixtures/kubectl-dialect/cases.json"
    ))
    .unwrap();
    assert!(cases.len() > 200, "the corpus is read");
    let mut wrong = Vec::new();
    for case in &cases {
        let (stdout, error) = run(case, objects.clone());
        let is_alike = match case.output.as_str() {
            "yaml" => same_yaml::is_same_document(&stdout, &case.stdout),
            _ => stdout == case.stdout,
        };
        if !is_alike || error != case.error {
            wrong.push(format!(
                "-o {} (sort by {:?})\n  kubectl: {:?} {:?}\n  ours:    {stdout:?} {error:?}",
                case.output, case.sort_by, case.stdout, case.error
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_wrong_case_would_be_noticed() {
    let case =
        json!({"get": "one", "output": "jsonpath={.kind}", "stdout": "Secret", "error": null});
    let case: Case = serde_json::from_value(case).unwrap();
    assert_eq!(
        run(&case, vec![json!({"kind": "HelmRelease"})]),
        ("HelmRelease".to_owned(), None)
    );
}
