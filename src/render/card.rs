//! The card before a question: its heading and its rows, folded under themselves.

use super::table::Table;
use crate::text::Shown;
use crate::text::fold::fold;

/// One row of a card: its key and its value.
pub type Row = (&'static str, String);

/// The card, on a terminal of this width.
pub fn lines(heading: &str, rows: Vec<Row>, width: Option<usize>) -> Vec<Shown> {
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
