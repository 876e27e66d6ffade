//! The chain of an onboarding as a row of boxes. Words say what the colours and the lines repeat.

use super::Sheet;
use super::markup::Attribute::{To, Word};
use super::markup::Html;
use crate::diagnosis::chain::{Link, State};

impl Sheet<'_> {
    /// Draws the chain of the onboarding at this place of the report.
    pub(super) fn chain(&self, html: &mut Html, at: usize) {
        let chain = &self.report.onboardings[at].chain;
        let label = Word("aria-label", "From the chart's source to the database");
        html.block("ol", &[Word("class", "chain"), label], |html| {
            html.end_line();
            for link in chain.links() {
                self.link(html, at, link);
            }
        });
    }

    fn link(&self, html: &mut Html, at: usize, link: &Link) {
        let (class, seen) = match &link.state {
            State::Good(evidence) => ("good", &evidence.observed),
            State::Broken { sentence, .. } => ("broken", sentence),
            State::NotKnown(why) => ("open", why),
        };
        html.block("li", &[Word("class", class)], |html| {
            let span = |html: &mut Html, class, text: &str| {
                html.element("span", &[Word("class", class)], |html| html.text(text));
                html.text(" ");
            };
            span(html, "place", link.place.word());
            match link.state {
                State::Good(_) => span(html, "state", "fine"),
                State::NotKnown(_) => span(html, "state", "not confirmed"),
                State::Broken { code, .. } => {
                    html.element("span", &[Word("class", "state")], |html| {
                        html.text("broken: ");
                        match self.cause_of(at, code) {
                            Some(cause) => {
                                html.element("a", &[To("cause", cause)], |html| html.text(code));
                            }
                            None => html.text(&self.not_shown(at, code)),
                        }
                    });
                    html.text(" ");
                }
            }
            if let Some(object) = &link.object {
                span(html, "object", &object.to_string());
            }
            html.element("span", &[Word("class", "seen")], |html| html.text(seen));
        });
    }

    /// The code of a cause that is not on the page, and why it is not.
    fn not_shown(&self, at: usize, code: &str) -> String {
        let mut ignored = self.report.onboardings[at].ignored.iter();
        match ignored.any(|ignored| ignored.code == code) {
            true => format!("{code} (ignored)"),
            false => format!("{code} (not shown)"),
        }
    }

    /// The cause of this code that the onboarding has; `None` where it is not shown.
    fn cause_of(&self, at: usize, code: &str) -> Option<usize> {
        let mut causes = self.report.causes.iter();
        let is_own = |places: &[(usize, usize)]| places.iter().any(|(own, _)| *own == at);
        causes.position(|cause| cause.code == code && is_own(&cause.places))
    }
}
