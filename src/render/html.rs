//! A report or a status as one HTML file that needs nothing else: for a ticket, a browser or paper.
//!
//! The content is that of the text; beside it the chain of each onboarding is drawn. All text goes through [`markup`].

mod cause;
mod chain;
mod document;
mod markup;
mod tables;
#[cfg(test)]
mod tokens;

use super::report::{self, Block, blocks, summary};
use super::status::fields;
use crate::text::Screen;
use crate::view::report::{Cause, Onboarding, Report};
use crate::view::status::Status;
use document::{Document, open};
use k8s_openapi::jiff::Timestamp;
use markup::Attribute::{Id, Word};
use markup::Html;
use std::io;
use tables::Unread;

/// Onboardings whose chains are shown at once, where they have no cause of their own.
const CHAINS_MAX: usize = 20;

/// How a report is written.
#[derive(Clone, Copy)]
pub struct Style<'s> {
    /// Names with their namespace.
    pub namespaced: bool,
    /// Seconds that the command took.
    pub seconds: Option<f64>,
    /// What could not be read at all.
    pub errors: &'s [String],
}

/// Writes a report of `troubleshoot`.
///
/// # Errors
/// The output is closed.
pub fn report(out: &mut Screen<'_>, report: &Report, style: Style<'_>) -> io::Result<()> {
    let sheet = Sheet {
        report,
        namespaced: style.namespaced,
    };
    let mut body = Html::default();
    section(&mut body, "Overview", |html| {
        let alone = report::none_found(report).or_else(|| report::nothing_to_look_into(report));
        let lines = alone.map_or_else(
            || summary::short_lines(report, style.seconds),
            |line| vec![line],
        );
        for line in lines {
            html.line("p", &[], &line);
        }
        sheet.overview(html);
    });
    sheet.causes(&mut body);
    let errors = style.errors.iter().map(|error| Unread {
        what: error,
        why: "",
        codes: Vec::new(),
    });
    let not_run = report.all_not_run().map(|part| Unread {
        what: &part.what,
        why: &part.why,
        codes: part.codes.clone(),
    });
    let whole = match report.onboardings.is_empty() {
        true => "No check was run.",
        false => "Every check was run.",
    };
    not_read(&mut body, errors.chain(not_run), whole);
    let title = "Secure KVS onboardings: troubleshoot";
    let scene = report.scene.as_deref();
    Document { title, scene, body }.write(out)
}

/// Writes a status.
///
/// # Errors
/// The output is closed.
pub fn status(
    out: &mut Screen<'_>,
    status: &Status,
    namespaced: bool,
    now: Timestamp,
) -> io::Result<()> {
    let report = &status.report;
    let sheet = Sheet { report, namespaced };
    let mut body = Html::default();
    section(&mut body, "Overview", |html| {
        tables::fields(html, &fields(status, namespaced, now));
        sheet.overview(html);
    });
    sheet.causes(&mut body);
    let parts = status.not_read.iter().map(|part| Unread {
        what: &part.what,
        why: &part.why,
        codes: Vec::new(),
    });
    not_read(&mut body, parts, "Everything was read.");
    let title = "Secure KVS onboardings: status";
    let scene = report.scene.as_deref();
    Document { title, scene, body }.write(out)
}

/// `whole` is printed if everything was read.
fn not_read<'r>(html: &mut Html, parts: impl Iterator<Item = Unread<'r>>, whole: &str) {
    let mut parts = parts.peekable();
    section(html, "Not checked", |html| match parts.peek() {
        Some(_) => tables::unread(html, parts),
        None => html.line("p", &[], whole),
    });
}

fn section(html: &mut Html, title: &str, inner: impl FnOnce(&mut Html)) {
    html.block("section", &[], |html| {
        html.end_line();
        html.line("h2", &[], title);
        inner(html);
    });
}

/// A report with how its onboardings are named.
struct Sheet<'r> {
    report: &'r Report,
    namespaced: bool,
}

impl Sheet<'_> {
    /// Every cause in full, and the chain of each onboarding once: with its own causes, else in a section of its own.
    fn causes(&self, html: &mut Html) {
        let blocks = blocks(self.report);
        let mut drawn = vec![false; self.report.onboardings.len()];
        if !blocks.is_empty() {
            section(html, "Causes", |html| {
                for block in &blocks {
                    match block {
                        Block::Shared(group) => self.cause(html, group, "h3"),
                        Block::Own(_, groups) => {
                            let (at, _) = groups[0].cause.places[0];
                            drawn[at] = true;
                            self.onboarding(html, at, |html| {
                                groups
                                    .iter()
                                    .for_each(|group| self.cause(html, group, "h4"));
                            });
                        }
                    }
                }
            });
        }
        let others: Vec<usize> = (0..drawn.len()).filter(|at| !drawn[*at]).collect();
        let title = match blocks.is_empty() {
            true => "Onboardings",
            false => "Other onboardings",
        };
        if !others.is_empty() {
            section(html, title, |html| {
                for at in &others {
                    self.onboarding_of_many(html, *at, others.len() <= CHAINS_MAX);
                }
            });
        }
    }

    fn onboarding(&self, html: &mut Html, at: usize, inner: impl FnOnce(&mut Html)) {
        html.block("article", &[Id("onboarding", at)], |html| {
            html.end_line();
            html.line("h3", &[], &self.headline(at));
            self.chain(html, at);
            inner(html);
        });
    }

    /// Its chain can be folded away.
    fn onboarding_of_many(&self, html: &mut Html, at: usize, is_open: bool) {
        html.block("article", &[Id("onboarding", at)], |html| {
            html.block("details", open(is_open), |html| {
                html.block("summary", &[], |html| {
                    html.element("h3", &[Word("class", "summary")], |html| {
                        html.text(&self.headline(at));
                    });
                });
                self.chain(html, at);
            });
        });
    }

    fn headline(&self, at: usize) -> String {
        let onboarding = &self.report.onboardings[at];
        let mut line = format!("{}: {}", self.title(onboarding), onboarding.state);
        if onboarding.findings.is_empty() {
            line.push_str("; ");
            line.push_str(&report::left_out(onboarding));
        }
        line
    }

    fn title(&self, onboarding: &Onboarding) -> String {
        report::title(onboarding, self.namespaced)
    }

    fn name(&self, onboarding: &Onboarding) -> String {
        report::name(onboarding, self.namespaced)
    }

    /// The place of a cause in the report.
    fn number(&self, cause: &Cause) -> usize {
        let mut all = self.report.causes.iter();
        let at = all.position(|other| std::ptr::eq(other, cause));
        at.expect("a cause is one of the report's")
    }
}

#[cfg(test)]
mod tests;
