//! What a restored database has, compared with the file: every revision is asked for. Reads only.

use super::super::answers;
use super::super::format::Properties;
use super::super::items::Item;
use super::super::lane::refused;
use super::super::pull::{Progress, Watch};
use super::super::source::Trouble;
use super::super::writer::Mark;
use super::{Present, Restore, Restored, next};
use crate::couchdb::request::Query;
use std::collections::BTreeMap;
use std::io;

/// Revisions that are asked for at once.
const ASKED: usize = 10_000;

impl Restore<'_, '_> {
    /// Asks the database for every revision of the file, and compares the count and the security object of one that was created.
    pub(super) async fn verify(&mut self, watch: &mut Watch<'_>) -> Result<Restored, String> {
        watch(Progress::Comparing);
        let (mut mark, mut revisions) = (Mark::start(), 0);
        self.retried(watch, async |restore, _| {
            restore.missing(&mut mark, &mut revisions).await
        })
        .await?;
        let documents = match self.look(watch).await? {
            Present::Database { documents, .. } => documents,
            Present::Nothing => return Err("the database is gone".to_owned()),
        };
        let expected = self.whole.trailer.totals.documents;
        if !self.merged && documents != expected {
            return Err(format!(
                "the file has {expected} documents, the database has {documents}"
            ));
        }
        let found = self
            .retried(watch, async |restore, _| restore.link.properties().await)
            .await?;
        let other = differing(&found, &self.whole.trailer.properties);
        if let (false, Some(what)) = (self.merged, other.first()) {
            return Err(format!("{what} of the database is not the file's"));
        }
        Ok(Restored {
            documents,
            revisions,
            other,
        })
    }

    /// Asks from `mark` on, and adds up the revisions of the file that count; `mark` and the sum go along.
    async fn missing(&mut self, mark: &mut Mark, revisions: &mut u64) -> Result<(), Trouble> {
        let mut items = self.open(mark)?;
        let mut row = mark.lines.rows;
        let mut sum = *revisions;
        let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut many = 0;
        while let Some(item) = next(&mut items)? {
            let at_end = matches!(item, Item::Checkpoint(_));
            if let Item::Row(found) = item {
                if !self.is_superseded(row) {
                    many += found.leaves.len();
                    sum += found.leaves.len() as u64;
                    asked.insert(found.id, found.leaves);
                }
                row += 1;
            }
            // At the end of a member too, so that a broken connection does not begin from the start.
            if many >= ASKED || (at_end && many > 0) {
                self.lacks(&mut asked).await?;
                self.tries.progress();
                many = 0;
            }
            if asked.is_empty() && items.mark().offset > mark.offset {
                (*mark, *revisions) = (items.mark().clone(), sum);
            }
        }
        self.lacks(&mut asked).await?;
        *revisions = sum;
        Ok(())
    }

    async fn lacks(&mut self, asked: &mut BTreeMap<String, Vec<String>>) -> Result<(), Trouble> {
        if asked.is_empty() {
            return Ok(());
        }
        let query = Query::revisions_missing(self.link.name());
        let body = serde_json::to_vec(&std::mem::take(asked)).map_err(io::Error::from)?;
        let response = self.link.query(&query, &body).await?;
        if response.status != 200 {
            return Err(refused(query.path(), &response));
        }
        let lacks = answers::missing(&response.body).map_err(|e| {
            Trouble::Lost(format!("cannot find out which revisions are missing: {e}"))
        })?;
        match lacks.first() {
            None => Ok(()),
            Some((id, revs)) => Err(Trouble::Final(format!(
                "the database lacks revision {} of document {id:?}",
                revs.join(", ")
            ))),
        }
    }
}

/// The properties that the file knows and the database has otherwise.
fn differing(found: &Properties, file: &Properties) -> Vec<&'static str> {
    let limit = |found: Option<u64>, file: Option<u64>| file.is_some() && found != file;
    let all = [
        ("the security object", found.security != file.security),
        ("_revs_limit", limit(found.revs_limit, file.revs_limit)),
        (
            "_purged_infos_limit",
            limit(found.purged_infos_limit, file.purged_infos_limit),
        ),
    ];
    all.into_iter()
        .filter(|(_, other)| *other)
        .map(|(what, _)| what)
        .collect()
}
