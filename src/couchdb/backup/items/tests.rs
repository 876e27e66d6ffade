use super::super::format::{CHUNK, Server, Totals};
use super::super::tally::{Partial, partial, tally};
use super::super::writer::{Finish, Writer};
use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::fs::{self, File};
use tempfile::TempDir;

fn header() -> Header {
    Header {
        format: FORMAT,
        plugin: "0.1.0".into(),
        taken: "2026-11-24T00:00:00Z".into(),
        server: Server {
            uuid: "u".into(),
            version: "3.2.2".into(),
        },
        database: "pds_database".into(),
        identity: ".1700000000".into(),
        partitioned: false,
        shards: None,
        stale: Vec::new(),
        shard_map: json!({"_id": "pds_database"}),
    }
}

/// A file in a folder of its own.
fn begun() -> (TempDir, std::path::PathBuf, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b");
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    let writer = Writer::create(file, &header()).unwrap();
    (folder, path, writer)
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn put(writer: &mut Writer, id: &str, rev: &str, deleted: bool) {
    let row = Row {
        id: id.to_owned(),
        leaves: vec![rev.to_owned()],
        deleted,
    };
    writer.row(&row).unwrap();
    let text = json!({"_id": id, "_rev": rev}).to_string();
    let document = raw(&text);
    writer
        .document(&document, &Meta::parse(&document).unwrap())
        .unwrap();
}

fn end(writer: Writer, documents: u64, deleted: u64, superseded: u64) -> Trailer {
    let totals = Totals {
        documents,
        deleted,
        superseded,
    };
    let finish = Finish {
        finished: "2026-11-24T00:00:01Z".into(),
        update_seq: "9-x".into(),
        totals,
        stale: Vec::new(),
        compared: None,
        properties: super::super::format::Properties {
            security: json!({"admins": {}}),
            ..Default::default()
        },
    };
    writer.finish(finish).unwrap().1
}

fn all(bytes: &[u8]) -> Result<Vec<Item>, Broken> {
    let mut items = Items::new(bytes);
    let mut found = Vec::new();
    while let Some(item) = items.next_item()? {
        found.push(item);
    }
    Ok(found)
}

/// Two members, a document with a large attachment in the second.
fn example() -> Vec<u8> {
    let (_folder, path, mut writer) = begun();
    put(&mut writer, "a", "1-a", false);
    writer.checkpoint("1-x".into()).unwrap();
    let row = Row {
        id: "b/é".into(),
        leaves: vec!["1-b".into()],
        deleted: false,
    };
    writer.row(&row).unwrap();
    let document = raw(
        "{\"_id\":\"b/\\u00e9\",\"_rev\":\"1-b\",\n\"n\":12345678901234567890123,\"_attachments\":{\"x y\":{\"stub\":true,\"length\":500000},\"e\":{\"stub\":true,\"length\":0}}}",
    );
    let meta = Meta::parse(&document).unwrap();
    writer.document(&document, &meta).unwrap();
    for stub in meta.stubs() {
        writer.attachment(&stub).unwrap();
        let length = usize::try_from(stub.length).unwrap();
        writer.content(&vec![7; length]).unwrap();
        writer.end_attachment().unwrap();
    }
    writer.checkpoint("2-x".into()).unwrap();
    end(writer, 2, 0, 0);
    fs::read(path).unwrap()
}

#[test]
fn a_document_comes_back_to_the_letter() {
    let items = all(&example()).unwrap();
    let kinds: Vec<&str> = items
        .iter()
        .map(|item| match item {
            Item::Header(_) => "header",
            Item::Row(_) => "row",
            Item::Document(..) => "doc",
            Item::Attachment(_) => "attachment",
            Item::Content(_) => "chunk",
            Item::Checkpoint(_) => "checkpoint",
            Item::Trailer(_) => "trailer",
        })
        .collect();
    assert_eq!(
        kinds.join(" "),
        "header row doc checkpoint row doc attachment attachment chunk chunk checkpoint trailer"
    );
    let content: usize = items
        .iter()
        .map(|item| match item {
            Item::Content(bytes) => bytes.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(content, 500_000);
    let Item::Document(document, _) = &items[5] else {
        panic!("{:?}", items[5]);
    };
    assert!(document.get().contains("\"n\":12345678901234567890123,"));
    let Item::Trailer(trailer) = items.last().unwrap() else {
        panic!("no trailer");
    };
    assert_eq!((trailer.lines.revisions, trailer.lines.attachments), (2, 2));
    assert_eq!((trailer.seq.as_str(), trailer.totals.documents), ("2-x", 2));
}

#[test]
fn a_cut_file_tells_how_far_it_goes_and_is_gone_on_with_there() {
    let whole = example();
    for at in (0..whole.len())
        .step_by(11)
        .chain(whole.len() - 30..whole.len())
    {
        let told = all(&whole[..at]).unwrap_err();
        assert!(matches!(told, Broken::Cut(_)), "{at}: {told}");
        let partial = partial(&whole[..at]).err().unwrap();
        assert!(partial.mark.offset <= at as u64);
        let ends = partial.mark.offset as usize;
        assert!(tally(|| Ok(&whole[..]), 1, Some(ends as u64)).is_ok() || ends == 0);
    }
    let told = all(&whole[..whole.len() - 1]).unwrap_err().to_string();
    assert_eq!(
        told,
        "it is cut: its end is missing; it is complete up to row 2"
    );
    assert_eq!(
        all(&whole[..10]).unwrap_err().to_string(),
        "it is cut within its first line"
    );
}

#[test]
fn a_lost_member_is_taken_back_and_the_checksum_still_holds() {
    let (_folder, path, mut writer) = begun();
    put(&mut writer, "a", "1-a", false);
    writer.checkpoint("1-x".into()).unwrap();
    put(&mut writer, "b", "1-b", false);
    writer.content(&[1, 2, 3]).unwrap();
    writer.roll_back().unwrap();
    put(&mut writer, "c", "1-c", true);
    writer.checkpoint("2-x".into()).unwrap();
    drop(writer);
    // Another run goes on, over what a third left half written.
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend([0x1f, 0x8b, 8, 0]);
    let Partial { mark, .. } = *partial(&bytes[..]).err().unwrap();
    assert_eq!(mark.seq, "2-x");
    let file = File::options().read(true).write(true).open(&path).unwrap();
    let mut writer = Writer::resume(file, mark).unwrap();
    put(&mut writer, "a", "2-a", false);
    writer.checkpoint("3-x".into()).unwrap();
    let trailer = end(writer, 1, 1, 1);
    let whole = tally(|| File::open(&path), trailer.lines.rows, None).unwrap();
    assert_eq!(whole.superseded, [0]);
    assert_eq!(whole.trailer, Some(trailer));
}

#[test]
fn a_revision_that_is_missing_is_damage() {
    let (_folder, path, mut writer) = begun();
    let row = Row {
        id: "a".into(),
        leaves: vec!["1-a".to_owned()],
        deleted: false,
    };
    writer.row(&row).unwrap();
    writer.checkpoint("1".into()).unwrap();
    end(writer, 1, 0, 0);
    let told = all(&fs::read(path).unwrap()).unwrap_err().to_string();
    assert_eq!(told, "it is damaged: a revision is missing");
}

#[test]
fn a_revision_twice_stands_for_no_other() {
    let (_folder, path, mut writer) = begun();
    let row = Row {
        id: "a".into(),
        leaves: vec!["1-a".into(), "1-b".into()],
        deleted: false,
    };
    writer.row(&row).unwrap();
    let document = raw("{\"_id\":\"a\",\"_rev\":\"1-a\"}");
    for _ in 0..2 {
        let meta = Meta::parse(&document).unwrap();
        writer.document(&document, &meta).unwrap();
    }
    writer.checkpoint("1-x".into()).unwrap();
    end(writer, 1, 0, 0);
    let broken = all(&fs::read(path).unwrap()).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "it is damaged: a revision is in a row that does not list it"
    );
}

#[test]
fn a_last_line_with_another_sequence_is_damage() {
    use std::io::Write;
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&*example())
        .read_to_string(&mut text)
        .unwrap();
    let end = text.rfind("\"seq\":\"").unwrap() + "\"seq\":\"".len();
    text.insert(end, '9');
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let broken = all(&encoder.finish().unwrap()).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "it is damaged: its last line names another sequence"
    );
}

#[test]
fn slices_count_as_the_whole_does() {
    let (_folder, path, mut writer) = begun();
    for n in 0..60 {
        let id = format!("doc-{}", n % 40);
        put(&mut writer, &id, &format!("{n}-r"), n % 3 == 0);
    }
    writer.checkpoint("60".into()).unwrap();
    let upto = Some(writer.mark().offset);
    let once = tally(|| File::open(&path), 60, upto).unwrap();
    let sliced = tally(|| File::open(&path), 1_700_000, upto).unwrap();
    assert_eq!(once.totals, sliced.totals);
    assert_eq!(once.superseded, (0..20).collect::<Vec<u64>>());
    assert_eq!(once.superseded, sliced.superseded);
    assert_eq!(once.totals.documents + once.totals.deleted, 40);
}

#[test]
fn another_format_and_another_file_are_told() {
    use std::io::Write;
    let gz = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let told = |bytes: &[u8]| all(bytes).unwrap_err().to_string();
    let later = gz("{\"header\":{\"format\":9,\"new\":true}}\n");
    assert_eq!(
        told(&later),
        "its format is 9, this version of the plugin reads 1 to 2"
    );
    assert!(told(b"PK\x03\x04 a zip file").starts_with("it is not a backup of a database: "));
    assert!(told(&gz("{\"row\":{\"id\":\"a\",\"leaves\":[]}}\n")).contains("not a backup"));
    assert_eq!(told(b""), "it is cut within its first line");
}

/// A document as the property makes it: id, leaves, lengths of attachments outside of it.
type Given = (String, Vec<u32>, Vec<usize>);

fn given() -> impl Strategy<Value = Vec<Given>> {
    let one = (
        "\\PC{1,12}",
        proptest::collection::vec(1..9u32, 0..3),
        proptest::collection::vec(0..3 * CHUNK, 0..2),
    );
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read(given in given(), every in 1..4usize) {
        let (_folder, path, mut writer) = begun();
        let mut expected = Vec::new();
        for (at, (id, leaves, lengths)) in given.iter().enumerate() {
            let id = format!("{id}{at}");
            let leaves: Vec<String> = leaves.iter().enumerate().map(|(i, l)| format!("{l}-{i}")).collect();
            writer.row(&Row { id: id.clone(), leaves: leaves.clone(), deleted: false }).unwrap();
            for rev in &leaves {
                let stubs: serde_json::Map<String, serde_json::Value> = lengths.iter().enumerate()
                    .map(|(i, l)| (format!("a/{i} "), json!({"stub": true, "length": l}))).collect();
                let text = json!({"_id": id, "_rev": rev, "_attachments": stubs}).to_string();
                let document = raw(&text);
                let meta = Meta::parse(&document).unwrap();
                writer.document(&document, &meta).unwrap();
                expected.push(text);
                for stub in meta.stubs() {
                    writer.attachment(&stub).unwrap();
                    for piece in vec![5u8; stub.length as usize].chunks(100_000) {
                        writer.content(piece).unwrap();
                    }
                    writer.end_attachment().unwrap();
                }
            }
            if at % every == 0 {
                writer.checkpoint(format!("{at}")).unwrap();
            }
        }
        writer.checkpoint("end".into()).unwrap();
        let trailer = end(writer, given.len() as u64, 0, 0);
        let items = all(&fs::read(&path).unwrap()).unwrap();
        let documents: Vec<String> = items.iter().filter_map(|item| match item {
            Item::Document(raw, _) => Some(raw.get().to_owned()),
            _ => None,
        }).collect();
        prop_assert_eq!(documents, expected);
        let whole = tally(|| File::open(&path), trailer.lines.rows, None).unwrap();
        prop_assert_eq!(whole.trailer, Some(trailer));
    }

    #[test]
    fn a_changed_byte_is_never_taken_for_whole(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut bytes = example();
        let at = at.index(bytes.len());
        // Time, flags and system of a member's head change nothing of what it holds.
        let before = all(&bytes).unwrap().len();
        let same = bytes[at] == to;
        bytes[at] = to;
        match all(&bytes) {
            Ok(items) => prop_assert_eq!(items.len(), before),
            Err(_) => prop_assert!(!same),
        }
    }

    #[test]
    fn no_lines_panic(lines in proptest::collection::vec(line(), 0..12)) {
        use std::io::Write;
        let head = serde_json::to_string(&Line::Header(Box::new(header()))).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(format!("{head}\n{}\n", lines.join("\n")).as_bytes()).unwrap();
        let bytes = encoder.finish().unwrap();
        prop_assert!(all(&bytes).is_err());
        let _ = partial(&bytes[..]);
        let _ = tally(|| Ok(&bytes[..]), 1, Some(bytes.len() as u64));
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{\"row\":{\"id\":\"a\",\"leaves\":[\"1-a\"]}}".to_owned()),
        Just("{\"doc\":{\"_id\":\"a\",\"_rev\":\"1-a\",\"_attachments\":{\"x\":{\"stub\":true,\"length\":3}}}}".to_owned()),
        Just("{\"attachment\":{\"name\":\"x\",\"length\":3}}".to_owned()),
        Just("{\"chunk\":\"AAAA\"}".to_owned()),
        Just("{\"checkpoint\":{\"seq\":\"1\",\"rows\":1,\"revisions\":1,\"attachments\":1,\"bytes\":18446744073709551615}}".to_owned()),
        "\\PC{0,40}",
        "\\{\"(row|doc|chunk|checkpoint|trailer)\":\\PC{0,30}\\}",
    ]
}
