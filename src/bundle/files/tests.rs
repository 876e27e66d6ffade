use super::*;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;
use tempfile::TempDir;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of these files, whose paths are not checked.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

/// The paths that were read of each tree, or the error without the folder's name.
fn paths(
    folder: &TempDir,
    name: &str,
    recursive: bool,
) -> std::result::Result<Vec<String>, String> {
    let path = folder.path().join(name);
    let read = load(&[path], recursive, &mut io::empty());
    let shown = folder.path().display().to_string();
    read.map(|trees| {
        let of = |t: &Tree| t.entries.iter().map(|e| t.name(e)).collect::<Vec<_>>();
        let all = trees.iter().flat_map(of);
        all.map(|p| p.replace(&format!("{shown}/"), "")).collect()
    })
    .map_err(|e| e.message().replace(&shown, "DIR"))
}

#[cfg(unix)]
#[test]
fn a_folder_is_read_as_kubectl_reads_it() {
    let some = folder(&[
        ("b.yaml", b"b"),
        ("a.json", b"a"),
        ("c.yml", b"c"),
        ("README.md", b"r"),
        ("x.log", b"l"),
        ("in/d.yaml", b"d"),
        ("in/e.tar.gz", &gzip(&tar(&[("e/f.yaml", b"f")]))),
    ]);
    assert_eq!(
        paths(&some, "", false).unwrap(),
        ["a.json", "b.yaml", "c.yml", "x.log"]
    );
    assert_eq!(
        paths(&some, "", true).unwrap(),
        [
            "a.json",
            "b.yaml",
            "c.yml",
            "in/d.yaml",
            "x.log",
            "in/e.tar.gz/e/f.yaml"
        ]
    );
    let empty = folder(&[("README.md", b"r"), ("in/a.yaml", b"a")]);
    assert_eq!(
        paths(&empty, "", false).unwrap_err(),
        "the folder \"DIR/\" holds no file to read"
    );
}

#[test]
fn a_bundle_in_a_folder_is_pointed_to() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("skvs-bundle-1");
    std::fs::create_dir(&bundle).unwrap();
    let manifest = serde_json::json!({"apiVersion": super::manifest::API_VERSION, "kind": super::manifest::KIND});
    std::fs::write(bundle.join(super::manifest::FILE), manifest.to_string()).unwrap();
    assert_eq!(
        bundle_in(folder.path()),
        Some(bundle.to_string_lossy().into_owned())
    );
    assert_eq!(bundle_in(&bundle), None);
}

#[cfg(unix)]
#[test]
fn a_bundles_folder_is_read_whole_also_by_its_manifest() {
    let bundle = folder(&[
        ("manifest.json", br#"{"kind": "Bundle"}"#),
        ("answers/0001.yaml", b"a"),
        ("answers/0002.log", b"l"),
    ]);
    let all = ["answers/0001.yaml", "answers/0002.log", "manifest.json"];
    assert_eq!(paths(&bundle, "", false).unwrap(), all);
    assert_eq!(paths(&bundle, "manifest.json", false).unwrap(), all);
    let other = folder(&[
        ("manifest.json", br#"{"name": "an app"}"#),
        ("in/a.yaml", b"a"),
    ]);
    assert_eq!(paths(&other, "", false).unwrap(), ["manifest.json"]);
}

#[cfg(unix)]
#[test]
fn archives_are_known_by_what_is_in_them() {
    let packed = tar(&[("./b/a.yaml", b"a"), ("b/l.log", b"l")]);
    let some = folder(&[
        ("a.tar.gz", &gzip(&packed)),
        ("b", &gzip(&packed)),
        ("c.tar", &packed),
        ("d.yaml.gz", &gzip(b"d")),
    ]);
    for name in ["a.tar.gz", "b", "c.tar"] {
        let expected = ["b/a.yaml", "b/l.log"].map(|p| format!("{name}/{p}"));
        assert_eq!(paths(&some, name, false).unwrap(), expected);
    }
    assert_eq!(paths(&some, "d.yaml.gz", false).unwrap(), ["d.yaml.gz"]);
    let mut stdin = io::Cursor::new(gzip(&packed));
    let trees = load(&["-".into()], false, &mut stdin).unwrap();
    assert_eq!(
        trees[0].name(&trees[0].entries[0]),
        "standard input/b/a.yaml"
    );
    let twice = load(&["-".into(), "-".into()], false, &mut io::empty());
    assert!(twice.unwrap_err().message().contains("only once"));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_named() {
    let whole = gzip(&tar(&[("a.yaml", &[b'a'; 2000])]));
    let some = folder(&[
        ("cut.tgz", &whole[..whole.len() / 2]),
        ("no.tgz", b"no archive"),
        ("out.tgz", &gzip(&tar(&[("a/../../b.yaml", b"b")]))),
        ("root.tgz", &gzip(&tar(&[("/etc/b.yaml", b"b")]))),
        ("short.tar", &tar(&[("a.yaml", &[b'a'; 2000])])[..1024]),
    ]);
    for (name, told) in [
        ("none.yaml", "the path \"DIR/none.yaml\" does not exist"),
        (
            "cut.tgz",
            "DIR/cut.tgz: incomplete deflate stream (is the file whole?)",
        ),
        (
            "no.tgz",
            "DIR/no.tgz is not a complete archive: failed to read entire block",
        ),
        (
            "out.tgz",
            "DIR/out.tgz holds the path \"a/../../b.yaml\", which leaves it",
        ),
        (
            "root.tgz",
            "DIR/root.tgz holds the path \"/etc/b.yaml\", which leaves it",
        ),
    ] {
        assert_eq!(paths(&some, name, false).unwrap_err(), told);
    }
    let short = paths(&some, "short.tar", false).unwrap_err();
    assert!(
        short.starts_with("DIR/short.tar is not a complete archive: "),
        "{short}"
    );
}

#[test]
fn what_unpacks_to_more_than_is_left_is_not_read() {
    let bomb = gzip(&vec![b' '; 1_000_000]);
    let many = gzip(&tar(&[("a", b"a"), ("b", b"b")]));
    assert!(bomb.len() < 10_000);
    for (bytes, files, packed, told) in [
        (10_000, 9, &bomb, "x.tgz: more than 256 MiB are not read"),
        (
            10_000,
            2,
            &many,
            "x.tgz: more than 50,000 files are not read",
        ),
    ] {
        let mut reader = Reader {
            bytes,
            files,
            names: 9,
            trees: Vec::new(),
        };
        let error = reader.one("x.tgz", packed.clone()).unwrap_err();
        assert_eq!(error.message(), told);
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_named_and_not_waited_for() {
    for name in ["b.yaml", "b.tar.gz", "b.log", "manifest.json"] {
        let some = folder(&[("a.yaml", b"a")]);
        pipe(&some.path().join(name));
        assert_eq!(
            paths(&some, "", false).unwrap_err(),
            format!("DIR/{name} is not a regular file but a pipe")
        );
    }
    let some = folder(&[("a.yaml", b"a"), ("in/x", b"")]);
    pipe(&some.path().join("README"));
    pipe(&some.path().join("in/manifest.json"));
    std::os::unix::fs::symlink("/dev/zero", some.path().join("zero")).unwrap();
    assert_eq!(paths(&some, "", false).unwrap(), ["a.yaml"]);
    assert_eq!(bundle_in(some.path()), None);
    std::os::unix::fs::symlink("/dev/zero", some.path().join("c.yaml")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(some.path().join("d.yml")).unwrap();
    for (name, kind) in [("c.yaml", "a device"), ("d.yml", "a socket")] {
        let error = paths(&some, "", false).unwrap_err();
        assert_eq!(
            error,
            format!("DIR/{name} is not a regular file but {kind}")
        );
        std::fs::remove_file(some.path().join(name)).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read() {
    let some = folder(&[]);
    let path = some.path().join("b.yaml");
    pipe(&path);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, b"a: 1")
    });
    let trees = load(&[path], false, &mut io::empty()).unwrap();
    assert_eq!(trees[0].entries[0].bytes, b"a: 1");
    writer.join().unwrap().unwrap();
}

#[cfg(unix)]
#[test]
fn an_endless_file_is_read_to_the_bound() {
    let mut reader = Reader {
        bytes: 10_000,
        files: 9,
        names: 9,
        trees: Vec::new(),
    };
    let error = reader.file(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(error.message(), "/dev/zero: more than 256 MiB are not read");
}

#[cfg(unix)]
#[test]
fn names_and_folders_have_bounds() {
    let deep = format!("{}a.yaml", "d/".repeat(FOLDERS_MAX + 1));
    let some = folder(&[("a.txt", b""), ("b.txt", b""), (&deep, b"a")]);
    let read = |names: usize, recursive: bool| {
        let mut reader = Reader {
            bytes: 100,
            files: 9,
            names,
            trees: Vec::new(),
        };
        let read = reader.folder(some.path(), "DIR", recursive);
        let shown = some.path().display().to_string();
        read.unwrap_err().message().replace(&shown, "DIR")
    };
    assert_eq!(
        read(2, false),
        "DIR: more than 500,000 names in folders are not read"
    );
    assert_eq!(read(3, false), "the folder \"DIR\" holds no file to read");
    let error = read(100, true);
    assert!(
        error.ends_with("/d: folders deeper than 32 are not read"),
        "{error}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_text_is_read_and_shown_clean() {
    use std::os::unix::ffi::OsStrExt;
    let some = folder(&[]);
    for (name, shown) in [
        (&b"a\xff.yaml"[..], "a\u{fffd}.yaml"),
        (b"b\x1b[2J\n.yaml", "b^[[2J\\n.yaml"),
    ] {
        let path = some.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(&path, b"a").unwrap();
        assert_eq!(paths(&some, "", false).unwrap(), [shown]);
        std::fs::remove_file(path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_an_archive_is_not_left_out() {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name) in [
        (tar::EntryType::Directory, "b.yaml/"),
        (tar::EntryType::Symlink, "README"),
        (tar::EntryType::Link, "a\x1b.yaml"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_link_name("c.yaml").unwrap();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
    }
    let some = folder(&[("a.tar", &builder.into_inner().unwrap())]);
    assert_eq!(
        paths(&some, "a.tar", false).unwrap_err(),
        "DIR/a.tar: a^[.yaml is not a regular file in the archive"
    );
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_twice() {
    let some = folder(&[("in/a.yaml", b"a")]);
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, some.path().join(name)).unwrap();
    };
    link(some.path(), "in/again");
    link(&some.path().join("in/a.yaml"), "b.yaml");
    link(Path::new("/nowhere"), "gone.txt");
    assert_eq!(paths(&some, "", true).unwrap(), ["b.yaml", "in/a.yaml"]);
}

proptest! {
    #[test]
    fn no_archive_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 0..2000usize, flip in 0..2000usize, packed in any::<bool>()) {
        let mut archive = tar(&[("a/b.yaml", b"kind: A"), ("a/c.yaml", bytes.as_slice())]);
        archive.truncate(cut);
        if let Some(byte) = archive.get_mut(flip) {
            *byte ^= 0x55;
        }
        let archive = if packed { gzip(&archive) } else { archive };
        for bytes in [archive, bytes] {
            if let Ok(trees) = load(&["-".into()], false, &mut io::Cursor::new(bytes)) {
                for entry in trees.iter().flat_map(|t| &t.entries) {
                    prop_assert!(!entry.path.starts_with('/') && !entry.path.split('/').any(|p| p == ".."));
                }
            }
        }
    }
}
