//! The tables of a page: the overview of causes, the fields of a status, and what was not read.

use super::Sheet;
use super::markup::Attribute::{To, Word};
use super::markup::Html;
use crate::render::report::overview::entries;
use crate::text::count;

/// A part that was not read.
pub(super) struct Unread<'r> {
    pub(super) what: &'r str,
    pub(super) why: &'r str,
    /// The checks that were not run because of it.
    pub(super) codes: Vec<&'r str>,
}

impl Sheet<'_> {
    /// Each cause in a row, with its severity and whom it hits.
    pub(super) fn overview(&self, html: &mut Html) {
        let entries = entries(self.report);
        if entries.is_empty() {
            return;
        }
        table(html, &["Code", "Onboarding", "Cause"], |html| {
            for entry in &entries {
                let first = entry.causes[0];
                let who = match entry.causes[..] {
                    [cause] if cause.places.len() == 1 => {
                        self.name(&self.report.onboardings[cause.places[0].0])
                    }
                    _ => count(entry.hits() as u64, "onboarding"),
                };
                html.block("tr", &[], |html| {
                    let word = entry.severity.word();
                    html.element("td", &[Word("class", "word")], |html| {
                        html.element("span", &[Word("class", word)], |html| html.text(word));
                        html.text(" ");
                        let to = To("cause", self.number(first));
                        html.element("a", &[to], |html| html.text(entry.code));
                    });
                    cell(html, &who);
                    cell(html, entry.message);
                });
            }
        });
    }
}

/// The parts that were not read, with the reason; the same once.
pub(super) fn unread<'r>(html: &mut Html, parts: impl Iterator<Item = Unread<'r>>) {
    let mut all: Vec<Unread<'r>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for part in parts {
        let at = *known.entry((part.what, part.why)).or_insert(all.len());
        match all.get_mut(at) {
            Some(same) => same.codes.extend(part.codes),
            None => all.push(part),
        }
    }
    // A status is not made of checks.
    let heads = match all.iter().any(|part| !part.codes.is_empty()) {
        true => &["Part", "Why", "Checks"][..],
        false => &["Part", "Why"],
    };
    table(html, heads, |html| {
        for part in &mut all {
            part.codes.sort_unstable();
            part.codes.dedup();
            html.block("tr", &[], |html| {
                cell(html, part.what);
                cell(html, part.why);
                if heads.len() > 2 {
                    cell(html, &part.codes.join(", "));
                }
            });
        }
    });
}

/// Names with their values, each value a line.
pub(super) fn fields(html: &mut Html, fields: &[(&str, Vec<String>)]) {
    html.block("table", &[Word("class", "fields")], |html| {
        html.end_line();
        html.block("tbody", &[], |html| {
            html.end_line();
            for (name, values) in fields {
                html.block("tr", &[], |html| {
                    html.element("th", &[Word("scope", "row")], |html| html.text(name.trim()));
                    html.element("td", &[], |html| {
                        for value in values {
                            html.element("p", &[], |html| html.text(value));
                        }
                    });
                });
            }
        });
    });
}

fn table(html: &mut Html, heads: &[&str], rows: impl FnOnce(&mut Html)) {
    html.block("table", &[], |html| {
        html.end_line();
        html.block("thead", &[], |html| {
            html.element("tr", &[], |html| {
                for head in heads {
                    html.element("th", &[Word("scope", "col")], |html| html.text(head));
                }
            });
        });
        html.block("tbody", &[], |html| {
            html.end_line();
            rows(html);
        });
    });
}

fn cell(html: &mut Html, text: &str) {
    html.element("td", &[], |html| html.text(text));
}
