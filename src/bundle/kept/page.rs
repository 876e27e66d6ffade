//! Test code only: docs/capture.md, made of the table and the list of forms.

use super::super::manifest::API_VERSION;
use super::fields::{Class, RESOURCES};
use crate::text::scrub::FORMS;
use std::collections::BTreeMap;
use std::fmt::Write;

const HEAD: &str = "# What a capture holds

What `kubectl skvs capture` writes into a bundle. Generated from `src/bundle/kept/`; do not edit (`BLESS=1 cargo test --lib page`
rewrites it).

A bundle holds the fields that checks and views read, and nothing else. The list is below. A kind of object that is not in it is not
kept, and neither is a field, whatever it holds. An object is cut down as what its request's path names, whatever it says of itself.
The test `every_fixture_says_the_same_of_what_is_kept` holds that a report says the same of a bundle as of the cluster.

- Of a Secret its name, type, times and Helm's labels are kept. A payload is kept only of Helm's releases, decoded and cut down by the
  list. A manifest in a release becomes a list of its objects, each cut down by its kind; of a document that is not YAML only a marker stays.
- Of values (`spec.values`, those of the release and of the chart), `spec.postRenderers` and `spec.kubeConfig` the keys and types are kept.
  A text becomes `<left out>`, a number 0. The runbook's values and those that a check reads are in the list. Under a key that ends in
  `namespace`, `database` or `databaseName` a text of `a-z`, `0-9`, `-`, `_` and `.` is kept, since such a pair claims a database.
- A name of the class `database` is kept as it is where CouchDB takes it: at most 238 of `a-z`, `0-9` and `_$()+/.-`, however random
  it looks. Of any other name that was scrubbed a report says that it is not known.
- Behind `<left out>` those words of a text stay that are the name of a database that a HelmRelease in the bundle claims: for every
  claim the bundle says which object and field mentions it.
- PersistentVolumes and StorageClasses are listed only for a pod without a volume. The list is of the whole cluster: it has the
  volumes of other namespaces too, with the namespace and name of the claim of each.
- Who owns a database is never known from a bundle alone: what can claim it was not read in all namespaces, so no report of a bundle
  offers a deletion.
- The manifest's own texts (context, server, names, selectors, paths), refusals and errors are scrubbed like free text.

The number in `apiVersion` counts these lists. A version reads the bundles of its own list and those of v1alpha1, which hold
whole answers.
";

const SCRUBBED: &str = "
## What is scrubbed

Free text is searched for these forms. What is found becomes `<scrubbed>`: what stands between « and » in the example.

| Form | Example |
|---|---|
";

const SURVIVES: &str = "
## What can still be in it

A secret without any of these forms, such as a password that a log prints alone, is not recognised. It can survive in the fields of the
classes `text`, `arguments`, `name` and `database`. A `word` is kept only if it is of letters and hyphens, a `figure` only if it is a time, a
duration, a number or a UID. Of a `url` of http or https the scheme, host and port are kept, and names of databases that a HelmRelease in
the bundle claims. What does not fit becomes `<left out>`.

Of values (the class `shape`) these can survive:

- their keys;
- under a key that ends in `namespace`, `database` or `databaseName`, a number and a text of `a-z`, `0-9`, `-`, `_` and `.`.

Lists and maps below 40 levels become `<left out>`. Look through the text fields before you hand a bundle on:

";

const FIELDS: &str = "
## The fields

`*` is every item of a list or every key, `**` everything below that is not listed.
";

fn page() -> String {
    let mut out = HEAD.to_owned();
    out.push_str(SCRUBBED);
    for form in FORMS {
        let example = form.example.replace('\n', "⏎").replace('|', "\\|");
        let _ = writeln!(out, "| {} | `{example}` |", form.what.replace('|', "\\|"));
    }
    out.push_str(SURVIVES);
    for resource in &RESOURCES {
        let free = |(class, _): &(Class, String)| matches!(class, Class::Text | Class::Arguments);
        let free: Vec<String> = resource
            .paths()
            .into_iter()
            .filter(free)
            .map(|(_, path)| shown(&path))
            .collect();
        if !free.is_empty() {
            let _ = writeln!(out, "- {}: {}", resource.kind, free.join(", "));
        }
    }
    out.push_str(FIELDS);
    for resource in &RESOURCES {
        let _ = write!(
            out,
            "\n### {}\n\n| Class | Fields |\n|---|---|\n",
            resource.kind
        );
        let mut classes: BTreeMap<Class, Vec<String>> = BTreeMap::new();
        for (class, path) in resource.paths() {
            classes.entry(class).or_default().push(shown(&path));
        }
        for (class, mut fields) in classes {
            fields.sort();
            fields.dedup();
            let _ = writeln!(
                out,
                "| {} | {} |",
                format!("{class:?}").to_lowercase(),
                fields.join(", ")
            );
        }
    }
    out
}

/// `metadata.labels["app.kubernetes.io/part-of"]` as a path of kubectl's.
fn shown(path: &str) -> String {
    if path == "*" {
        return "every line".to_owned();
    }
    let parts = path.split('/').map(|part| match part {
        "*" => "[*]".to_owned(),
        part if part.contains(['.', '~']) => format!("[\"{}\"]", part.replace('~', "/")),
        part => format!(".{part}"),
    });
    format!("`{}`", parts.collect::<String>())
}

#[test]
fn the_page_says_what_the_table_says() {
    crate::generated::holds("docs/capture.md", &page());
}

/// A version that knows another list would take a field that was not kept for one that is absent.
#[test]
fn a_longer_list_has_another_version() {
    let lines = RESOURCES.iter().flat_map(|r| {
        let paths = r.paths().into_iter();
        paths.map(|(class, path)| format!("{} {class:?} {path}\n", r.name))
    });
    let fnv = lines
        .flat_map(String::into_bytes)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
    assert_eq!(
        (API_VERSION, format!("{fnv:x}").as_str()),
        ("skvs.kubectl.io/v1alpha5", "db15dbc31d92a05f"),
        "fields were added: raise API_VERSION, and leave READABLE as it is; if some were only removed, take the new number over"
    );
}
