//! `explain`: what a code of `troubleshoot` or `lint` means. Offline: no cluster is asked.

use crate::advice::Command;
use crate::app::App;
use crate::diagnosis::catalogue::{self, Entry};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::format::{self, FormatArgs};
use crate::render::docs;
use crate::render::output::ReportFormat;
use crate::render::table::Table;
use crate::render::{json, yaml};
use crate::text::Shown;
use crate::view::diagnosis::Diagnosis;
use serde_json::{Value, json};

/// Explain a code that troubleshoot or lint prints
///
/// Without a code, lists all codes. Needs no cluster.
#[derive(clap::Args, Debug)]
#[command(
    mut_args(format::help("Format: text, json or yaml (kind Diagnosis)")),
    after_help = "Examples:
  kubectl skvs explain SKVS301
  kubectl skvs explain database-exists
  kubectl skvs explain"
)]
pub struct Args {
    /// Code or its name, such as SKVS301 or database-exists
    #[arg(value_name = "CODE")]
    code: Option<String>,
    #[command(flatten)]
    format: FormatArgs<ReportFormat>,
}

/// Runs `explain`.
///
/// # Errors
/// A code that does not exist.
pub fn run(app: &mut App, args: &Args) -> Result<Code> {
    let rule = match &args.code {
        Some(code) => Some(catalogue::find(code).ok_or_else(|| unknown(code))?),
        None => None,
    };
    if args.format.output != ReportFormat::Text {
        let of = |code: Entry| json!(Diagnosis::from(code));
        let document = match rule {
            Some(rule) => of(rule),
            None => crate::view::object_list::list(catalogue::all().into_iter().map(of).collect()),
        };
        return print(app, &document, args.format.output);
    }
    let Some(rule) = rule else {
        return list(app);
    };
    let width = app.ui.terminal().prose();
    let text = docs::explain(&rule, width);
    app.ui.result(Shown::lines(text.trim_end()))?;
    Ok(Code::Ok)
}

fn print(app: &mut App, document: &Value, format: ReportFormat) -> Result<Code> {
    let mut out = app.ui.machine();
    match format {
        ReportFormat::Yaml => yaml::write_value(&mut out, document)?,
        _ => json::write_value(&mut out, document)?,
    }
    Ok(Code::Ok)
}

/// Every code with its title, by band.
fn list(app: &mut App) -> Result<Code> {
    let width = app.ui.terminal().prose();
    let screen = &mut app.ui.screen();
    let mut table = Table::new(["CODE", "SEVERITY", "DIAGNOSIS"])
        .indent(2)
        .fold(width);
    table.write_header(screen)?;
    for (heading, rules) in docs::bands() {
        screen.line(Shown::line(heading))?;
        let row = |r: &Entry| {
            [r.code, r.severity.word(), r.title]
                .map(str::to_owned)
                .to_vec()
        };
        let rows: Vec<Vec<String>> = rules.iter().map(row).collect();
        table.write_page(screen, &rows)?;
    }
    Ok(Code::Ok)
}

/// The error for a code that does not exist, with those that are near.
fn unknown(code: &str) -> Error {
    let candidates = catalogue::near(code);
    let error = Error::new(format!("code {code:?} does not exist"));
    let error = if candidates.is_empty() {
        error
    } else {
        error.hint(format!("did you mean {}?", candidates.join(", ")))
    };
    error.hint(Command::skvs(["explain"]).after("all codes:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_code_suggests_near_ones() {
        assert_eq!(
            unknown("skvs300").hints()[0],
            "did you mean SKVS301, SKVS302, SKVS303?"
        );
        assert!(unknown("SKVS3O1").hints()[0].plain().contains("SKVS301"));
        assert_eq!(unknown("SKVS-2147483648").hints().len(), 1);
        assert!(
            unknown("database-exist").hints()[0]
                .plain()
                .contains("database-exists")
        );
        assert_eq!(unknown("zzz").hints(), ["all codes: kubectl skvs explain"]);
        assert_eq!(unknown("ü").hints(), ["all codes: kubectl skvs explain"]);
    }
}
