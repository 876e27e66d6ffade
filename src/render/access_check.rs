//! Whether a service account may use a database, as text: the verdict in a line, then what it was found by.

use super::sheet::Sheet;
use crate::text::Screen;
use crate::view::access_check::{AccessCheck, Policy};
use std::io;

/// Writes it, folded to `width` columns.
///
/// # Errors
/// The output is closed.
pub fn write(out: &mut Screen<'_>, check: &AccessCheck, width: Option<usize>) -> io::Result<()> {
    let mut sheet = Sheet::new(out, width);
    let verdict = format!("{}: {}", check.verdict.word(), check.reason);
    sheet.field("Verdict", &verdict)?;
    sheet.field("Service account", &check.service_account)?;
    sheet.field("  Identity", &check.principal)?;
    sheet.field("Database", &check.database)?;
    sheet.fields("Onboarding", &check.onboardings)?;
    sheet.field("Endpoint", check.endpoint.as_deref().unwrap_or("not known"))?;
    if !check.pods.is_empty() {
        sheet.fields("  Pods", &check.pods)?;
    }
    for (key, methods) in [
        ("Allowed", &check.methods.allowed),
        ("Refused", &check.methods.refused),
        ("Refused in part", &check.methods.partly),
        ("Not decided", &check.methods.unknown),
    ] {
        if !methods.is_empty() {
            sheet.field(key, &methods.join(", "))?;
        }
    }
    let (deciding, others): (Vec<&Policy>, Vec<&Policy>) =
        check.policies.iter().partition(|p| p.counts());
    let rows = deciding.iter().map(|policy| {
        let action = policy.action.unwrap_or("?").to_owned();
        vec![policy.name.clone(), action, policy.words()]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    sheet.table("Policies", &["POLICY", "ACTION", "SAYS"], &rows)?;
    if !others.is_empty() {
        let others = match others.len() {
            1 => "1 other policy".to_owned(),
            n => format!("{n} other policies"),
        };
        sheet.line(
            2,
            &format!("and {others} that cannot match (-o json lists all)"),
        )?;
    }
    if !check.not_known.is_empty() {
        let all = check
            .not_known
            .iter()
            .map(|n| format!("{}: {}", n.what, n.why));
        sheet.fields("Not known", &all.collect::<Vec<_>>())?;
    }
    if !check.notes.is_empty() {
        sheet.fields("Notes", &check.notes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
