//! The order of an onboarding's removal as text: how far it is, then a line for each step and under it what was seen and what to do.

use super::row::Columns;
use crate::palette::Palette;
use crate::text::fold::fold;
use crate::text::{Screen, Shown, count, shown};
use crate::view::offboarding::{Action, OffboardingPlan, State, Step};
use std::io;

const COLUMNS: Columns = Columns {
    subject: 11,
    message: 26,
};

/// Writes it.
///
/// # Errors
/// The output is closed.
pub fn write(
    out: &mut Screen<'_>,
    plan: &OffboardingPlan,
    width: Option<usize>,
    palette: Palette,
) -> io::Result<()> {
    for line in fold(&heading(plan), width, "", "  ") {
        out.line(line)?;
    }
    out.line("")?;
    let steps = plan.steps.iter();
    steps
        .into_iter()
        .try_for_each(|s| step(out, s, width, palette))
}

/// `pds_database, HelmRelease flux-system/x: 2 of 7 steps done, 1 not known`.
fn heading(plan: &OffboardingPlan) -> String {
    let release = match plan.helm_release_is_known {
        true => format!("HelmRelease {}", plan.helm_release),
        false => format!("by convention HelmRelease {}", plan.helm_release),
    };
    let all = count(plan.steps.len() as u64, "step");
    let not_known = match plan.not_known {
        0 => String::new(),
        n => format!(", {n} not known"),
    };
    format!(
        "{}, {release}: {} of {all} done{not_known}",
        plan.database, plan.done
    )
}

fn step(
    out: &mut Screen<'_>,
    step: &Step,
    width: Option<usize>,
    palette: Palette,
) -> io::Result<()> {
    let word = step.state.word();
    let styled = match step.state {
        State::Done => palette.good(word),
        State::ToDo => palette.heading(word),
        State::Blocked | State::NotKnown => palette.warning(word),
    };
    let mut seen = step.seen.iter();
    let first = seen.next().map(String::as_str).unwrap_or_default();
    COLUMNS.write(out, width, (word, styled), step.step.word(), first)?;
    seen.into_iter()
        .try_for_each(|line| COLUMNS.further(out, width, line))?;
    let indent = COLUMNS.subject;
    for action in &step.actions {
        match action {
            Action::Text(text) => {
                let text = format!("{text}:");
                let text = match action_follows(step, action) {
                    true => text.as_str(),
                    false => text.trim_end_matches(':'),
                };
                let folded = width.filter(|w| *w > indent + 20).map(|w| w - indent);
                for line in fold(text, folded, "", "") {
                    out.line(shown!("{:indent$}{line}", ""))?;
                }
            }
            // Not folded: it is to be copied.
            Action::Command(line) => {
                let command = palette.command(shown!("{line}"));
                out.line(Shown::line(" ".repeat(indent)).and(command))?;
            }
            Action::Diff(diff) => {
                for line in diff.lines() {
                    out.line(shown!("{:indent$}{line}", ""))?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a command comes right after it.
fn action_follows(step: &Step, action: &Action) -> bool {
    let mut rest = step.actions.iter();
    rest.by_ref().find(|a| std::ptr::eq(*a, action));
    matches!(rest.next(), Some(Action::Command(_)))
}

#[cfg(test)]
mod tests;
