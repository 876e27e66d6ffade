//! Objects are parsed once, where they are read: no rule and no description walks JSON.

use crate::layers::{is_test_only, module};
use crate::sources::sources;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Expr, ExprIndex, ExprLit, ExprMethodCall, Item, ItemMod, Lit, Path, UseTree};

/// What is held to it.
const TYPED: [&str; 2] = ["src/diagnosis/", "src/view/description"];

/// Files that may hold JSON: a chart's values are anything, a change of a manifest is written as it will stand there, and `describe`
/// prints the HelmRelease as it was sent.
const UNTYPED: [&str; 7] = [
    "src/diagnosis/finding.rs",
    "src/diagnosis/needs.rs",
    "src/diagnosis/peers.rs",
    "src/diagnosis/rendering.rs",
    "src/diagnosis/rules/field_refused.rs",
    "src/diagnosis/rules/job_account_missing.rs",
    "src/view/description.rs",
];

/// The modules of a file that are test code.
#[derive(Default)]
struct Tests(BTreeSet<String>);

impl<'ast> Visit<'ast> for Tests {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_test_only(&item.attrs) {
            self.0.insert(item.ident.to_string());
        }
    }
}

/// The files that are not test code as a whole, parsed.
fn production(sources: &[(String, String)]) -> Vec<(&str, syn::File)> {
    let (mut all, mut tests) = (Vec::new(), BTreeSet::new());
    for (name, text) in sources {
        let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut own = Tests::default();
        own.visit_file(&file);
        let named = own.0.into_iter();
        tests.extend(named.map(|test| [&module(name)[..], &[test]].concat()));
        all.push((name.as_str(), file));
    }
    all.retain(|(name, _)| !tests.iter().any(|test| module(name).starts_with(test)));
    all
}

pub(crate) fn is_test_code(item: &Item) -> bool {
    match item {
        Item::Mod(item) => is_test_only(&item.attrs),
        Item::Fn(item) => is_test_only(&item.attrs),
        Item::Use(item) => is_test_only(&item.attrs),
        _ => false,
    }
}

/// Whether the production code of a file names JSON or looks into it.
#[derive(Default)]
struct Json(bool);

/// Whether what is used of serde_json is its `Value`; `json!` only writes one.
fn has_value(tree: &UseTree) -> bool {
    match tree {
        UseTree::Name(name) => name.ident == "Value",
        UseTree::Rename(name) => name.ident == "Value",
        UseTree::Group(group) => group.items.iter().any(has_value),
        UseTree::Path(_) => false,
        UseTree::Glob(_) => true,
    }
}

impl<'ast> Visit<'ast> for Json {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_code(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_use_tree(&mut self, tree: &'ast UseTree) {
        if let UseTree::Path(path) = tree {
            self.0 |= path.ident == "serde_json" && has_value(&path.tree);
        }
        visit::visit_use_tree(self, tree);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.0 |= names.ends_with(&["serde_json".to_owned(), "Value".to_owned()]);
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.0 |= ["pointer", "pointer_mut"]
            .iter()
            .any(|name| call.method == name);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_index(&mut self, index: &'ast ExprIndex) {
        let key = |lit: &ExprLit| matches!(lit.lit, Lit::Str(_));
        self.0 |= matches!(&*index.index, Expr::Lit(lit) if key(lit));
        visit::visit_expr_index(self, index);
    }
}

/// The files whose production code `is` true of.
pub(crate) fn files(sources: &[(String, String)], is: impl Fn(&syn::File) -> bool) -> Vec<&str> {
    let all = production(sources).into_iter();
    all.filter(|(_, file)| is(file))
        .map(|(name, _)| name)
        .collect()
}

/// The files that use JSON, but for test code.
fn untyped(sources: &[(String, String)]) -> Vec<&str> {
    files(sources, |file| {
        let mut json = Json::default();
        json.visit_file(file);
        json.0
    })
}

#[test]
fn no_rule_and_no_description_walks_json() {
    let mut all = sources();
    all.retain(|(file, _)| TYPED.iter().any(|folder| file.starts_with(folder)));
    // What `lint` checks is the manifest as it is written.
    all.retain(|(file, _)| !file.starts_with("src/diagnosis/lint/"));
    assert_eq!(untyped(&all), UNTYPED);
}

#[test]
fn json_is_found_in_each_form() {
    let is_found =
        |text: &str| !untyped(&[("src/diagnosis/a.rs".to_owned(), text.to_owned())]).is_empty();
    for text in [
        "use serde_json::Value;",
        "use serde_json::{Value as Json, json};",
        "use serde_json::*;",
        "fn f(_: &serde_json::Value) {}",
        "fn f(o: &O) { o.pointer(\"/spec\"); }",
        "fn f(o: &O) { o[\"spec\"][\"url\"].as_str(); }",
        "#[cfg(not(test))] use serde_json::Value;",
    ] {
        assert!(is_found(text), "{text}");
    }
    for text in [
        "fn f(o: &O) { o.spec.url[0].as_str(); }",
        "use serde_json::json;",
        "#[cfg(test)] mod tests { use serde_json::Value; }",
    ] {
        assert!(!is_found(text), "{text}");
    }
}
