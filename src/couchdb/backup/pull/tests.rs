use super::super::answers::{Change, Changes, Figures, State};
use super::super::format::{Row, Server, Totals};
use super::super::items::{Item, Items};
use super::*;
use crate::couchdb::session::Taker;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A leaf: revision, whether it is a deletion, its attachment.
type Leaf = (String, bool, Vec<u8>);

/// A document: the sequence of its last change, and its leaves.
type Entry = (u64, Vec<Leaf>);

/// A database in memory: documents by id, each with the sequence of its last change.
#[derive(Default)]
struct Memory {
    sequence: u64,
    documents: BTreeMap<String, Entry>,
    identity: u64,
    /// Questions so far, and those that are lost.
    asked: usize,
    lost: Vec<usize>,
    /// Before this question, a document is written.
    writes: Vec<(usize, &'static str, &'static str)>,
    /// Added to the count that the server tells.
    miscounts: u64,
    largest_answer: usize,
}

impl Memory {
    fn put(&mut self, id: &str, rev: &str, deleted: bool, attachment: &[u8]) {
        self.sequence += 1;
        let entry = self.documents.entry(id.to_owned()).or_default();
        entry.0 = self.sequence;
        entry
            .1
            .retain(|(old, ..)| rev.starts_with('1') && old != rev);
        entry.1.push((rev.to_owned(), deleted, attachment.to_vec()));
    }

    fn question(&mut self) -> Result<(), Trouble> {
        self.asked += 1;
        let now: Vec<_> = self
            .writes
            .iter()
            .filter(|w| w.0 == self.asked)
            .cloned()
            .collect();
        for (_, id, rev) in now {
            self.put(id, rev, false, b"");
        }
        if self.lost.contains(&self.asked) {
            return Err(Trouble::Lost("the exec was lost".to_owned()));
        }
        Ok(())
    }

    fn live(&self) -> u64 {
        let live = |leaves: &[Leaf]| leaves.iter().any(|(_, deleted, _)| !deleted);
        self.documents.values().filter(|(_, l)| live(l)).count() as u64
    }
}

impl Source for Memory {
    async fn state(&mut self) -> Result<State, Trouble> {
        self.question()?;
        let figures: Figures = serde_json::from_value(json!({
            "db_name": "pds_database", "doc_count": self.live() + self.miscounts,
            "update_seq": format!("{}-x", self.sequence),
        }))
        .unwrap();
        Ok(State {
            server: Server {
                uuid: "u".into(),
                version: "3.2.2".into(),
            },
            identity: format!(".{}", self.identity),
            shard_map: json!({}),
            figures,
        })
    }

    async fn changes(&mut self, since: &str, limit: usize) -> Result<Changes, Trouble> {
        self.question()?;
        let since: u64 = since.parse().unwrap();
        let mut rows: Vec<(u64, Row)> = self
            .documents
            .iter()
            .filter(|(_, (seq, _))| *seq > since)
            .map(|(id, (seq, leaves))| {
                let row = Row {
                    id: id.clone(),
                    leaves: leaves.iter().map(|(rev, ..)| rev.clone()).collect(),
                    deleted: leaves.iter().all(|(_, deleted, _)| *deleted),
                };
                (*seq, row)
            })
            .collect();
        rows.sort_by_key(|(seq, _)| *seq);
        rows.truncate(limit);
        let rows = rows
            .into_iter()
            .map(|(seq, row)| Change {
                row,
                seq: seq.to_string(),
            })
            .collect();
        Ok(Changes { rows })
    }

    async fn documents(
        &mut self,
        revisions: &[(&str, &str)],
        attachments: bool,
        max: usize,
    ) -> Result<Vec<u8>, Trouble> {
        self.question()?;
        if revisions.iter().any(|(id, _)| *id == "huge") {
            return Err(Trouble::TooLarge);
        }
        let results: Vec<Value> = revisions
            .iter()
            .map(|(id, rev)| {
                let leaves = &self.documents[*id].1;
                let docs = match leaves.iter().find(|(r, ..)| r == rev) {
                    None => json!([{"error": {"id": id, "rev": rev, "error": "not_found"}}]),
                    Some((_, _, bytes)) => {
                        let mut doc = json!({"_id": id, "_rev": rev});
                        if !bytes.is_empty() {
                            use base64::Engine;
                            let data = base64::engine::general_purpose::STANDARD.encode(bytes);
                            doc["_attachments"]["a /b"] = if attachments {
                                json!({"data": data})
                            } else {
                                json!({"stub": true, "length": bytes.len()})
                            };
                        }
                        json!([{"ok": doc}])
                    }
                };
                json!({"id": id, "docs": docs})
            })
            .collect();
        let body = json!({ "results": results }).to_string().into_bytes();
        if body.len() > max {
            return Err(Trouble::TooLarge);
        }
        self.largest_answer = self.largest_answer.max(body.len());
        Ok(body)
    }

    async fn attachment(
        &mut self,
        id: &str,
        rev: &str,
        name: &str,
        take: &mut Taker<'_>,
    ) -> Result<Option<()>, Trouble> {
        assert_eq!(name, "a /b");
        let leaves = self.documents[id].1.clone();
        let (_, _, bytes) = leaves.iter().find(|(r, ..)| r == rev).unwrap();
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        take(half.to_vec().into())?;
        self.question()?;
        take(rest.to_vec().into())?;
        Ok(Some(()))
    }

    async fn security(&mut self) -> Result<Value, Trouble> {
        self.question()?;
        Ok(json!({"admins": {"names": ["x"]}}))
    }
}

/// No pause is waited for.
const NONE: [Duration; 6] = [Duration::ZERO; 6];

struct Kept {
    _folder: tempfile::TempDir,
    place: Place,
}

fn place() -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(&folder.path().join("b.gz"), false).unwrap();
    Kept {
        _folder: folder,
        place,
    }
}

fn example() -> Memory {
    let mut memory = Memory::default();
    for n in 0..450 {
        memory.put(&format!("doc-{n}"), "1-a", false, b"");
    }
    memory.put("doc-7", "1-b", false, b"");
    memory.put("gone", "2-g", true, b"");
    memory.put("_design/x/y", "1-d", false, b"");
    for n in 0..7 {
        memory.put(&format!("small {n}"), "1-s", false, &[b's'; 300_000]);
    }
    memory.put("large", "1-l", false, &vec![7; 1_100_000]);
    memory.put("empty", "1-e", false, b"");
    memory
}

fn read(taken: &Taken) -> (Vec<(String, String)>, usize) {
    let mut items = Items::new(File::open(&taken.file).unwrap());
    let (mut revisions, mut content) = (Vec::new(), 0);
    while let Some(item) = items.next_item().unwrap() {
        match item {
            Item::Document(_, meta) => revisions.push((meta.id, meta.rev)),
            Item::Content(bytes) => content += bytes.len(),
            _ => {}
        }
    }
    revisions.sort();
    (revisions, content)
}

fn all(memory: &Memory) -> Vec<(String, String)> {
    let of = |(id, (_, leaves)): (&String, &Entry)| {
        leaves
            .iter()
            .map(|(rev, ..)| (id.clone(), rev.clone()))
            .collect::<Vec<_>>()
    };
    let mut all: Vec<_> = memory.documents.iter().flat_map(of).collect();
    all.sort();
    all
}

#[tokio::test]
async fn everything_is_in_the_file_and_counted() {
    let (mut memory, kept) = (example(), place());
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    let (revisions, content) = read(&taken);
    assert_eq!(revisions, all(&memory));
    assert_eq!(content, 1_100_000);
    let totals = Totals {
        documents: memory.live(),
        deleted: 1,
        superseded: 0,
    };
    assert_eq!(taken.trailer.totals, totals);
    assert_eq!(taken.trailer.lines.attachments, 8);
    assert_eq!(taken.trailer.update_seq, format!("{}-x", memory.sequence));
    assert_eq!(taken.trailer.security["admins"]["names"][0], "x");
    assert!(
        memory.largest_answer < 16 << 20,
        "{}",
        memory.largest_answer
    );
}

#[tokio::test]
async fn a_connection_may_be_lost_at_every_question() {
    let (mut memory, kept) = (example(), place());
    pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    for at in 1..=memory.asked {
        let (mut memory, kept) = (example(), place());
        memory.lost = vec![at];
        let mut waited = 0;
        let mut watch = |p| waited += u32::from(matches!(p, Progress::Waiting { .. }));
        let taken = pull(&mut memory, &kept.place, &NONE, &mut watch)
            .await
            .unwrap();
        assert_eq!(read(&taken).0, all(&memory), "lost at {at}");
        assert_eq!(waited, 1, "lost at {at}");
    }
}

#[tokio::test]
async fn another_run_goes_on_where_one_has_ended() {
    let kept = place();
    let mut memory = example();
    memory.lost = (6..100).collect();
    let stopped = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap_err();
    let NotTaken::Stopped { why, part } = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!(why, "the exec was lost (7 attempts)");
    assert_eq!(part.as_deref(), Some(kept.place.part()));
    assert!(!kept.place.file().exists());
    (memory.lost, memory.asked) = (Vec::new(), 0);
    memory.put("doc-3", "2-a", false, b"");
    let mut seen = Vec::new();
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |p| seen.push(p))
        .await
        .unwrap();
    assert!(
        matches!(seen[0], Progress::Resumed { rows } if rows > 0),
        "{:?}",
        seen[0]
    );
    assert_eq!(taken.trailer.totals.superseded, 1);
    let mut expected = all(&memory);
    expected.push(("doc-3".into(), "1-a".into()));
    expected.sort();
    assert_eq!(read(&taken).0, expected);
}

#[tokio::test]
async fn what_is_written_meanwhile_is_caught_up_with() {
    let (mut memory, kept) = (example(), place());
    pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    for at in (2..=memory.asked).step_by(2) {
        let (mut memory, kept) = (example(), place());
        memory.writes = vec![(at, "doc-9", "2-a"), (at, "new", "1-n")];
        let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
            .await
            .unwrap();
        let revisions = read(&taken).0;
        assert!(
            all(&memory).iter().all(|r| revisions.contains(r)),
            "at {at}"
        );
        assert_eq!(taken.trailer.totals.documents, memory.live(), "at {at}");
    }
}

#[tokio::test]
async fn a_short_count_and_another_database_are_no_backup() {
    let (mut memory, kept) = (example(), place());
    memory.miscounts = 1;
    let stopped = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap_err();
    let live = memory.live();
    assert_eq!(
        stopped.clause(),
        format!(
            "short: CouchDB counts {} documents, the file has {live}",
            live + 1
        )
    );
    assert!(!kept.place.file().exists() && kept.place.part().exists());

    let mut memory = example();
    memory.identity = 5;
    let stopped = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        stopped.clause().ends_with("has been created again since"),
        "{}",
        stopped.clause()
    );
}

#[tokio::test]
async fn large_documents_come_alone_and_too_large_ones_not() {
    let (mut memory, kept) = (Memory::default(), place());
    for n in 0..18 {
        // Ids as long as a document: they come back in every answer.
        memory.put(&format!("{}{n}", "x".repeat(1 << 20)), "1-a", false, b"");
    }
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(taken.trailer.totals.documents, 18);
    assert!(
        memory.largest_answer <= 16 << 20,
        "{}",
        memory.largest_answer
    );

    let (mut memory, kept) = (Memory::default(), place());
    memory.put("huge", "1-a", false, b"");
    let stopped = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap_err();
    assert!(stopped.clause().ends_with("\"huge\" is larger than 96 MiB"));
}
