//! `backup verify`: is a backup whole. Offline: no cluster is asked.

use crate::app::App;
use crate::backup;
use crate::couchdb::backup::whole::Whole;
use crate::error::Result;
use crate::exit::Code;
use crate::render::table::Table;
use crate::text::{bytes, count, shown, thousands};
use std::path::PathBuf;

/// Check that a backup is whole, without a cluster
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  kubectl skvs backup verify pds_database.skvs.gz

Reads the file to its end: its lines, every revision, the lengths of attachments and the checksum of the content. Prints the contents and the SHA-256 of the file itself.
Exit codes: 0 whole, 1 not whole or not a backup")]
pub(crate) struct Args {
    /// Backup to check
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs `backup verify`.
///
/// # Errors
/// The file is not whole.
pub(crate) async fn run(app: &mut App, args: &Args) -> Result<Code> {
    let whole = backup::checked(app, &args.file).await?;
    app.ui.end_live();
    let file = shown!("{} is whole", args.file.display());
    app.ui.result(file)?;
    let rows = rows(&whole).map(|(key, value)| vec![key.to_owned(), value]);
    Table::new([""; 2])
        .no_headers(true)
        .indent(2)
        .fold(app.ui.terminal().prose())
        .write_page(&mut app.ui.screen(), &rows)?;
    Ok(Code::Ok)
}

fn rows(whole: &Whole) -> [(&'static str, String); 5] {
    let (header, trailer) = (&whole.header, &whole.trailer);
    let (totals, lines) = (trailer.totals, trailer.lines);
    let number = trailer.seq.split('-').next().unwrap_or_default();
    [
        (
            "Database",
            format!("{}, of CouchDB {}", header.database, header.server.version),
        ),
        (
            "Taken",
            format!(
                "{} to {}, whole up to update sequence {number}",
                header.taken, trailer.finished
            ),
        ),
        (
            "Documents",
            format!(
                "{} ({}, {}, {})",
                thousands(totals.documents),
                count(lines.revisions, "revision"),
                count(totals.deleted, "deletion"),
                count(lines.attachments, "attachment")
            ),
        ),
        ("Size", bytes(whole.size)),
        ("SHA-256", whole.sha256.clone()),
    ]
}
