use super::tokens::{Token, tokens};
use super::*;
use crate::advice::{Command, Origin};
use crate::diagnosis::chain::{Chain, Link, Place, State};
use crate::diagnosis::{Case, Evidence, NotRun, Step, Subject, diagnose, fixture};
use crate::model::not_read::NotRead;
use crate::view::report::{Considered, Finding, Ignored};
use crate::view::status::tests::status as a_status;
use proptest::prelude::*;
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");
/// Elements without an end tag.
const VOID: [&str; 1] = ["meta"];

/// The cases of the properties, looked into once.
static ONBOARDINGS: LazyLock<[Onboarding; 3]> =
    LazyLock::new(|| ["database-exists", "suspended", "ready"].map(onboarding));

fn onboarding(name: &str) -> Onboarding {
    let snapshot = fixture::snapshot(name);
    let case = Case::new(&snapshot, fixture::meta(name).now);
    let mut onboarding = Onboarding::new(&case, diagnose(&case));
    fixture::settle(&mut onboarding);
    onboarding
}

fn of(cases: &[&str]) -> Report {
    let all = cases.iter().map(|name| onboarding(name));
    let report = Report::new(all.collect(), None, Vec::new());
    Report {
        scene: Some("context prod-east, https://10.20.0.1:6443, 2026-11-27 09:41 UTC".to_owned()),
        ..report
    }
}

fn page(report: &Report, errors: &[String]) -> String {
    let style = Style {
        namespaced: false,
        seconds: Some(0.2),
        errors,
    };
    let mut out = Vec::new();
    super::report(&mut Screen::new(&mut out), report, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn status_page(told: &Status) -> String {
    let mut out = Vec::new();
    let now = "2026-11-24T12:00:00Z".parse().unwrap();
    status(&mut Screen::new(&mut out), told, false, now).unwrap();
    String::from_utf8(out).unwrap()
}

/// The page without its style sheet, which is a file of its own.
fn without_style(page: &str) -> String {
    assert!(page.contains(STYLE));
    page.replacen(STYLE, "(style.css)\n", 1)
        .replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn a_report_of_one_onboarding() {
    insta::assert_snapshot!(without_style(&page(&of(&["database-exists"]), &[])), @r##"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Secure KVS onboardings: troubleshoot, context prod-east, https://10.20.0.1:6443, 2026-11-27 09:41 UTC</title>
    <style>
    (style.css)
    </style>
    </head>
    <body>
    <header><h1>Secure KVS onboardings: troubleshoot</h1>
    <p class="scene">context prod-east, https://10.20.0.1:6443, 2026-11-27 09:41 UTC</p>
    </header>
    <main>
    <section>
    <h2>Overview</h2>
    <p>1 onboarding, 1 error. 19 checks run in 0.2 s</p>
    <table>
    <thead><tr><th scope="col">Code</th><th scope="col">Onboarding</th><th scope="col">Cause</th></tr></thead>
    <tbody>
    <tr><td class="word"><span class="error">error</span> <a href="#cause-0">SKVS301</a></td><td>skvs-onboarding-iota--database</td><td>the database pds_database already exists, so its creation Job fails</td></tr>
    </tbody>
    </table>
    </section>
    <section>
    <h2>Causes</h2>
    <article id="onboarding-0">
    <h3>skvs-onboarding-iota--database (database pds_database): failing for 45s, Flux has stopped retrying</h3>
    <ol class="chain" aria-label="From the chart's source to the database">
    <li class="good"><span class="place">Source</span> <span class="state">fine</span> <span class="object">HelmRepository flux-system/wit-artifactory</span> <span class="seen">Ready=True Succeeded: stored artifact: revision &#39;sha256:ab&#39;</span></li>
    <li class="good"><span class="place">Chart</span> <span class="state">fine</span> <span class="object">HelmChart flux-system/flux-system-skvs-onboarding-iota--database</span> <span class="seen">Ready=True ChartPullSucceeded: pulled &#39;secure-kvs-onboarding&#39; chart with version &#39;0.1.2&#39;</span></li>
    <li class="open"><span class="place">Release</span> <span class="state">not confirmed</span> <span class="object">HelmRelease flux-system/skvs-onboarding-iota--database</span> <span class="seen">not read: not in the saved files</span></li>
    <li class="broken"><span class="place">Job</span> <span class="state">broken: <a href="#cause-0">SKVS301</a></span> <span class="object">Job core/pds-database-create</span> <span class="seen">the database pds_database already exists, so its creation Job fails</span></li>
    <li class="open"><span class="place">Database</span> <span class="state">not confirmed</span> <span class="object">database pds_database</span> <span class="seen">it comes after a broken link</span></li>
    </ol>
    <article class="error" id="cause-0">
    <h4 class="error"><span class="mark">error SKVS301</span>: the database pds_database already exists, so its creation Job fails</h4>
    <p class="object">Job core/pds-database-create</p>
    <dl>
    <dt>Why</dt>
    <dd><p>The chart creates the database once, before anything else, and refuses to take over an existing one.</p>
    <p>skvs-onboarding-pds--database owns it and is Ready.</p>
    <p>The onboarding&#39;s name implies another database: the manifest may be a copy in which a value was forgotten.</p>
    </dd>
    <dt>Seen</dt>
    <dd><p><b>HelmRelease flux-system/skvs-onboarding-iota--database</b>: Released=False InstallFailed: failed pre-install: failed early due to stalled resources: [Job/core/pds-database-create status: &#39;Failed&#39;]</p>
    <details open><summary><b>Pod core/pds-database-create-8kk64</b>: container create exited 22</summary>
    <pre>curl: (22) The requested URL returned error: 412</pre>
    </details>
    <p><b>HelmRelease flux-system/skvs-onboarding-pds--database</b>: claims pds_database too</p>
    </dd>
    <dt>Do</dt>
    <dd><p>Two teams asked for the same name. Give this onboarding another database name in its manifest.</p>
    <p>If both are the same team, remove this manifest and add its service account to the other one.</p>
    <pre>kubectl skvs describe -n flux-system skvs-onboarding-pds--database --context prod-east</pre>
    </dd>
    <dt>Then</dt>
    <dd><p>Flux has stopped retrying; once the manifest changes, it starts again on its own. Whether the creation Job succeeded is unknown: if it did not, first remove the failed release (helm uninstall), because an upgrade does not run the Job.</p>
    </dd>
    </dl>
    <p>SKVS110 follows from this: install retries exhausted after 1 failure (spec.install.remediation.retries: 0)</p>
    <p class="object">More: <code>kubectl skvs explain SKVS301</code></p>
    </article>
    </article>
    </section>
    <section>
    <h2>Not checked</h2>
    <p>Every check was run.</p>
    </section>
    </main>
    <footer>Made by kubectl-skvs VERSION</footer>
    </body>
    </html>
    "##);
}

#[test]
fn a_status_with_a_part_not_read() {
    let told = a_status(&["suspended"], |parts| {
        parts.not_read = vec![NotRead::new("CouchDB's members", "timeout")];
    });
    insta::assert_snapshot!(without_style(&status_page(&told)), @r##"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Secure KVS onboardings: status</title>
    <style>
    (style.css)
    </style>
    </head>
    <body>
    <header><h1>Secure KVS onboardings: status</h1>
    </header>
    <main>
    <section>
    <h2>Overview</h2>
    <table class="fields">
    <tbody>
    <tr><th scope="row">Found</th><td><p>1 warning in what was read; 1 part was not read, so more may be wrong</p></td></tr>
    <tr><th scope="row">Onboardings</th><td><p>2 in flux-system: 2 ready</p></td></tr>
    <tr><th scope="row">Databases</th><td><p>4: 1 orphan, 1 shared, 2 in-use</p></td></tr>
    <tr><th scope="row">Orphans</th><td><p>orphan_db</p></td></tr>
    <tr><th scope="row">Shared</th><td><p>pds_database (claimed by a, b)</p></td></tr>
    <tr><th scope="row">CouchDB</th><td><p>3.3.3, 3 of 3 members up, 3 of 3 pods ready</p></td></tr>
    <tr><th scope="row">Chart from</th><td><p>HelmRepository flux-system/r: Ready, last changed 4d ago</p></td></tr>
    <tr><th scope="row">Not read</th><td><p>CouchDB&#39;s members: timeout</p></td></tr>
    </tbody>
    </table>
    <table>
    <thead><tr><th scope="col">Code</th><th scope="col">Onboarding</th><th scope="col">Cause</th></tr></thead>
    <tbody>
    <tr><td class="word"><span class="warning">warning</span> <a href="#cause-0">SKVS107</a></td><td>skvs-onboarding-i--suspended</td><td>it is suspended: Flux does nothing for it</td></tr>
    </tbody>
    </table>
    </section>
    <section>
    <h2>Causes</h2>
    <article id="onboarding-0">
    <h3>skvs-onboarding-i--suspended (database i_main): suspended</h3>
    <ol class="chain" aria-label="From the chart's source to the database">
    <li class="good"><span class="place">Source</span> <span class="state">fine</span> <span class="object">HelmRepository flux-system/wit-artifactory</span> <span class="seen">Ready=True Succeeded: stored artifact: revision &#39;sha256:ab&#39;</span></li>
    <li class="good"><span class="place">Chart</span> <span class="state">fine</span> <span class="object">HelmChart flux-system/flux-system-skvs-onboarding-i--suspended</span> <span class="seen">Ready=True ChartPullSucceeded: pulled &#39;secure-kvs-onboarding&#39; chart with version &#39;0.1.2&#39;</span></li>
    <li class="open"><span class="place">Release</span> <span class="state">not confirmed</span> <span class="object">HelmRelease flux-system/skvs-onboarding-i--suspended</span> <span class="seen">suspended: Flux ignores it</span></li>
    <li class="open"><span class="place">Job</span> <span class="state">not confirmed</span> <span class="seen">not read: not in the saved files</span></li>
    <li class="open"><span class="place">Database</span> <span class="state">not confirmed</span> <span class="object">database i_main</span> <span class="seen">not read: not in the saved files</span></li>
    </ol>
    <article class="warning" id="cause-0">
    <h4 class="warning"><span class="mark">warning SKVS107</span>: it is suspended: Flux does nothing for it</h4>
    <p class="object">HelmRelease flux-system/skvs-onboarding-i--suspended</p>
    <dl>
    <dt>Why</dt>
    <dd><p>Whether anything was installed is not known: its status names no release, and Helm&#39;s revisions were not read (not in the saved files).</p>
    </dd>
    <dt>Seen</dt>
    <dd><p><b>HelmRelease flux-system/skvs-onboarding-i--suspended</b>: suspend: true</p>
    </dd>
    <dt>Do</dt>
    <dd><p>Ask first who suspended it and why: the entry in managedFields with f:suspend names the writer.</p>
    <pre>kubectl get -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-i--suspended -o yaml --show-managed-fields --context prod-east</pre>
    <p>To resume, remove suspend from the manifest, or do as follows.</p>
    </dd>
    <dt>Then</dt>
    <dd><p>It is suspended: Flux does nothing until it is resumed.</p>
    <pre>kubectl patch -n flux-system helmreleases.helm.toolkit.fluxcd.io skvs-onboarding-i--suspended --type=merge &#39;-p={&quot;spec&quot;:{&quot;suspend&quot;:false}}&#39; --context prod-east</pre>
    </dd>
    </dl>
    <p class="object">More: <code>kubectl skvs explain SKVS107</code></p>
    </article>
    </article>
    </section>
    <section>
    <h2>Not checked</h2>
    <table>
    <thead><tr><th scope="col">Part</th><th scope="col">Why</th></tr></thead>
    <tbody>
    <tr><td>CouchDB&#39;s members</td><td>timeout</td></tr>
    </tbody>
    </table>
    </section>
    </main>
    <footer>Made by kubectl-skvs VERSION</footer>
    </body>
    </html>
    "##);
}

#[test]
fn where_nothing_was_looked_into_the_page_says_so() {
    let considered = Considered {
        onboardings: 3,
        namespace: None,
    };
    let mut report = Report::new(Vec::new(), Some(considered), Vec::new());
    let told = page(&report, &[]);
    assert!(told.contains("3 onboardings: none is unready"), "{told}");
    assert!(told.contains("No check was run."), "{told}");
    report.not_run.push(NotRun {
        codes: vec!["SKVS302"],
        what: "other namespaces".to_owned(),
        why: "forbidden".to_owned(),
    });
    let told = page(&report, &["timeout".to_owned()]);
    for part in [
        "<td>timeout</td>",
        "<td>other namespaces</td><td>forbidden</td><td>SKVS302</td>",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("No check was run."), "{told}");
    report.considered = Some(Considered {
        onboardings: 0,
        namespace: Some("core".to_owned()),
    });
    let told = page(&report, &[]);
    let none = "<p>No onboardings found in core namespace.</p>";
    assert!(
        told.contains(none) && !told.contains("none is unready"),
        "{told}"
    );
}

/// An attribute's value, of every element that has it.
fn values<'t>(all: &'t [Token], wanted: &str) -> Vec<&'t str> {
    let attributes = all.iter().filter_map(|token| match token {
        Token::Start(_, attributes) => Some(attributes),
        _ => None,
    });
    let own = attributes.flatten().filter(|(name, _)| name == wanted);
    own.map(|(_, value)| value.as_str()).collect()
}

/// What a reader, a browser and a screen reader rely on.
fn is_sound(page: &str) {
    let all = tokens(page);
    let mut open: Vec<&str> = Vec::new();
    let mut heading = 0;
    for token in &all {
        match token {
            Token::Start(tag, attributes) => {
                let allowed = "html head meta title style body header main footer section article h1 h2 h3 h4 p span a b \
                    code pre ol ul li dl dt dd table thead tbody tr th td details summary";
                assert!(allowed.split_whitespace().any(|own| own == tag), "{tag}");
                let is_own = |name: &str| {
                    [
                        "class",
                        "id",
                        "href",
                        "lang",
                        "open",
                        "scope",
                        "charset",
                        "name",
                        "content",
                        "http-equiv",
                        "aria-label",
                    ]
                    .contains(&name)
                };
                assert!(
                    attributes.iter().all(|(name, _)| is_own(name)),
                    "{attributes:?}"
                );
                if let Some(level) = tag.strip_prefix('h').and_then(|n| n.parse::<usize>().ok()) {
                    assert!(level <= heading + 1, "h{level} after h{heading}");
                    heading = level;
                }
                if !VOID.contains(&tag.as_str()) {
                    open.push(tag);
                }
            }
            Token::End(tag) => assert_eq!(open.pop(), Some(tag.as_str())),
            Token::Other(other) => assert_eq!(other, "<!doctype html>"),
            Token::Text(_) => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let mut ids = values(&all, "id");
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is there twice");
    for to in values(&all, "href") {
        let id = to
            .strip_prefix('#')
            .unwrap_or_else(|| panic!("{to} leads out"));
        assert!(ids.contains(&id), "{to} leads nowhere");
    }
    assert!(values(&all, "content").contains(
        &"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ));
    for outside in ["url(", "@import", "src="] {
        assert!(!STYLE.contains(outside), "{outside}");
    }
}

#[test]
fn every_case_is_a_sound_page_with_the_chain_of_each_onboarding() {
    let names = fixture::names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut report = of(&names);
    let told = page(&report, &[]);
    is_sound(&told);
    assert_eq!(told.matches("<ol class=\"chain\"").count(), names.len());
    // Links to causes that are not shown lead nowhere.
    report.show(crate::diagnosis::Severity::Error);
    report.onboardings[0].ignore(|_| true);
    let report = Report::new(report.onboardings, None, Vec::new());
    is_sound(&page(&report, &[]));
    is_sound(&status_page(&a_status(&names[..9], |_| {})));
}

#[test]
fn words_say_which_link_is_broken() {
    let told = page(&of(&["database-exists"]), &[]);
    let text = tokens(&told);
    let text = text.iter().filter_map(|token| match token {
        Token::Text(text) => Some(text.trim()),
        _ => None,
    });
    let text = text.filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("Job broken: SKVS301 Job core/pds-database-create"),
        "{text}"
    );
    assert!(text.contains("Database not confirmed"), "{text}");
}

/// A report with this text in every field that can hold one.
fn filled(text: &str) -> Report {
    let own = || text.to_owned();
    let subject = || Subject {
        kind: own(),
        namespace: own(),
        name: own(),
    };
    let evidence = || Evidence {
        object: subject(),
        field: own(),
        observed: own(),
        lines: vec![own(), own()],
    };
    let not_run = || NotRun {
        codes: vec!["SKVS302"],
        what: own(),
        why: own(),
    };
    let fill = |finding: &mut Finding| {
        let found = &mut finding.found;
        found.sentence = own();
        found.subject = subject();
        found.why = vec![own()];
        found.evidence = vec![evidence()];
        found.fix = vec![
            Step::Text(own()),
            Step::Command(Command::new(["kubectl", "get", text]).at(&Origin::default())),
        ];
        found.then.iter_mut().for_each(|then| then.line = own());
        for follows in &mut finding.follows {
            follows.message = own();
        }
    };
    let states = [
        State::Good(evidence()),
        State::NotKnown(own()),
        State::Broken {
            code: "SKVS301",
            sentence: own(),
        },
        State::NotKnown(own()),
        State::NotKnown(own()),
    ];
    let link = |(place, state)| Link {
        place,
        object: Some(subject()),
        state,
    };
    let chain = Chain::of(Place::ALL.into_iter().zip(states).map(link));
    let filled = |mut onboarding: Onboarding| {
        onboarding.namespace = own();
        onboarding.name = own();
        onboarding.database = Some(own());
        onboarding.state = own();
        onboarding.chain = chain.clone();
        onboarding.not_run = vec![not_run()];
        onboarding.findings.iter_mut().for_each(fill);
        onboarding
    };
    let [one, suspended, quiet] = &*ONBOARDINGS;
    let (mut one, two, mut quiet) = (one.clone(), one.clone(), quiet.clone());
    one.findings.extend(suspended.findings.clone());
    quiet.ignored = vec![Ignored {
        code: "SKVS160",
        message: own(),
    }];
    let all = [one, two, quiet].map(filled).to_vec();
    let report = Report::new(all, None, vec![not_run()]);
    Report {
        scene: Some(own()),
        ..report
    }
}

fn filled_status(text: &str) -> Status {
    let mut told = a_status(&[], |parts| {
        parts.report = filled(text);
        parts.namespace = Some(text.to_owned());
        parts.couchdb.version = Some(text.to_owned());
        parts.not_read = vec![NotRead::new(text, text)];
        for source in &mut parts.sources {
            source.id = text.to_owned();
            source.message = Some(text.to_owned());
        }
    });
    for database in &mut told.databases.attention {
        database.name = text.to_owned();
        database.claimed_by = vec![text.to_owned()];
        database.reason = Some(text.to_owned());
    }
    told
}

/// The tags of a page with their attributes.
fn structure(page: &str) -> Vec<Token> {
    let mut all = tokens(page);
    all.retain(|token| !matches!(token, Token::Text(_)));
    all
}

#[test]
fn the_filled_report_has_every_part() {
    let told = page(&filled("filled"), &["filled".to_owned()]);
    is_sound(&told);
    for part in [
        "<dt>Hits",
        "<dt>Why",
        "<dt>Seen",
        "<dt>Do",
        "<dt>Then",
        "follows from this: filled",
        "<pre>filled\nfilled",
        "Other onboardings",
        "SKVS160 ignored",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a cluster says, the page has the same elements and attributes, and says it.
    #[test]
    fn no_text_changes_the_structure(
        text in "x(<|>|\"|'|&|/|=|`|-->|<!--|</pre>|</style>|</title>|<script>|<img src=x onerror=y>|&lt;|&#60;|\u{0}|\u{1b}|\u{202e}|\u{2028}|\n|\r| |a|\\PC){0,12}"
    ) {
        let errors = [text.clone()];
        let told = page(&filled(&text), &errors);
        prop_assert_eq!(structure(&told), structure(&page(&filled("x"), &["x".to_owned()])));
        let cleaned = crate::text::line(&text);
        let says = |token: &Token| matches!(token, Token::Text(said) if said.trim() == cleaned.trim());
        prop_assert!(tokens(&told).iter().any(says), "{}", told);
        prop_assert!(!told.contains(|c: char| (c.is_control() && c != '\n') || crate::text::misleads(c)));
        let told = status_page(&filled_status(&text));
        prop_assert_eq!(structure(&told), structure(&status_page(&filled_status("x"))));
    }
}

/// The relative luminance of `#rrggbb`, as WCAG defines it.
fn luminance(color: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
        match value <= 0.04045 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

#[test]
fn text_has_contrast_in_both_schemes() {
    let schemes: Vec<&str> = STYLE.split(":root {").skip(1).take(2).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let color = |name: &str| {
            let (_, rest) = scheme.split_once(&format!("--{name}: ")).unwrap();
            luminance(&rest[..7])
        };
        for paper in ["paper", "panel"] {
            for ink in ["ink", "muted", "error", "warning", "info", "good"] {
                let (a, b) = (color(paper), color(ink));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{ink} on {paper}: {contrast:.2}");
            }
        }
    }
}
