//! A status as text: what was found in a line, one line each for onboardings, databases, CouchDB and the chart's source, then the causes,
//! worst first.

pub mod clusters;

use super::report::{self, Style};
use super::sheet::Sheet;
use crate::model::inventory::State;
use crate::model::not_read::NotRead;
use crate::text::{Screen, count, few};
use crate::view::status::{Attention, Status};
use k8s_openapi::jiff::Timestamp;
use std::io;

/// Most names in one line, and most lines of one kind.
const MOST: usize = 8;

/// Writes it.
///
/// # Errors
/// The output is closed.
pub fn write(
    out: &mut Screen<'_>,
    status: &Status,
    style: Style,
    now: Timestamp,
) -> io::Result<()> {
    let mut sheet = Sheet::new(out, style.width);
    for (key, values) in fields(status, style.namespaced, now) {
        sheet.fields(key, &values)?;
    }
    if !status.causes.is_empty() {
        out.line("")?;
        report::causes(out, &status.report, style)?;
    }
    Ok(())
}

/// The lines above the causes, each with its key.
pub(super) fn fields(
    status: &Status,
    namespaced: bool,
    now: Timestamp,
) -> Vec<(&'static str, Vec<String>)> {
    let mut fields = vec![
        ("Found", vec![found(status)]),
        ("Onboardings", vec![onboardings(status)]),
        ("Databases", vec![status.databases.words()]),
    ];
    for (key, state) in [
        ("  Orphans", State::Orphan),
        ("  Shared", State::Shared),
        ("  Missing", State::Missing),
        ("  Unserved", State::Unserved),
        ("  Mentioned", State::Mentioned),
    ] {
        let all: Vec<&Attention> = status.databases.in_state(state).collect();
        if !all.is_empty() {
            fields.push((key, names(&all, state, namespaced)));
        }
    }
    fields.push(("CouchDB", vec![status.couchdb.words()]));
    let sources = status.sources.iter().map(|source| source.words(now));
    let sources = capped(sources.collect(), "more source");
    if !sources.is_empty() {
        fields.push(("Chart from", sources));
    }
    if !status.not_read.is_empty() {
        fields.push(("Not read", unread(&status.not_read)));
    }
    fields
}

/// `22 in flux-system: 9 ready, 13 failing; 1 suspended`.
fn onboardings(status: &Status) -> String {
    let counts = &status.onboardings;
    let place = match &status.namespace {
        Some(namespace) => format!(" in {namespace}"),
        None => String::new(),
    };
    match counts.total() {
        0 => format!("none{place}"),
        n => format!("{}{place}: {}", crate::text::thousands(n), counts.states()),
    }
}

/// `7 errors, 2 warnings`, and whether that is all.
fn found(status: &Status) -> String {
    let mut parts: Vec<String> = [
        (status.errors, "error"),
        (status.warnings, "warning"),
        (status.infos, "info"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| count(n, word))
    .collect();
    if status.couchdb.has_error() {
        parts.push("a member of CouchDB that is down".to_owned());
    }
    if status.databases.has_error() {
        parts.push("a database that CouchDB cannot serve".to_owned());
    }
    let elsewhere = status.missing_elsewhere();
    if elsewhere > 0 {
        let missing = count(elsewhere, "missing database");
        parts.push(format!("{missing} of other namespaces"));
    }
    let failing = status.failing_sources();
    if failing > 0 {
        let sources = count(failing, "chart source");
        parts.push(format!("{sources} not ready or missing"));
    }
    let found = match parts.as_slice() {
        [] => "nothing wrong".to_owned(),
        parts => parts.join(", "),
    };
    match status.not_read.len() {
        0 => found,
        n => format!(
            "{found} in what was read; {} not read, so more may be wrong",
            match n {
                1 => "1 part was".to_owned(),
                n => format!("{n} parts were"),
            }
        ),
    }
}

/// Orphans in one line, of the others each with what claims it.
fn names(all: &[&Attention], state: State, namespaced: bool) -> Vec<String> {
    if state == State::Orphan {
        let names: Vec<&str> = all.iter().map(|d| d.name.as_str()).collect();
        return vec![few(&names, ", ", MOST)];
    }
    let lines = all.iter().map(|database| {
        let by: Vec<&str> = database
            .claimed_by
            .iter()
            .map(|by| short(by, namespaced))
            .collect();
        let by = match by.as_slice() {
            [] => String::new(),
            by => format!(" (claimed by {})", by.join(", ")),
        };
        let why = database.reason.as_deref();
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        format!("{}{by}{why}", database.name)
    });
    capped(lines.collect(), "more database")
}

/// An onboarding by its name alone.
fn short(claimant: &str, namespaced: bool) -> &str {
    let id = claimant.strip_prefix("HelmRelease ");
    match id.and_then(|id| id.split_once('/')) {
        Some((_, name)) if !namespaced => name,
        _ => claimant,
    }
}

/// Parts by why they were not read.
fn unread(all: &[NotRead]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for NotRead { what, why } in all {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, parts)) => parts.push(what),
            None => reasons.push((why, vec![what])),
        }
    }
    let lines = reasons
        .into_iter()
        .map(|(why, parts)| format!("{}: {why}", parts.join(", ")));
    capped(lines.collect(), "more reason")
}

/// The first lines, and how many there are beyond.
fn capped(mut lines: Vec<String>, more: &str) -> Vec<String> {
    if lines.len() > MOST {
        let left = lines.split_off(MOST).len() as u64;
        lines.push(format!("and {} (-o json lists all)", count(left, more)));
    }
    lines
}

#[cfg(test)]
mod tests;
