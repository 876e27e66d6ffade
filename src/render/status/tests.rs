use super::clusters::Line;
use super::*;
use crate::palette::Palette;
use crate::snapshot::Read;
use crate::view::contexts::{InContext, Unread};
use crate::view::status::tests::{couchdb, entry, status};
use crate::view::status::{Databases, Parts, Source};

fn text(status: &Status) -> String {
    let style = Style {
        width: Some(80),
        namespaced: false,
        details: None,
        seconds: None,
        palette: Palette::PLAIN,
    };
    let mut out = Vec::new();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    write(&mut Screen::new(&mut out), status, style, now).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    text
}

#[test]
fn a_shift_that_begins_well_takes_a_few_lines() {
    insta::assert_snapshot!(text(&status(&[], |_| {})), @r"
    Found:            nothing wrong
    Onboardings:      2 in flux-system: 2 ready
    Databases:        4: 1 orphan, 1 shared, 2 in-use
      Orphans:        orphan_db
      Shared:         pds_database (claimed by a, b)
    CouchDB:          3.3.3, 3 of 3 members up, 3 of 3 pods ready
    Chart from:       HelmRepository flux-system/r: Ready, last changed 4d ago
    ");
}

#[test]
fn causes_come_worst_first_and_what_was_not_read_by_its_reason() {
    let change = |parts: &mut Parts| {
        parts.onboardings.failing = 1;
        parts.onboardings.suspended = 1;
        let forbidden = "forbidden (list secrets)";
        parts.not_read = vec![
            NotRead::new("Helm's Secrets of all namespaces", forbidden),
            NotRead::new("the AuthorizationPolicies", forbidden),
            NotRead::new("CouchDB's members", "timeout"),
        ];
        parts.couchdb.members = None;
    };
    insta::assert_snapshot!(text(&status(&["suspended", "database-exists"], change)), @r"
    Found:            1 error, 1 warning in what was read; 3 parts were not read, so
                      more may be wrong
    Onboardings:      3 in flux-system: 2 ready, 1 failing; 1 suspended
    Databases:        4: 1 orphan, 1 shared, 2 in-use
      Orphans:        orphan_db
      Shared:         pds_database (claimed by a, b)
    CouchDB:          3.3.3, members not known, 3 of 3 pods ready
    Chart from:       HelmRepository flux-system/r: Ready, last changed 4d ago
    Not read:         Helm's Secrets of all namespaces, the AuthorizationPolicies:
                      forbidden (list secrets)
                      CouchDB's members: timeout

    error    skvs-onboarding-iota--database: the database pds_database already
               exists, so its creation Job fails (SKVS301)
    warning  skvs-onboarding-i--suspended: it is suspended: Flux does nothing for it
               (SKVS107)
    ");
}

#[test]
fn what_is_not_known_is_never_shown_as_none() {
    let change = |parts: &mut Parts| {
        parts.namespace = None;
        parts.onboardings = Default::default();
        parts.databases = Databases::new(&[], false);
        parts.couchdb = couchdb();
        parts.couchdb.members = None;
        parts.couchdb.pods = None;
        parts.couchdb.version = None;
        parts.sources = Vec::new();
        parts.not_read = vec![NotRead::new("CouchDB's databases and members", "forbidden")];
    };
    insta::assert_snapshot!(text(&status(&[], change)), @r"
    Found:            nothing wrong in what was read; 1 part was not read, so more
                      may be wrong
    Onboardings:      none
    Databases:        not known
    CouchDB:          members not known, pods not known
    Not read:         CouchDB's databases and members: forbidden
    ");
}

#[test]
fn what_no_check_looked_at_is_found_too() {
    let change = |parts: &mut Parts| {
        let gone = Source::new("HelmRepository n/gone".to_owned(), 1, &Read::Absent);
        parts.sources.push(gone);
        let here = ["flux-system/a"];
        parts.databases = Databases::new(
            &[
                entry("a_here", State::Missing, &here),
                entry("a_there", State::Missing, &["elsewhere/b"]),
            ],
            true,
        );
    };
    let text = text(&status(&[], change));
    let line = "Found:            1 missing database of other namespaces, 1 chart source not\n                  ready or missing\n";
    assert!(text.starts_with(line), "{text}");
}

#[test]
fn long_lists_are_cut_and_counted() {
    let lines: Vec<String> = (0..MOST + 2).map(|n| n.to_string()).collect();
    let cut = capped(lines, "more reason");
    assert_eq!(cut.len(), MOST + 1);
    assert_eq!(cut[MOST], "and 2 more reasons (-o json lists all)");
    let all: Vec<Attention> = (0..MOST + 2)
        .map(|n| Attention {
            name: format!("a_{n}"),
            state: "orphan",
            claimed_by: Vec::new(),
            reason: None,
        })
        .collect();
    let all: Vec<&Attention> = all.iter().collect();
    let line = &names(&all, State::Orphan, false)[0];
    assert!(line.ends_with(", a_7 and 2 more"), "{line}");
}

#[test]
fn of_several_clusters_each_has_a_line_and_the_worst_cause_comes_first() {
    let style = Style {
        width: Some(100),
        namespaced: false,
        details: None,
        seconds: None,
        palette: Palette::PLAIN,
    };
    let well = status(&["suspended"], |_| {});
    let ill = status(&["database-exists"], |parts| {
        parts.not_read = vec![NotRead::new("CouchDB's members", "timeout")];
    });
    let of = |context: &str, document| InContext {
        context: context.to_owned(),
        document,
    };
    let (east, west) = (of("east", &well), of("west", &ill));
    let dark = Unread::new("dark", "The connection to the server was refused");
    let all = [Line::Read(&east), Line::Unread(&dark), Line::Read(&west)];
    let mut out = Vec::new();
    clusters::write(&mut Screen::new(&mut out), &all, style).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
    CONTEXT   ONBOARDINGS   DATABASES                         FOUND
    east      2: 2 ready    4: 1 orphan, 1 shared, 2 in-use   1 warning
    dark      <unknown>     <unknown>                         not read: The connection to the server was
                                                              refused
    west      2: 2 ready    4: 1 orphan, 1 shared, 2 in-use   1 error in what was read; 1 part was not
                                                              read, so more may be wrong

    CONTEXT   SEVERITY   CAUSE
    west      error      skvs-onboarding-iota--database: the database pds_database already exists, so
                         its creation Job fails (SKVS301)
    east      warning    skvs-onboarding-i--suspended: it is suspended: Flux does nothing for it
                         (SKVS107)
    ");
    let mut out = Vec::new();
    clusters::write(&mut Screen::new(&mut out), &all[1..2], style).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.lines().count() == 2 && text.contains("<unknown>"),
        "{text}"
    );
}
