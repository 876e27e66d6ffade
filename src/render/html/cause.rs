//! One cause: its sentence, whom it hits, why, what was seen, what to do, what follows.

use super::Sheet;
use super::document::open;
use super::markup::Attribute::{Id, To, Word};
use super::markup::Html;
use crate::advice::{Command, Origin};
use crate::diagnosis::{Evidence, Severity};
use crate::render::report::NAMES_MAX;
use crate::render::report::group::{Deed, Deeds, Group};
use crate::text::count;

impl Sheet<'_> {
    /// `heading` is the tag of its heading, one level under what it is in.
    pub(super) fn cause(&self, html: &mut Html, group: &Group<'_>, heading: &'static str) {
        let cause = group.cause;
        let number = self.number(cause);
        let class = Word("class", cause.severity.word());
        html.block("article", &[class, Id("cause", number)], |html| {
            html.end_line();
            html.block(heading, &[class], |html| {
                html.element("span", &[Word("class", "mark")], |html| {
                    html.text(cause.severity.word());
                    html.text(" ");
                    html.text(cause.code);
                });
                html.text(": ");
                html.text(&cause.message);
            });
            html.line("p", &[Word("class", "object")], &cause.subject.to_string());
            html.block("dl", &[], |html| {
                html.end_line();
                self.hits(html, group);
                let found = &group.finding().found;
                part(html, "Why", !found.why.is_empty(), |html| {
                    for sentence in &found.why {
                        html.line("p", &[], sentence);
                    }
                });
                part(html, "Seen", !found.evidence.is_empty(), |html| {
                    for evidence in &found.evidence {
                        seen(html, evidence, cause.severity);
                    }
                });
                deeds(html, "Do", &group.fix());
                deeds(html, "Then", &group.then());
            });
            for (code, message) in group.follows() {
                html.line("p", &[], &format!("{code} follows from this: {message}"));
            }
            let more = Command::skvs(["explain", cause.code]).at(&Origin::default());
            html.block("p", &[Word("class", "object")], |html| {
                html.text("More: ");
                html.element("code", &[], |html| html.text(&more.to_string()));
            });
        });
    }

    /// The onboardings of a cause that several have.
    fn hits(&self, html: &mut Html, group: &Group<'_>) {
        let names = |html: &mut Html| {
            html.block("ul", &[], |html| {
                html.end_line();
                for ((onboarding, finding), (at, _)) in
                    group.members.iter().zip(&group.cause.places)
                {
                    html.block("li", &[], |html| {
                        let title = self.title(onboarding);
                        html.element("a", &[To("onboarding", *at)], |html| html.text(&title));
                        html.text(": ");
                        html.text(match finding.found.sentence == group.cause.message {
                            true => &onboarding.state,
                            false => &finding.found.sentence,
                        });
                    });
                }
            });
        };
        let all = group.members.len();
        part(html, "Hits", group.is_shared(), |html| match all {
            ..=NAMES_MAX => names(html),
            _ => html.block("details", &[], |html| {
                html.line("summary", &[], &count(all as u64, "onboarding"));
                names(html);
            }),
        });
    }
}

/// A labelled part; nothing where it is empty.
fn part(html: &mut Html, label: &str, is_there: bool, inner: impl FnOnce(&mut Html)) {
    if is_there {
        html.line("dt", &[], label);
        html.block("dd", &[], inner);
    }
}

/// Lines, such as a log's, can be folded away; those of an error are shown at once.
fn seen(html: &mut Html, evidence: &Evidence, severity: Severity) {
    let said = |html: &mut Html| {
        html.element("b", &[], |html| html.text(&evidence.object.to_string()));
        html.text(": ");
        html.text(&evidence.observed);
    };
    if evidence.lines.is_empty() {
        return html.block("p", &[], said);
    }
    html.block("details", open(severity == Severity::Error), |html| {
        html.block("summary", &[], said);
        html.block("pre", &[], |html| {
            for (at, line) in evidence.lines.iter().enumerate() {
                if at > 0 {
                    html.end_line();
                }
                html.text(line);
            }
        });
    });
}

fn deeds(html: &mut Html, label: &str, deeds: &Deeds) {
    part(html, label, !deeds.all.is_empty(), |html| {
        for deed in &deeds.all {
            match deed {
                Deed::Sentence(sentence) => html.line("p", &[], sentence),
                Deed::Command(command) => html.line("pre", &[], command),
            }
        }
        if deeds.others > 0 {
            let more = count(deeds.others as u64, "onboarding");
            html.line(
                "p",
                &[],
                &format!("and so for {more} more (-o json has the commands)"),
            );
        }
    });
}
