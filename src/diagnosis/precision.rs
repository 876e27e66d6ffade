//! docs/precision.md: every case with its cause, what was found, and the totals. Test code only.
//!
//! The cases of tests/fixtures are diagnosed here. Those of tests/cluster/matrix are reproduced with real Flux and diagnosed
//! in the cluster test, which fails where this page would be wrong; here only their files are read.

use super::fixture::{self, Meta};
use super::registry;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// The code of a failure whose cause no rule knows.
const UNKNOWN: &str = "SKVS900";

/// What the testbed runs.
const REAL: &str = "1.6.3";

/// A row of the page.
struct Row {
    name: String,
    controller: String,
    expected: Vec<String>,
    found: Vec<String>,
}

impl Row {
    fn is_wrong(&self) -> bool {
        self.expected != self.found
    }

    fn is_unknown(&self) -> bool {
        self.found.iter().any(|code| code == UNKNOWN)
    }

    fn result(&self) -> &'static str {
        match (self.is_wrong(), self.is_unknown()) {
            (true, _) => "wrong",
            (_, true) => "unknown, as told",
            _ => "right",
        }
    }
}

/// A case or a healthy onboarding of the cluster test.
struct Real {
    slug: String,
    title: String,
    expected: Vec<String>,
    unknown: Option<String>,
}

fn real(folder: &str) -> Vec<Real> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cluster/matrix")
        .join(folder);
    let read = |path: &std::path::PathBuf| {
        let file = fixture::case::read::<Value>(path, str::to_owned);
        let codes = file.header["expect"].as_array().into_iter().flatten();
        Real {
            slug: file.slug,
            title: file.header["title"].as_str().unwrap().to_owned(),
            expected: codes.map(|c| c.as_str().unwrap().to_owned()).collect(),
            unknown: file.header["unknown"].as_str().map(str::to_owned),
        }
    };
    fixture::case::paths(&folder).iter().map(read).collect()
}

/// The cases of tests/fixtures, diagnosed.
fn fixtures(origin: &str) -> Vec<Row> {
    let all = fixture::names().into_iter().filter_map(|name| {
        let meta = fixture::meta(&name);
        (meta.origin == origin).then(|| {
            let roots = fixture::diagnosis(&name).roots;
            let mut found: Vec<String> = roots.iter().map(|r| r.rule.code.to_owned()).collect();
            found.sort_unstable();
            Row {
                controller: controller(&name, &meta),
                name,
                expected: meta.expect,
                found,
            }
        })
    });
    all.collect()
}

/// The version that the case names, or which ones serve the API version that its HelmRelease was read in.
fn controller(name: &str, meta: &Meta) -> String {
    if let Some(version) = &meta.controller {
        return version.clone();
    }
    let object = fixture::snapshot(name).object.clone();
    match object["apiVersion"]
        .as_str()
        .and_then(|v| v.split_once('/'))
    {
        _ if meta.origin == "recorded" => REAL,
        Some((_, "v2beta1")) => "up to 0.36",
        Some((_, "v2beta2")) => "0.37 to 1.4",
        _ => "1.x",
    }
    .to_owned()
}

fn codes(codes: &[String]) -> String {
    if codes.is_empty() {
        "none".to_owned()
    } else {
        codes.join(", ")
    }
}

/// How the cases came about, in a sentence, and those that stay unknown.
fn summary(matrix: &[Real], recorded: &[Row], written: &[Row]) -> String {
    let total = matrix.len() + recorded.len() + written.len();
    let of = |controllers: &[&str]| {
        let is = |row: &&Row| controllers.iter().any(|c| row.controller.starts_with(c));
        written.iter().filter(is).count()
    };
    let old = of(&["0.3", "up to 0.36"]);
    let middle = of(&["0.37", "1.3", "1.4"]);
    let mut out = format!(
        "Of {total} cases, {} are reproduced in each test run with real Flux (helm-controller {REAL}), {} were recorded\n\
        from it, and {} are written by hand from the source code and the messages of a version: {old} for helm-controller up to\n\
        0.36, {middle} for 0.37 to 1.4, {} for 1.x in general. No controller older than {REAL} could be run here, so nothing on\n\
        this page is measured on one.\n\n",
        matrix.len(),
        recorded.len(),
        written.len(),
        written.len() - old - middle,
    );
    let rows = recorded
        .iter()
        .chain(written)
        .filter(|row| row.is_unknown());
    let unknown: Vec<&str> = rows
        .map(|row| row.name.as_str())
        .chain(
            matrix
                .iter()
                .filter(|c| c.unknown.is_some())
                .map(|c| c.slug.as_str()),
        )
        .collect();
    let _ = writeln!(
        out,
        "The cause stays unknown ({UNKNOWN}), as the case expects, in:\n\n- {}\n",
        unknown.join("\n- ")
    );
    out
}

fn page() -> String {
    let (matrix, healthy) = (real("cases"), real("healthy"));
    let (recorded, written) = (fixtures("recorded"), fixtures("written"));
    let rows = || recorded.iter().chain(&written);
    let wrong = rows().filter(|row| row.is_wrong()).count();
    let unknown = rows().filter(|row| row.is_unknown()).count()
        + matrix.iter().filter(|case| case.unknown.is_some()).count();
    let total = matrix.len() + recorded.len() + written.len();
    let mut out = String::from(
        "# Precision\n\n\
        Every test case of the diagnosis and its findings. Generated from the cases; do not edit\n\
        (`BLESS=1 cargo test --lib docs` rewrites it). A case is right when the root causes are exactly the expected ones:\n\
        none is missing and none is added. Codes: [diagnoses.md](diagnoses.md)\n\n\
        Public bug reports that the tests had never seen, first try and now: [public-reports.md](public-reports.md)\n\n",
    );
    out.push_str(&summary(&matrix, &recorded, &written));
    let _ = writeln!(
        out,
        "| Cases | Number |\n|---|---|\n\
        | all | {total} |\n\
        | reproduced with real Flux {REAL} in the testbed | {} |\n\
        | recorded from a cluster | {} |\n\
        | written by hand | {} |\n\
        | with a wrong cause | {wrong} |\n\
        | with the cause unknown, as the case says | {unknown} |\n\
        | healthy onboardings, of which nothing may be found | {} |",
        matrix.len(),
        recorded.len(),
        written.len(),
        healthy.len()
    );
    out.push_str(
        "\n## Reproduced with real Flux\n\n\
        Each file of `tests/cluster/matrix/cases/` leads Flux, Helm, the API server, the scheduler and the node of the testbed into a\n\
        failure; `cargo test --test cluster matrix` fails where the causes are not these.\n\n\
        | Case | What happens | Cause |\n|---|---|---|\n",
    );
    for case in &matrix {
        let mut cause = codes(&case.expected);
        if let Some(why) = &case.unknown {
            let _ = write!(cause, " ({why})");
        }
        let _ = writeln!(out, "| {} | {} | {cause} |", case.slug, case.title);
    }
    out.push_str(
        "\n## Healthy\n\n\
        Of `tests/cluster/matrix/healthy/` nothing is found, alone or together.\n\n| Onboarding | What is special |\n|---|---|\n",
    );
    for case in &healthy {
        let _ = writeln!(out, "| {} | {} |", case.slug, case.title);
    }
    for (heading, folder, rows) in [
        (
            "Recorded",
            "Objects of a cluster, kept as they were.",
            &recorded,
        ),
        (
            "Written",
            "Objects with the conditions, reasons and texts of the controller's version.",
            &written,
        ),
    ] {
        let _ = write!(
            out,
            "\n## {heading}\n\n{folder} In `tests/fixtures/diagnosis/`.\n\n\
            | Case | helm-controller | Expected | Found | Result |\n|---|---|---|---|---|\n"
        );
        for row in rows {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                row.name,
                row.controller,
                codes(&row.expected),
                codes(&row.found),
                row.result()
            );
        }
    }
    out
}

#[test]
fn docs_precision_is_what_the_cases_say() {
    crate::generated::holds("docs/precision.md", &page());
}

#[test]
fn no_case_has_a_wrong_cause_and_unknown_is_told() {
    for origin in ["recorded", "written"] {
        for row in fixtures(origin) {
            assert!(!row.is_wrong(), "{}: {:?}", row.name, row.found);
        }
    }
    let cases = real("cases");
    assert!(cases.len() >= 25, "{}", cases.len());
    assert!(real("healthy").len() >= 20);
    for case in cases {
        for code in &case.expected {
            assert!(registry::find(code).is_some(), "{}: {code}", case.slug);
        }
        assert!(case.expected.is_sorted(), "{}", case.slug);
        let unknown = case.expected.iter().any(|code| code == UNKNOWN);
        assert_eq!(unknown, case.unknown.is_some(), "{}", case.slug);
    }
}
