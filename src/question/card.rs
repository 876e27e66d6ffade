//! The card before a question: what will be done, on which cluster, and to what.

use crate::app::App;
use crate::cluster::Cluster;
use crate::render::deletion_card::Row;
use crate::render::table::Table;
use crate::text::fold::fold;
use crate::text::{Shown, one_line};

/// Shows a card on stderr; the rows that say which cluster it is come first.
pub(crate) fn show(app: &mut App, cluster: &Cluster, heading: &str, rows: Vec<Row>) {
    let width = app.ui.terminal().err_prose();
    let rows = [whereabouts(cluster), rows].concat();
    for line in lines(heading, rows, width) {
        app.ui.status(line);
    }
}

/// The card, on a terminal of this width.
fn lines(heading: &str, rows: Vec<Row>, width: Option<usize>) -> Vec<Shown> {
    let mut lines = fold(heading, width, "", "");
    lines.push(Shown::default());
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(key, value)| vec![key.to_owned(), value])
        .collect();
    let mut table = Table::new([""; 2]).no_headers(true).indent(2).fold(width);
    lines.extend(table.page(&rows));
    lines.push(Shown::default());
    lines
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_folds_under_itself_and_stays_whole() {
        let rows = || {
            vec![
                ("Context", "prod   https://h".to_owned()),
                (
                    "CouchDB",
                    "secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container couchdb, port 5984), 3.2.2".to_owned(),
                ),
                ("Onboarding", "none claims it".to_owned()),
            ]
        };
        let at = |width| {
            let lines = lines("This deletes it.", rows(), width);
            lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        insta::assert_snapshot!(at(Some(80)), @r"
        This deletes it.

          Context      prod   https://h
          CouchDB      secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0 (container
                       couchdb, port 5984), 3.2.2
          Onboarding   none claims it
        ");
        insta::assert_snapshot!(at(Some(50)), @r"
        This deletes it.

          Context      prod   https://h
          CouchDB
            secure-kvs/db-agora-kvs-secure-kvs-agora-couchdb-0
            (container couchdb, port 5984), 3.2.2
          Onboarding   none claims it
        ");
    }
}
