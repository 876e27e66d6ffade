//! Texts of Flux, Helm and Kubernetes are read in `model`: the files of the diagnosis that still match one themselves are listed.

use crate::layers::is_test_only;
use crate::parsed::files;
use crate::sources::sources;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Item, Lit, Member};

/// Files that match a text. A new one is not added: its text becomes a `Cause` in `model/failure`.
const READERS: [&str; 34] = [
    "src/diagnosis/case/report.rs",
    "src/diagnosis/finding.rs",
    "src/diagnosis/install.rs",
    "src/diagnosis/job/uncreated.rs",
    "src/diagnosis/rules/artifact_gone.rs",
    "src/diagnosis/rules/being_deleted.rs",
    "src/diagnosis/rules/chart_archive_broken.rs",
    "src/diagnosis/rules/chart_not_verified.rs",
    "src/diagnosis/rules/chart_version_differs.rs",
    "src/diagnosis/rules/crd_step_failed.rs",
    "src/diagnosis/rules/creation_job_failed.rs",
    "src/diagnosis/rules/database_exists/unclaimed.rs",
    "src/diagnosis/rules/database_name_invalid.rs",
    "src/diagnosis/rules/field_refused.rs",
    "src/diagnosis/rules/not_in_registry.rs",
    "src/diagnosis/rules/object_exists.rs",
    "src/diagnosis/rules/release_locked.rs",
    "src/diagnosis/rules/remediated.rs",
    "src/diagnosis/rules/repository_index_broken.rs",
    "src/diagnosis/rules/repository_secret_unusable.rs",
    "src/diagnosis/rules/repository_unauthorized.rs",
    "src/diagnosis/rules/repository_url_invalid.rs",
    "src/diagnosis/rules/repository_wrong_url.rs",
    "src/diagnosis/rules/retries_exhausted.rs",
    "src/diagnosis/rules/service_account_without_rights.rs",
    "src/diagnosis/rules/source_missing.rs",
    "src/diagnosis/rules/source_storage_failed.rs",
    "src/diagnosis/rules/storage_unread.rs",
    "src/diagnosis/rules/unknown_cause.rs",
    "src/diagnosis/rules/unknown_chart.rs",
    "src/diagnosis/rules/values_files_missing.rs",
    "src/diagnosis/rules/values_reference_unusable.rs",
    "src/diagnosis/rules/write_race.rs",
    "src/diagnosis/sources.rs",
];

/// Methods that look into a text.
const MATCHES: [&str; 10] = [
    "contains",
    "ends_with",
    "find",
    "match_indices",
    "rsplit_once",
    "split",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
];

/// Fields that hold what a controller wrote.
const TEXTS: [&str; 2] = ["message", "raw"];

/// Whether the production code of a file matches a text: a field of [`TEXTS`], or any string against a literal of several words.
#[derive(Default)]
struct Reads(bool);

fn is_text(receiver: &Expr) -> bool {
    match receiver {
        Expr::Field(field) => match &field.member {
            Member::Named(name) => TEXTS.iter().any(|text| name == text),
            Member::Unnamed(_) => false,
        },
        Expr::MethodCall(call) => is_text(&call.receiver),
        _ => false,
    }
}

fn is_prose(argument: &Expr) -> bool {
    match argument {
        Expr::Lit(lit) => matches!(&lit.lit, Lit::Str(text) if text.value().trim().contains(' ')),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Reads {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test_only(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let matches = MATCHES.iter().any(|name| call.method == name);
        self.0 |= matches && (is_text(&call.receiver) || call.args.iter().any(is_prose));
        visit::visit_expr_method_call(self, call);
    }
}

/// The files whose production code matches a text.
fn readers(sources: &[(String, String)]) -> Vec<&str> {
    files(sources, |file| {
        let mut reads = Reads::default();
        reads.visit_file(file);
        reads.0
    })
}

#[test]
fn no_other_file_of_the_diagnosis_reads_a_text() {
    let mut all = sources();
    all.retain(|(file, _)| file.starts_with("src/diagnosis/"));
    // What `lint` reads is a manifest.
    all.retain(|(file, _)| !file.starts_with("src/diagnosis/lint/"));
    assert_eq!(readers(&all), READERS);
}

#[test]
fn a_reader_is_found_in_each_form() {
    let is_found =
        |text: &str| !readers(&[("src/diagnosis/a.rs".to_owned(), text.to_owned())]).is_empty();
    for text in [
        "fn f(t: &str) { t.contains(\"is not ready\"); }",
        "fn f(c: &C) { LEADS.iter().any(|lead| c.message.starts_with(lead)); }",
        "fn f(t: &T) { t.raw.lines().find(is_it); }",
        "impl A { fn f(t: &str) { t.split_once(\" failed: no \"); } }",
    ] {
        assert!(is_found(text), "{text}");
    }
    for text in [
        "fn f(t: &T) { t.raw.to_owned(); }",
        "fn f(t: &str) { t.split_once('/'); }",
        "fn f(t: &str) { t.contains(\"word\"); }",
        "#[cfg(test)] mod tests { fn f(t: &str) { t.contains(\"is not ready\"); } }",
    ] {
        assert!(!is_found(text), "{text}");
    }
}

/// Whether the production code of a file takes conditions verbatim, whichever spec they are about.
#[derive(Default)]
struct Verbatim(bool);

impl<'ast> Visit<'ast> for Verbatim {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test_only(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let of_conditions = |receiver: &Expr| match receiver {
            Expr::Field(field) => matches!(&field.member, Member::Named(n) if n == "conditions"),
            _ => false,
        };
        let all = call.method == "shown" && of_conditions(&call.receiver);
        self.0 |= all || call.method == "shown_of";
        visit::visit_expr_method_call(self, call);
    }
}

fn verbatim(sources: &[(String, String)]) -> Vec<&str> {
    files(sources, |file| {
        let mut verbatim = Verbatim::default();
        verbatim.visit_file(file);
        verbatim.0
    })
}

#[test]
fn only_models_and_views_take_conditions_verbatim() {
    let mut all = sources();
    all.retain(|(file, _)| file.starts_with("src/"));
    assert_eq!(
        verbatim(&all),
        [
            "src/model/status.rs",
            "src/view/description.rs",
            "src/view/report.rs"
        ]
    );
    let found = |text: &str| verbatim(&[("src/a.rs".to_owned(), text.to_owned())]).len();
    for text in [
        "fn f(h: &H) { h.status.conditions.shown(); }",
        "fn f(h: &H) { h.status.conditions.shown_of(\"Ready\"); }",
    ] {
        assert_eq!(found(text), 1, "{text}");
    }
    for text in [
        "fn f(h: &H) { status::shown(h); h.fact.shown(h); }",
        "#[cfg(test)] mod tests { fn f(h: &H) { h.conditions.shown(); } }",
    ] {
        assert_eq!(found(text), 0, "{text}");
    }
}
