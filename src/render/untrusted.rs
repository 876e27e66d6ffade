//! No input panics or reaches the terminal as a control: every case with its texts spoilt, in every format. Test code only.

use super::report::{Style, write};
use super::sarif::Invocation;
use super::{github, json, sarif, yaml};
use crate::diagnosis::{Case, diagnose, fixture};
use crate::model::helm_release::HelmRelease;
use crate::palette::Palette;
use crate::snapshot::Read;
use crate::text::Screen;
use crate::view::report::{Onboarding, Report};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// What a value of an object becomes.
#[derive(Clone, Debug)]
enum Spoilt {
    /// Put into the text that is there, at about this place.
    Into(String, Index),
    Instead(Value),
    Gone,
}

fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\u{1b}[31mred\u{1b}[0m".to_owned()),
        Just("\u{1b}]0;title\u{7}\u{9b}2J".to_owned()),
        Just("\r\nerror[SKVS301]: forged\n::error::forged\n".to_owned()),
        Just("\u{202e}gnp.exe\u{200b}\u{feff}\u{2028}".to_owned()),
        Just("\0\u{8}\u{7f}\t%0A%!s(MISSING)'\"`$(x)|\\".to_owned()),
        Just("x".repeat(70_000)),
        Just("é漢\u{1f600} \"".repeat(900)),
        any::<String>(),
    ]
}

fn spoilt() -> impl Strategy<Value = Spoilt> {
    let values = prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([[], {}, null])),
        Just(json!(true)),
        any::<i64>().prop_map(|n| json!(n)),
        nasty().prop_map(Value::String),
    ];
    prop_oneof![
        4 => (nasty(), any::<Index>()).prop_map(|(text, at)| Spoilt::Into(text, at)),
        2 => values.prop_map(Spoilt::Instead),
        1 => Just(Spoilt::Gone),
    ]
}

/// JSON pointers of everything in an object.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, v)| pointers(v, &format!("{at}/{}", escaped(key)), all)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), all)),
        _ => {}
    }
}

fn spoil(object: &mut Value, place: &Index, spoilt: &Spoilt) {
    let mut all = Vec::new();
    pointers(object, "", &mut all);
    let Some(value) = object.pointer_mut(place.get(&all[..]).as_str()) else {
        return;
    };
    match (spoilt, &mut *value) {
        (Spoilt::Into(text, at), Value::String(old)) => {
            let places: Vec<usize> = old
                .char_indices()
                .map(|(i, _)| i)
                .chain([old.len()])
                .collect();
            old.insert_str(*at.get(&places), text);
        }
        (Spoilt::Into(..), _) => {}
        (Spoilt::Instead(new), _) => *value = new.clone(),
        (Spoilt::Gone, Value::Object(map)) => map.clear(),
        (Spoilt::Gone, Value::Array(list)) => list.clear(),
        (Spoilt::Gone, _) => *value = Value::Null,
    }
}

/// The report in every format.
fn formats(report: &Report, width: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut text = Vec::new();
    let style = Style {
        width: Some(width),
        namespaced: width.is_multiple_of(2),
        details: None,
        seconds: None,
        palette: Palette::new(false),
    };
    write(&mut Screen::new(&mut text), report, style).unwrap();
    let mut annotations = Vec::new();
    github::write(&mut Screen::new(&mut annotations), report, 0.1).unwrap();
    let (mut objects, mut documents, mut log) = (Vec::new(), Vec::new(), Vec::new());
    json::write(&mut objects, report).unwrap();
    yaml::write(&mut documents, report).unwrap();
    let invocation = Invocation {
        exit_code: 3,
        errors: Vec::new(),
    };
    json::write_value(&mut log, &sarif::log(report, &invocation)).unwrap();
    vec![
        ("text", text),
        ("github", annotations),
        ("json", objects),
        ("yaml", documents),
        ("sarif", log),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_panics_and_no_control_gets_out(
        case in any::<Index>(),
        spoilings in proptest::collection::vec((any::<Index>(), any::<Index>(), spoilt()), 1..6),
        log in nasty(),
        width in 1usize..160,
    ) {
        let name = case.get(&fixture::names()).clone();
        let mut snapshot = fixture::snapshot(&name);
        let mut all = 0;
        fixture::reread(&name, &mut snapshot, &mut |_| all += 1);
        let mut at = 0;
        let mut spoilings_of = |value: &mut Value| {
            for (object, place, spoilt) in &spoilings {
                if object.index(all + 1) == at {
                    spoil(value, place, spoilt);
                }
            }
            at += 1;
        };
        spoilings_of(&mut snapshot.object);
        fixture::reread(&name, &mut snapshot, &mut spoilings_of);
        if let Read::Seen(release) = &mut snapshot.release {
            release.info.notes.push_str(&log);
            release.info.description.push_str(&log);
        }
        if let Read::Seen(job) = &mut snapshot.creation_job
            && let Some(pods) = job.pods.seen_mut()
        {
            for (_, text) in pods.known_mut().iter_mut().flat_map(|pod| &mut pod.logs) {
                if let Some(text) = text.seen_mut() {
                    text.push_str(&log);
                }
            }
        }
        // An object that is none of its kind is refused where it is read.
        let Ok(helm_release) = HelmRelease::from_value(&snapshot.object) else {
            return Ok(());
        };
        snapshot.helm_release = helm_release;
        let case = Case::new(&snapshot, fixture::meta(&name).now);
        let report = Report::new(vec![Onboarding::new(&case, diagnose(&case))], None, Vec::new());
        for (format, bytes) in formats(&report, width) {
            let text = String::from_utf8(bytes).unwrap();
            let control = text.chars().find(|c| c.is_control() && *c != '\n');
            prop_assert_eq!(control, None, "{} of {}", format, name);
        }
    }
}
