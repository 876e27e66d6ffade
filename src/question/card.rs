//! The card before a question: what will be done, on which cluster, and to what.

use crate::app::App;
use crate::cluster::Cluster;
use crate::render::card::{Row, lines};
use crate::text::one_line;

/// Shows a card on stderr; the rows that say which cluster it is come first.
pub(crate) fn show(app: &mut App, cluster: &Cluster, heading: &str, rows: Vec<Row>) {
    let width = app.ui.terminal().err_prose();
    let rows = [whereabouts(cluster), rows].concat();
    for line in lines(heading, rows, width) {
        app.ui.status(line);
    }
}

/// Which cluster it is, and whether that is certain.
fn whereabouts(cluster: &Cluster) -> Vec<Row> {
    let context = one_line(cluster.context().unwrap_or("<none>"));
    let server = one_line(cluster.server().trim_end_matches('/'));
    let mut rows = vec![("Context", format!("{context}   {server}"))];
    if let Some(why) = cluster.unverified() {
        rows.push((
            "TLS",
            format!("{why}: another server may answer for this one"),
        ));
    }
    rows
}
