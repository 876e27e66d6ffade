use super::super::answers::{Change, Changes, Figures, State};
use super::super::format::{Attachment, Encoding, Row, Server, Totals};
use super::super::items::{Item, Items};
use super::super::source::Last;
use super::*;
use crate::couchdb::request::Copies;
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
    /// Before every question one document is written, and one is created.
    busy: bool,
    /// Leaves that were replaced, which CouchDB gives until a compaction.
    old: Vec<(String, Leaf)>,
    /// The first listing of the changes leaves this document out.
    hidden: Option<&'static str>,
    /// A listing of more rows is too long.
    longest: Option<usize>,
    /// Added to the count that the server tells.
    miscounts: u64,
    largest_answer: usize,
    /// Documents that the first copy lacks.
    lagging: Vec<String>,
    /// It gives attachments of several revisions in one answer.
    parts: bool,
    /// How often it was asked for an attachment alone.
    alone: usize,
}

/// Whether a document's attachment is stored in an encoding.
fn is_coded(id: &str) -> bool {
    id.starts_with("coded")
}

impl Memory {
    fn put(&mut self, id: &str, rev: &str, deleted: bool, attachment: &[u8]) {
        self.sequence += 1;
        let entry = self.documents.entry(id.to_owned()).or_default();
        entry.0 = self.sequence;
        let (kept, old) = std::mem::take(&mut entry.1)
            .into_iter()
            .partition(|(old, ..)| rev.starts_with('1') && old != rev);
        entry.1 = kept;
        let old: Vec<Leaf> = old;
        self.old
            .extend(old.into_iter().map(|leaf| (id.to_owned(), leaf)));
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
        if self.busy {
            let asked = self.asked;
            self.put("doc-9", &format!("{}-a", asked + 1), false, b"");
            self.put(&format!("new-{asked}"), "1-n", false, b"");
        }
        if self.lost.contains(&self.asked) {
            return Err(Trouble::Lost("the exec was lost".to_owned()));
        }
        Ok(())
    }

    /// A page of changes; `first` for those that a backup takes documents from.
    fn listed(&mut self, since: &str, window: Window, first: bool) -> Result<Changes, Trouble> {
        self.question()?;
        let Window { limit, every } = window;
        let start = since.to_owned();
        let since: u64 = since.parse().unwrap();
        let mut rows: Vec<(u64, Row)> = self
            .documents
            .iter()
            .filter(|(id, (seq, _))| *seq > since && (!first || self.hidden != Some(id)))
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
        let last_seq = rows.last().map_or(start, |(seq, _)| seq.to_string());
        let rows = rows
            .into_iter()
            .enumerate()
            .map(|(at, (seq, row))| Change {
                row,
                seq: ((limit - at) % every == 0).then(|| seq.to_string()),
                document: None,
            })
            .collect();
        Ok(Changes {
            rows,
            last_seq,
            bytes: 0,
        })
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
            "db_name": "pds_database", "doc_count": self.live() + self.miscounts, "doc_del_count": self.documents.len() as u64 - self.live(),
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

    async fn changes(&mut self, since: &str, window: Window) -> Result<Changes, Trouble> {
        if self.longest.is_some_and(|longest| window.limit > longest) {
            return Err(Trouble::TooLarge);
        }
        self.listed(since, window, false)
    }

    async fn documents_since(
        &mut self,
        since: &str,
        window: Window,
        max: usize,
    ) -> Result<Changes, Trouble> {
        let mut page = self.listed(since, window, true)?;
        let mut bytes = 0;
        for change in &mut page.rows {
            let [rev] = &change.row.leaves[..] else {
                continue;
            };
            let (_, _, attachment) = &self.documents[&change.row.id].1[0];
            let id = change.row.id.as_str();
            if rev.starts_with("1-") && id != "huge" && !is_coded(id) {
                let mut doc = json!({"_id": change.row.id, "_rev": rev});
                if !attachment.is_empty() {
                    doc["_attachments"]["a /b"] = json!({"stub": true, "length": attachment.len()});
                }
                bytes += doc.to_string().len();
                change.document = Some(serde_json::value::to_raw_value(&doc).unwrap());
            }
        }
        if bytes > max {
            return Err(Trouble::TooLarge);
        }
        self.largest_answer = self.largest_answer.max(bytes);
        page.bytes = bytes;
        Ok(page)
    }

    async fn documents(
        &mut self,
        revisions: &[(&str, &str)],
        attachments: bool,
        copies: Copies,
        max: usize,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        self.question()?;
        if revisions.iter().any(|(id, _)| *id == "huge") {
            return Err(Trouble::TooLarge);
        }
        let results: Vec<Value> = revisions
            .iter()
            .map(|(id, rev)| {
                let leaves = &self.documents[*id].1;
                let old = self.old.iter().filter(|(of, _)| of == id);
                let mut known = leaves.iter().chain(old.map(|(_, leaf)| leaf));
                let lags = copies == Copies::First && self.lagging.contains(&(*id).to_owned());
                let docs = match known.find(|(r, ..)| r == rev).filter(|_| !lags) {
                    None => json!([{"error": {"id": id, "rev": rev, "error": "not_found"}}]),
                    Some((_, _, bytes)) => {
                        let mut doc = json!({"_id": id, "_rev": rev});
                        if is_coded(id) {
                            assert!(!attachments, "an encoding is lost in a document");
                            doc["_attachments"]["a /b"] = json!({"stub": true, "length": 900, "encoding": "gzip", "encoded_length": bytes.len()});
                        } else if !bytes.is_empty() {
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
        Ok(vec![body])
    }

    async fn attachments(
        &mut self,
        revisions: &[(&str, &str)],
        _: usize,
    ) -> Result<Vec<u8>, Trouble> {
        self.question()?;
        let mut answer = b"\r\n--out".to_vec();
        if !self.parts {
            answer = b"{}".to_vec();
        }
        for (id, rev) in revisions.iter().filter(|_| self.parts) {
            let leaves = &self.documents[*id].1;
            let (_, _, bytes) = leaves.iter().find(|(r, ..)| r == rev).unwrap();
            let length = bytes.len();
            let document = json!({"_id": id, "_rev": rev, "_attachments": {"a /b": {
                "content_type": "x/y", "length": 900, "follows": true, "encoding": "gzip", "encoded_length": length}}});
            let text = format!(
                "\r\nX-Doc-Id: {id}\r\nX-Rev-Id: {rev}\r\nContent-Type: multipart/related; boundary=in\r\n\r\n--in\r\nContent-Type: application/json\r\n\r\n{document}\r\n--in\r\nContent-Disposition: attachment; filename=\"a /b\"\r\nContent-Type: x/y\r\nContent-Length: {length}\r\nContent-Encoding: gzip\r\n\r\n"
            );
            answer.extend_from_slice(text.as_bytes());
            answer.extend_from_slice(bytes);
            answer.extend_from_slice(b"\r\n--in--\r\n--out");
        }
        answer.extend_from_slice(b"--");
        self.largest_answer = self.largest_answer.max(answer.len());
        Ok(answer)
    }

    async fn attachment(
        &mut self,
        id: &str,
        rev: &str,
        attachment: &Attachment,
        take: &mut Taker<'_>,
    ) -> Result<Option<()>, Trouble> {
        assert_eq!(attachment.name, "a /b");
        self.alone += 1;
        let coded = attachment.encoding == Some(Encoding::Gzip);
        assert_eq!(coded, is_coded(id));
        let leaves = self.documents[id].1.clone();
        let (_, _, bytes) = leaves.iter().find(|(r, ..)| r == rev).unwrap();
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        take(half.to_vec().into())?;
        self.question()?;
        take(rest.to_vec().into())?;
        Ok(Some(()))
    }

    async fn end(&mut self) -> Result<Last, Trouble> {
        let state = self.state().await?;
        Ok(Last {
            identity: state.identity,
            figures: state.figures,
            properties: Properties {
                security: json!({"admins": {"names": ["x"]}}),
                revs_limit: Some(2000),
                purged_infos_limit: Some(1000),
            },
        })
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
    let properties = &taken.trailer.properties;
    assert_eq!(properties.security["admins"]["names"][0], "x");
    assert_eq!(properties.revs_limit, Some(2000));
    assert!(
        memory.largest_answer < 16 << 20,
        "{}",
        memory.largest_answer
    );
}

#[tokio::test]
async fn a_listing_that_is_too_long_is_asked_for_in_parts() {
    let (mut memory, kept) = (example(), place());
    memory.longest = Some(7);
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    assert_eq!(read(&taken).0, all(&memory));
}

#[test]
fn many_writes_leave_little_to_compare() {
    let mut written = Written::default();
    assert_eq!(written.compared(), 100);
    for n in 0..7_000 {
        written.add(&Row {
            id: n.to_string(),
            ..Row::default()
        });
    }
    assert!(written.compared() < COMPARED && written.compared() > 80);
}

#[tokio::test]
async fn a_small_attachment_keeps_its_encoding() {
    let (mut memory, kept) = (example(), place());
    memory.put("coded", "1-c", false, b"stored");
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    let (revisions, content) = read(&taken);
    assert_eq!(revisions, all(&memory));
    assert_eq!(content, 1_100_000 + "stored".len());
}

#[tokio::test]
async fn small_attachments_that_keep_their_encoding_come_together() {
    for (parts, alone) in [(true, 1), (false, 31)] {
        let (mut memory, kept) = (example(), place());
        memory.parts = parts;
        for n in 0..30 {
            memory.put(&format!("coded {n}"), "1-c", false, &[b'c'; 400_000]);
        }
        let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
            .await
            .unwrap();
        let (revisions, content) = read(&taken);
        assert_eq!(revisions, all(&memory));
        assert_eq!(content, 1_100_000 + 30 * 400_000);
        // The large one always is.
        assert_eq!(memory.alone, alone);
        assert!(memory.largest_answer < 5 << 20, "{}", memory.largest_answer);
    }
}

#[tokio::test]
async fn what_one_copy_lacks_another_has() {
    let (mut memory, kept) = (example(), place());
    memory.put("doc-9", "2-a", false, b"");
    memory.put("coded", "1-c", false, b"stored");
    memory.lagging = ["doc-7", "doc-9", "gone", "coded", "small 3"]
        .map(str::to_owned)
        .to_vec();
    let taken = pull(&mut memory, &kept.place, &[], &mut |_| {})
        .await
        .unwrap();
    assert_eq!(read(&taken).0, all(&memory));
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
async fn a_file_is_whole_up_to_the_sequence_that_it_names() {
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
        let end: u64 = taken.trailer.seq.parse().unwrap();
        let before = |(id, _): &&(String, String)| memory.documents[id].0 <= end;
        let all = all(&memory);
        let missing: Vec<_> = all
            .iter()
            .filter(before)
            .filter(|r| !revisions.contains(r))
            .collect();
        assert_eq!(missing, Vec::<&(String, String)>::new(), "at {at}");
        // What was there when it was begun is there, in that state or a later one.
        assert!(
            example()
                .documents
                .keys()
                .all(|id| revisions.iter().any(|(r, _)| r == id)),
            "at {at}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_written_to_all_the_time_is_saved() {
    let (mut memory, kept) = (example(), place());
    memory.busy = true;
    let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    let revisions = read(&taken).0;
    assert!(memory.documents.len() > example().documents.len());
    for id in example().documents.keys() {
        assert!(revisions.iter().any(|(found, _)| found == id), "{id}");
    }
    let end: u64 = taken.trailer.seq.parse().unwrap();
    assert!(end < memory.sequence);
    // A document that no answer told of is found out all the same.
    let (mut memory, kept) = (example(), place());
    (memory.busy, memory.hidden) = (true, Some("doc-7"));
    let stopped = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap_err();
    assert!(
        stopped.clause().contains("are not those of the database"),
        "{}",
        stopped.clause()
    );
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

#[tokio::test]
async fn a_lost_connection_resumes_within_a_page_where_a_batch_ended() {
    let example = || {
        let mut memory = Memory::default();
        (0..450).for_each(|n| memory.put(&format!("doc-{n}"), "2-a", false, b""));
        memory
    };
    let (mut memory, kept) = (example(), place());
    pull(&mut memory, &kept.place, &NONE, &mut |_| {})
        .await
        .unwrap();
    for at in 1..=memory.asked {
        let (mut memory, kept) = (example(), place());
        memory.lost = vec![at];
        let taken = pull(&mut memory, &kept.place, &NONE, &mut |_| {})
            .await
            .unwrap();
        // Each of them, and none twice.
        assert_eq!(read(&taken).0, all(&memory), "lost at {at}");
    }
}
