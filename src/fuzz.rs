//! The entry points of the fuzz targets in tests/fuzz: every parser that reads what others wrote, with the properties it must have.
//!
//! Compiled for `cargo fuzz` and for `cargo test`, which runs each entry point on its seeds and on random bytes. A property that does
//! not hold panics.

use crate::bundle::request::Accept;
use crate::bundle::{Answer, Archive};
use crate::cluster::kubeconfig;
use crate::couchdb::backup::answers;
use crate::couchdb::response::{
    Copy, DatabaseInfo, Membership, NoResponse, Response, Server, ShardMap, System,
};
use crate::couchdb::script::{self, Exchange};
use crate::couchdb::session::frames::{Frame, Frames, Garbled};
use crate::model::documents::{Room, documents};
use crate::model::helm_storage::{
    self, Release, ReleaseSecret, SECRET_TYPE, StorageError, from_config_map, from_secret,
};
use crate::model::ownership::{Driver, Ownership, Part, Parts, Storage};
use crate::model::{manifest, names::DatabaseName};
use crate::render::jsonpath::{self, Template};
use crate::render::{PrintError, yaml};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::path::Path;

/// Helm's storage: what was encoded is decoded, alike from a Secret and a ConfigMap, and what cannot be decoded leaves every database
/// possibly claimed.
///
/// The first byte chooses how the rest is packed.
pub fn helm_secret(data: &[u8]) {
    let Some((way, bytes)) = data.split_first() else {
        return;
    };
    let (packed, whole) = match way % 3 {
        0 => (gzip(bytes), true),
        1 => (bytes.to_vec(), !bytes.starts_with(&[0x1f, 0x8b])),
        _ => {
            let mut broken = gzip(bytes);
            let at = usize::from(*way) % broken.len();
            broken[at] ^= 0x55;
            (broken, false)
        }
    };
    let stored = STANDARD.encode(&packed);
    let metadata = json!({"namespace": "core", "name": "sh.helm.release.v1.a.v1"});
    let secret = json!({"type": SECRET_TYPE, "metadata": metadata, "data": {"release": STANDARD.encode(&stored)}});
    let config_map = json!({"metadata": metadata, "data": {"release": stored}});
    let value = from_secret::<Value>(&secret);
    if whole {
        match (&value, serde_json::from_slice::<Value>(bytes)) {
            (Ok(decoded), Ok(encoded)) => assert_eq!(*decoded, encoded),
            (Err(StorageError::TooManyValues | StorageError::TooLarge), _) => {}
            (decoded, encoded) => assert!(decoded.is_err() && encoded.is_err()),
        }
    }
    assert_eq!(value, from_config_map(&config_map));

    let release = from_secret::<Release>(&secret);
    let typed = ReleaseSecret::deserialize(&secret).expect("a Secret");
    let shown = |release: &Result<Release, StorageError>| format!("{release:?}");
    assert_eq!(shown(&release), shown(&typed.decode()));
    let mut storage = Storage::default();
    storage.add(Driver::Secret, &secret);
    let ownership = Ownership::new(Parts {
        helm_releases: Part::whole(None),
        secrets: Part::whole(storage),
        config_maps: Part::whole(Storage::default()),
        policies: Part::whole(None),
        database_objects: Part::whole(None),
    });
    let verdict = ownership.verdict("core_database");
    match release {
        Ok(release) => {
            let _ = helm_storage::creation(&release.hooks);
            for object in manifest::objects(&release.manifest) {
                assert!(!object.kind.is_empty() && !object.metadata.name.is_empty());
            }
        }
        Err(error) => {
            is_one_line(&error.to_string());
            assert!(!verdict.gaps.is_empty(), "{error}: unclaimed all the same");
            assert!(ownership.unclaimed("core_database").is_err());
        }
    }
}

/// A kubeconfig: one of the same bytes is read alike, and an error is one line without controls.
pub fn kubeconfig_file(data: &[u8]) {
    let read = || kubeconfig::parse(Path::new("/a/config"), data);
    match (read(), read()) {
        (Ok(once), Ok(again)) => {
            let plain = |config| serde_json::to_value(config).expect("JSON");
            assert_eq!(plain(once), plain(again));
        }
        (Err(once), Err(again)) => {
            assert_eq!(once, again);
            is_one_line(once.message());
        }
        (once, again) => panic!("read once as {once:?} and once as {again:?}"),
    }
}

/// What -f names: read twice it says the same, and an object that is not in it is never absent.
pub fn files(data: &[u8]) {
    let read = || Archive::load(&["-".into()], true, &mut Cursor::new(data));
    match (read(), read()) {
        (Ok(once), Ok(again)) => {
            for path in PATHS {
                for accept in [Accept::Json, Accept::Metadata, Accept::Text] {
                    let answer = once.answer(path, accept, None);
                    assert_eq!(answer, again.answer(path, accept, None));
                    // Only a recorded answer can be a refusal, or an empty list of anything but HelmReleases.
                    if !once.has_recorded(path, accept)
                        && let Answer::Found(body) = &answer
                        && accept == Accept::Json
                    {
                        let body: Value = serde_json::from_slice(body).expect("JSON");
                        let items = body["items"].as_array();
                        assert!(items.is_none_or(|i| !i.is_empty() || path.contains("helm")));
                    }
                }
            }
        }
        (Err(once), Err(again)) => {
            assert_eq!(once, again);
            is_one_line(once.message());
        }
        (once, again) => panic!("read once as {once:?} and once as {again:?}"),
    }
    // Written as YAML and read again, a document is written alike: only the form of numbers may change.
    for value in documents(data, &mut Room::default()).unwrap_or_default() {
        let text = written(&value);
        let read = documents(text.as_bytes(), &mut Room::default());
        let again: Vec<String> = read.iter().flatten().map(written).collect();
        assert_eq!(again, [text], "{read:?}");
    }
}

fn written(value: &Value) -> String {
    let mut text = Vec::new();
    yaml::write_value(&mut text, value).expect("YAML");
    String::from_utf8(text).expect("UTF-8")
}

/// Paths that are asked of files.
const PATHS: [&str; 6] = [
    "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
    "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/a",
    "/api/v1/namespaces/core/pods/p",
    "/api/v1/namespaces/core/pods/p/log?container=c&tailLines=2",
    "/api/v1/namespaces/core/secrets?labelSelector=owner%3Dhelm,name%3Da",
    "/api/v1/pods?fieldSelector=metadata.name%3Dp",
];

/// A template and, behind a line feed, the JSON that it is printed of: the same each time, and nothing at all with an error.
pub fn jsonpath_template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (template, value) = text.split_once('\n').unwrap_or((&text, "{}"));
    let value: Value = serde_json::from_str(value).unwrap_or_default();
    // A person writes the template. What it finds grows with every `..` of it.
    if template.matches("..").count() + template.matches('*').count() > 3 {
        return;
    }
    let _ = jsonpath::Path::relaxed(template);
    let Ok(parsed) = Template::parse(template) else {
        return;
    };
    let print = || {
        let mut out = Vec::new();
        let ended = parsed.write(&mut out, &value);
        (out, ended.map_err(|e: PrintError| e.to_string()))
    };
    let (out, ended) = print();
    assert!(ended.is_ok() || out.is_empty(), "printed before {ended:?}");
    assert_eq!((out, ended), print());
}

/// What a CouchDB sent: an exit code and the raw answer. One that was cut is not an answer, and none of its text is a control word.
pub fn couchdb_answer(data: &[u8]) {
    let Some((exit, raw)) = data.split_first() else {
        return;
    };
    let read = |raw: &[u8]| {
        Response::from_exchange(&Exchange {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            raw: raw.to_vec(),
            exit: i32::from(*exit),
        })
    };
    match read(raw) {
        Err(none) => is_one_line(&none.clause()),
        Ok(response) => {
            assert_eq!(*exit, 0);
            is_one_line(&response.clause());
            let closed = raw.trim_ascii_end();
            if (200..300).contains(&response.status) && closed.ends_with(b"}") {
                for cut in 0..closed.len() {
                    let cut = read(&closed[..cut]);
                    assert!(matches!(
                        cut,
                        Err(NoResponse::Broken(_) | NoResponse::NotHttp)
                    ));
                }
            }
            typed(&response.body);
        }
    }
    let _ = answers::changes(raw).map(|page| page.rows.len());
    for (id, revision) in answers::documents(raw).unwrap_or_default().into_keys() {
        assert!(id.len() + revision.len() <= raw.len());
    }
    let output = script::parse(raw, NONCE);
    if output.complete {
        let last = script::parse(&raw[..raw.len().saturating_sub(2)], NONCE);
        assert!(!last.complete, "complete without its last bytes");
    }
}

fn typed(body: &Value) {
    let _ = Server::deserialize(body);
    let _ = Membership::deserialize(body);
    let _ = DatabaseInfo::deserialize(body);
    let _ = ShardMap::deserialize(body).map(|map| map.epoch());
    let _ = System::deserialize(body);
    let _ = Copy::deserialize(body);
    for (_, missing) in answers::missing(body).unwrap_or_default() {
        assert!(!missing.is_empty());
    }
    for name in body.as_array().into_iter().flatten() {
        let _ = name.as_str().map(DatabaseName::parse);
    }
}

/// A session's output: however it is cut, the same frames come of it, and an answer loses no byte.
///
/// The first byte chooses what is read, the second how it is cut.
pub fn session_frames(data: &[u8]) {
    let [way, cut, bytes @ ..] = data else {
        return;
    };
    let wire = match way % 3 {
        // Anything at all.
        0 => bytes.to_vec(),
        // Anything within an answer.
        1 => [OPENING.as_bytes(), bytes].concat(),
        // An answer of any bytes.
        _ => [OPENING.as_bytes(), bytes, CLOSING.as_bytes()].concat(),
    };
    let whole = frames([wire.as_slice()].into_iter());
    assert_eq!(
        whole,
        frames(wire.chunks(usize::from(*cut).max(1))),
        "cut after each {cut} bytes"
    );
    if way % 3 == 2 {
        let mark = &CLOSING.as_bytes()[..NONCE.len() + " end ".len() + 1];
        if !bytes.windows(mark.len()).any(|w| w == mark) {
            let marks = vec![Frame::Ready, Frame::Ask, Frame::End(7), Frame::Done];
            assert_eq!(whole, (bytes.to_vec(), marks, None));
        }
    }
}

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const OPENING: &str = concat!(
    "0123456789abcdef0123456789abcdef ready\n",
    "0123456789abcdef0123456789abcdef ask GET /\n"
);
const CLOSING: &str = concat!(
    "\n0123456789abcdef0123456789abcdef end 7\n",
    "0123456789abcdef0123456789abcdef done\n"
);

/// The bytes of all answers, the other frames, and whether it ended garbled.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<Frame>, Option<Garbled>) {
    let mut frames = Frames::new(NONCE.to_owned());
    let (mut answer, mut others) = (Vec::new(), Vec::new());
    for piece in pieces {
        frames.push(piece);
        loop {
            match frames.next() {
                Ok(Some(Frame::Piece(bytes))) => answer.extend_from_slice(&bytes),
                Ok(Some(other)) => others.push(other),
                Ok(None) => break,
                Err(garbled) => return (answer, others, Some(garbled)),
            }
        }
    }
    (answer, others, None)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Text for a terminal: nothing in it ends the line or starts an escape sequence.
fn is_one_line(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 6] = [
        ("helm_secret", helm_secret),
        ("kubeconfig_file", kubeconfig_file),
        ("files", files),
        ("jsonpath_template", jsonpath_template),
        ("couchdb_answer", couchdb_answer),
        ("session_frames", session_frames),
    ];

    #[test]
    fn every_target_holds_for_its_seeds() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
        for (name, target) in TARGETS {
            assert!(root.join(format!("fuzz_targets/{name}.rs")).exists());
            let seeds: Vec<_> = std::fs::read_dir(root.join("seeds").join(name))
                .unwrap()
                .map(|seed| seed.unwrap().path())
                .collect();
            assert!(seeds.len() > 1, "{name}");
            for seed in seeds {
                target(&std::fs::read(seed).unwrap());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_target_holds_for_random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for (_, target) in TARGETS {
                target(&bytes);
            }
        }
    }
}
