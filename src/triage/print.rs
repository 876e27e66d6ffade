//! Prints a report in the format that was asked for.

use crate::advice::Command;
use crate::app::App;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::render::output::FindingsFormat;
use crate::render::report::{self, Style, summary};
use crate::render::sarif::Invocation;
use crate::render::{github, html, json, sarif, yaml};
use crate::text::Shown;
use crate::view::report::Report;

/// How a report is printed.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) format: FindingsFormat,
    /// Onboardings are named with their namespaces.
    pub(crate) namespaced: bool,
    /// How many causes are printed in full; `None`: all.
    pub(crate) details: Option<usize>,
}

impl Layout {
    /// Prints; what could not be read at all is in `errors`.
    pub(crate) fn print(
        self,
        app: &mut App,
        report: &Report,
        errors: &[Error],
        code: Code,
        seconds: f64,
    ) -> Result<()> {
        let style = Style {
            width: app.ui.terminal().prose(),
            namespaced: self.namespaced,
            details: self.details,
            seconds: Some(seconds),
            palette: app.ui.palette(),
        };
        if let (FindingsFormat::Text, Some(none)) = (self.format, report::none_found(report)) {
            app.ui.status(Shown::line(none));
            return Ok(());
        }
        match self.format {
            FindingsFormat::Text => {
                report::write(&mut app.ui.screen(), report, style)?;
                if summary::lacks_rights(report) {
                    let file = "docs/rbac/troubleshoot.yaml";
                    let rights = Command::new(["kubectl", "apply", "-f", file]);
                    app.ui.hint(rights.after(
                    "-o json lists each part that was not read; an administrator grants the rights:",
                ));
                }
            }
            FindingsFormat::Markdown => {
                report::markdown::write(&mut app.ui.screen(), report, self.namespaced, seconds)?
            }
            FindingsFormat::Html => {
                let errors: Vec<String> = errors.iter().map(|e| e.message().to_owned()).collect();
                let style = html::Style {
                    namespaced: self.namespaced,
                    seconds: Some(seconds),
                    errors: &errors,
                };
                html::report(&mut app.ui.screen(), report, style)?;
            }
            FindingsFormat::Github => github::write(&mut app.ui.screen(), report, seconds)?,
            FindingsFormat::Json => json::write(&mut app.ui.machine(), report)?,
            FindingsFormat::Yaml => yaml::write(&mut app.ui.machine(), report)?,
            FindingsFormat::Sarif => {
                let exit_code = code.number();
                let errors = errors.iter().map(|e| e.message().to_owned()).collect();
                let invocation = Invocation { exit_code, errors };
                json::write_value(&mut app.ui.machine(), &sarif::log(report, &invocation))?;
            }
        }
        Ok(())
    }
}
