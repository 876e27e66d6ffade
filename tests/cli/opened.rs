//! A rule opens what was read by the name of the part: it takes no [`Read`] apart by pattern, where "not read" is easily taken for "none".

use crate::parsed::{files, is_test_code};
use crate::sources::sources;
use syn::visit::{self, Visit};
use syn::{Item, Macro, Pat, Path, UseTree};

/// Files that have facts of their own, beside a snapshot. Each of their matches names all three states.
const OPENERS: [&str; 6] = [
    "src/diagnosis/access.rs",
    "src/diagnosis/access/links.rs",
    "src/diagnosis/access/proof.rs",
    "src/diagnosis/offboarding/database.rs",
    "src/diagnosis/offboarding/facts.rs",
    "src/diagnosis/offboarding/pruning.rs",
];

/// Macros that match a pattern.
const MATCHING: [&str; 2] = ["matches", "assert_matches"];

/// Whether the production code of a file matches on the state of a `Read`, or gives it another name.
#[derive(Default)]
struct Opens(bool);

fn is_state(path: &Path) -> bool {
    let mut names = path.segments.iter().rev().map(|s| s.ident.to_string());
    names.nth(1).is_some_and(|name| name == "Read")
}

impl<'ast> Visit<'ast> for Opens {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_code(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_pat(&mut self, pat: &'ast Pat) {
        self.0 |= match pat {
            Pat::Path(pat) => is_state(&pat.path),
            Pat::Struct(pat) => is_state(&pat.path),
            Pat::TupleStruct(pat) => is_state(&pat.path),
            _ => false,
        };
        visit::visit_pat(self, pat);
    }

    fn visit_use_tree(&mut self, tree: &'ast UseTree) {
        self.0 |= match tree {
            UseTree::Path(path) => path.ident == "Read",
            UseTree::Rename(name) => name.ident == "Read",
            UseTree::Glob(_) | UseTree::Group(_) | UseTree::Name(_) => false,
        };
        visit::visit_use_tree(self, tree);
    }

    /// The words of a macro are not read as Rust.
    fn visit_macro(&mut self, called: &'ast Macro) {
        let is_matching = MATCHING.iter().any(|name| called.path.is_ident(name));
        let words = called.tokens.to_string().replace(' ', "");
        let mut names = words.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
        self.0 |= is_matching && names.any(|n| n.starts_with("Read::") || n.contains("::Read::"));
        visit::visit_macro(self, called);
    }
}

/// The files that take a `Read` apart, but for test code.
fn openers(sources: &[(String, String)]) -> Vec<&str> {
    files(sources, |file| {
        let mut opens = Opens::default();
        opens.visit_file(file);
        opens.0
    })
}

#[test]
fn no_rule_takes_apart_what_was_read() {
    let mut all = sources();
    all.retain(|(file, _)| file.starts_with("src/diagnosis/"));
    assert_eq!(openers(&all), OPENERS);
}

#[test]
fn a_pattern_is_found_in_each_form() {
    let is_found =
        |text: &str| !openers(&[("src/diagnosis/a.rs".to_owned(), text.to_owned())]).is_empty();
    for text in [
        "fn f(r: R) { match r { Read::Seen(x) => x, _ => y } }",
        "fn f(r: R) { if let Some(crate::snapshot::Read::Unknown(_)) = r {} }",
        "fn f(r: R) { let Read::Seen(x) = r else { return }; }",
        "fn f(r: R) { g(|Read::Absent| 1) }",
        "fn f(r: R) -> bool { matches!(r, Some(Read::Absent)) }",
        "fn f(r: R) -> bool { matches!(r, snapshot::Read::Absent) }",
        "use crate::snapshot::Read::*;",
        "use crate::snapshot::{Read as R};",
    ] {
        assert!(is_found(text), "{text}");
    }
    for text in [
        "use crate::snapshot::Read; fn f() -> Read<u8> { Read::Seen(1) }",
        "fn f(r: R) -> bool { matches!(r, NotRead::Some(_)) }",
        "fn f(r: R) { match r { Ok(Some(x)) => Read::Seen(x), _ => Read::Absent } }",
        "#[cfg(test)] mod tests { fn f(r: R) { let Read::Seen(x) = r else { return }; } }",
    ] {
        assert!(!is_found(text), "{text}");
    }
}
