//! The arrows between the modules of src/: each may use those below it and no others.

use crate::sources::sources;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Meta, Path, UseTree};

/// From the ground up: a module may not use those above it.
const LAYERS: [&str; 31] = [
    "exit",
    "help",
    "private_file",
    "text",
    "palette",
    "advice",
    "error",
    "programs",
    "interrupt",
    "model",
    "snapshot",
    "repository",
    "helm",
    "diagnosis",
    "bundle",
    "ui",
    "cluster",
    "settings",
    "app",
    "couchdb",
    "view",
    "render",
    "flags",
    "lookup",
    "question",
    "change",
    "triage",
    "backup",
    "completion",
    "commands",
    "cli",
];

/// The names that one file uses, as paths from the root of the program.
struct Uses {
    /// The module that is being read, from the root.
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
    /// Modules of test code that are in files of their own.
    test_modules: BTreeSet<Vec<String>>,
}

/// The conditions under which nothing of the program is built.
const TEST_ONLY: [&str; 2] = ["test", "any(fuzzing,test)"];

pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        let tokens = attribute.meta.require_list().map(|l| l.tokens.to_string());
        let condition = tokens.unwrap_or_default().replace(' ', "");
        attribute.path().is_ident("cfg") && TEST_ONLY.contains(&condition.as_str())
    };
    attributes.iter().any(is_test)
}

impl Uses {
    /// Takes a path that begins with `crate` or `super`; others are of other crates or of this module.
    fn take(&mut self, path: &[String]) {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let from = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("super") => self.module[..self.module.len().saturating_sub(supers)].to_vec(),
            _ => return,
        };
        let rest = path.iter().skip(supers.max(1)).cloned();
        self.found.insert(from.into_iter().chain(rest).collect());
    }

    /// The words of a macro or an attribute are not read as Rust: a path in them is three of its tokens. A `super` in them is not
    /// looked for.
    fn take_words(&mut self, words: &str) {
        let text = words.replace(' ', "");
        for rest in text.split("crate::").skip(1) {
            let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path = rest.split(|c| !is_path(c)).next().unwrap_or_default();
            let names = ["crate"].into_iter().chain(path.split("::"));
            self.take(&names.map(str::to_owned).collect::<Vec<_>>());
        }
    }

    fn take_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.take_tree(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.take(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.take(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.take(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.take_tree(tree, before);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_test_only(attributes) {
            return visit::visit_item(self, item);
        }
        if let Item::Mod(module) = item {
            let name = vec![module.ident.to_string()];
            self.test_modules.insert([&self.module[..], &name].concat());
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.take_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.take(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.take_words(&called.tokens.to_string());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        match &attribute.meta {
            // A doc comment and other texts are values.
            Meta::Path(_) | Meta::NameValue(_) => {}
            Meta::List(list) => self.take_words(&list.tokens.to_string()),
        }
    }
}

/// `src/a/b.rs` and `src/a/b/mod.rs` as `[a, b]`, the root of the program as `[]`.
pub(crate) fn module(file: &str) -> Vec<String> {
    let names = file
        .strip_prefix("src/")
        .and_then(|file| file.strip_suffix(".rs"));
    let mut names: Vec<String> = names
        .unwrap_or_default()
        .split('/')
        .map(str::to_owned)
        .collect();
    if names
        .last()
        .is_some_and(|name| matches!(name.as_str(), "mod" | "lib" | "main"))
    {
        names.pop();
    }
    names
}

/// The uses of every file that is not test code alone.
fn uses(sources: &[(String, String)]) -> Vec<(&String, Uses)> {
    let mut files = Vec::new();
    let mut test_modules = BTreeSet::new();
    for (file, text) in sources {
        let mut uses = Uses {
            module: module(file),
            found: BTreeSet::new(),
            test_modules: BTreeSet::new(),
        };
        uses.visit_file(&syn::parse_file(text).unwrap_or_else(|e| panic!("{file}: {e}")));
        test_modules.extend(uses.test_modules.clone());
        files.push((file, uses));
    }
    let is_test = |module: &[String]| test_modules.iter().any(|test| module.starts_with(test));
    files.retain(|(file, _)| !is_test(&module(file)));
    files
}

/// What uses a module above its own, each as `file uses module`.
fn upward(sources: &[(String, String)]) -> Vec<String> {
    let place = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for (file, uses) in uses(sources) {
        let module = module(file);
        // The root knows everything.
        let Some(own) = module.first() else {
            continue;
        };
        let Some(own_place) = place(own) else {
            wrong.push(format!("{file} has no layer"));
            continue;
        };
        let tops: BTreeSet<&String> = uses.found.iter().filter_map(|path| path.first()).collect();
        let above = tops
            .into_iter()
            .filter(|top| place(top).is_some_and(|p| p > own_place));
        wrong.extend(above.map(|top| format!("{file} uses {top}")));
    }
    wrong
}

#[test]
fn no_arrow_points_up() {
    assert_eq!(upward(&sources()), Vec::<String>::new());
}

/// The modules of `src/commands/` that no command of the CLI is named like, and what a command uses of another one.
fn outside_commands(sources: &[(String, String)]) -> Vec<String> {
    let cli = <kubectl_skvs::cli::Cli as clap::CommandFactory>::command();
    let commands = cli
        .get_subcommands()
        .map(|c| c.get_name().replace('-', "_"));
    let commands: BTreeSet<String> = commands.collect();
    let mut wrong = Vec::new();
    for (file, uses) in uses(sources) {
        let module = module(file);
        let [layer, own, ..] = module.as_slice() else {
            continue;
        };
        if layer != "commands" {
            continue;
        }
        if !commands.contains(own) {
            wrong.push(format!("{file} is not a command"));
        }
        let others = uses.found.iter().filter_map(|path| match path.as_slice() {
            [layer, other, ..] if layer == "commands" && other != own => Some(other),
            _ => None,
        });
        // `demo` runs a command by the entry that the CLI uses.
        let others = others.filter(|other| commands.contains(*other));
        let others: BTreeSet<&String> = others.collect();
        wrong.extend(
            others
                .into_iter()
                .map(|other| format!("{file} uses {other}")),
        );
    }
    wrong
}

#[test]
fn commands_are_commands_and_use_no_other() {
    assert_eq!(outside_commands(&sources()), Vec::<String>::new());
    let found = |file: &str, text: &str| outside_commands(&[(file.to_owned(), text.to_owned())]);
    let list = "src/commands/list.rs";
    for (file, text, wrong) in [
        (
            list,
            "use super::status;",
            "src/commands/list.rs uses status",
        ),
        (
            list,
            "fn f() { crate::commands::status::run(); }",
            "src/commands/list.rs uses status",
        ),
        (
            list,
            "mod a { use super::super::status; }",
            "src/commands/list.rs uses status",
        ),
        (
            "src/commands/list/watch.rs",
            "use super::super::{status};",
            "src/commands/list/watch.rs uses status",
        ),
        (
            "src/commands/helper.rs",
            "",
            "src/commands/helper.rs is not a command",
        ),
        (
            "src/commands/helper/part.rs",
            "",
            "src/commands/helper/part.rs is not a command",
        ),
    ] {
        assert_eq!(found(file, text), [wrong], "{text}");
    }
    for text in [
        "mod watch; use watch::run;",
        "use super::list::watch;",
        "#[cfg(test)] mod tests { use crate::commands::status; }",
    ] {
        assert_eq!(found(list, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn an_arrow_that_points_up_is_found_in_each_form() {
    let used = |text: &str| upward(&[("src/model/a.rs".to_owned(), text.to_owned())]);
    for text in [
        "use crate::cli::Cli;",
        "use crate::{text, cli::Cli};",
        "use super::super::cli;",
        "mod b { use super::super::super::cli::Cli; }",
        "fn f() { crate::cli::run(); }",
        "fn f(_: crate::cli::Cli) {}",
        "fn f() { print!(\"{}\", crate::cli::NAME); }",
        "struct S { #[arg(value_parser = crate::cli::name)] a: u8 }",
        "struct S { #[serde(with = \"crate::cli::name\")] a: u8 }",
        "#[cfg(not(test))] use crate::cli::Cli;",
        "#[cfg(feature = \"test\")] use crate::cli::Cli;",
    ] {
        assert_eq!(used(text), ["src/model/a.rs uses cli"], "{text}");
    }
    for text in [
        "use crate::text::clean;",
        "#[cfg(test)] mod tests { use crate::cli::Cli; }",
        "mod cli { pub fn f() {} } use cli::f;",
    ] {
        assert_eq!(used(text), Vec::<String>::new(), "{text}");
    }
}
