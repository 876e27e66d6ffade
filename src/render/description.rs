//! `describe`'s text, in the order in which an engineer asks: what it is, how it is, where it comes from, what happened.

use super::sheet::{NONE, Sheet};
use crate::model::event::Event;
use crate::render::markdown;
use crate::snapshot::{Read, Why};
use crate::text::{Screen, age, one_line, shown};
use crate::view::description::{Description, Job, Pod};
use k8s_openapi::jiff::Timestamp;
use std::io;

/// What stands where something is not known.
const UNKNOWN: &str = "<unknown>";
/// What stands for a value that `valuesFrom` may bring.
const NOT_READ: &str = "<unknown>   (valuesFrom is not read)";
/// Flux's and the API server's default.
const EVENTS_KEPT: &str = "<none>   (events are kept for an hour)";

/// Writes the description. `width`: columns of the terminal, `None` for piped output.
///
/// # Errors
/// The writer's own.
pub fn write(
    screen: &mut Screen<'_>,
    told: &Description,
    now: Timestamp,
    width: Option<usize>,
) -> io::Result<()> {
    let sheet = &mut Sheet::new(screen, width);
    what(sheet, told)?;
    how(sheet, told, now)?;
    from_where(sheet, told)?;
    happened(sheet, told, now)
}

/// Writes it as Markdown: a heading, and the text as a code block.
///
/// # Errors
/// The writer's own.
pub fn markdown(screen: &mut Screen<'_>, told: &Description, now: Timestamp) -> io::Result<()> {
    let mut text = Vec::new();
    write(&mut Screen::new(&mut text), told, now, None)?;
    let name = markdown::span(&told.name);
    screen.line(shown!("### {name}"))?;
    screen.line("")?;
    markdown::block(screen, "text", &String::from_utf8_lossy(&text), 0)
}

/// `3d20h` since an RFC 3339 time.
fn since(time: Option<&str>, now: Timestamp) -> String {
    age::age(time.and_then(|t| t.parse().ok()), now)
}

/// `not read: forbidden (…)`, or what else stands for a part that was not seen.
fn or_why<T>(read: &Read<T>, absent: &str, seen: impl FnOnce(&T) -> String) -> String {
    match read {
        Read::Seen(value) => seen(value),
        Read::Absent => absent.to_owned(),
        Read::Unknown(Why::NotAsked(why) | Why::NotNeeded(why)) => with(UNKNOWN, &[one_line(why)]),
        Read::Unknown(why) => format!("not read: {}", one_line(&why.clause())),
    }
}

/// `main   (a, b)`, or the main part alone.
fn with(main: &str, asides: &[String]) -> String {
    if asides.is_empty() {
        main.to_owned()
    } else {
        format!("{main}   ({})", asides.join(", "))
    }
}

fn what(sheet: &mut Sheet<'_, '_>, told: &Description) -> io::Result<()> {
    sheet.field("Name", &told.name)?;
    sheet.field("Namespace", &told.namespace)?;
    let database = &told.database;
    let name = database.name.as_deref().unwrap_or(UNKNOWN);
    // Without the release the name is from spec.values, and says so.
    let unfinished = told.release.if_read().filter(|r| r.status != "deployed");
    let mut asides = vec![match (database.from, unfinished) {
        ("spec.values", _) => "from spec.values".to_owned(),
        (from, None) => format!("from the {from}"),
        (from, Some(release)) => format!(
            "from the {from}, revision {}, which is {}",
            release.revision, release.status
        ),
    }];
    asides.extend(database.differs.iter().map(|d| format!("BUT {d}")));
    sheet.field("Database", &with(name, &asides))?;
    let endpoint = or_why(&told.endpoint, NONE, |endpoint| {
        let way = if endpoint.encrypted {
            "encrypted, through Steelcouch"
        } else {
            "not encrypted, CouchDB itself"
        };
        let mut asides = vec![way.to_owned()];
        if told.updates.is_free() {
            asides.push("not installed yet".to_owned());
        }
        asides.extend(endpoint.differs.iter().map(|d| format!("BUT {d}")));
        with(&endpoint.url, &asides)
    });
    sheet.field("Endpoint", &endpoint)?;
    // Beside an endpoint that is not known, with its reason above.
    if told.endpoint.if_read().is_none() {
        let encryption = match told.values.encryption {
            Some(yes) => yes.to_string(),
            None if told.values_not_read.contains(&"encryption") => NOT_READ.to_owned(),
            None => "true (default)".to_owned(),
        };
        sheet.field("Encryption", &encryption)?;
    }
    if told.values_not_read.contains(&"serviceAccounts") {
        return sheet.field("Service Accounts", NOT_READ);
    }
    sheet.fields("Service Accounts", &told.service_accounts)
}

fn how(sheet: &mut Sheet<'_, '_>, told: &Description, now: Timestamp) -> io::Result<()> {
    let status = &told.status;
    let mut line = String::new();
    if status.stale {
        line.push_str("STALE (older than the spec): ");
    }
    let for_how_long = match &status.since {
        Some(time) => format!(" for {}", since(Some(time), now)),
        None => String::new(),
    };
    line.push_str(&match status.ready {
        "True" => format!("Ready{for_how_long}"),
        "False" => format!("Not ready{for_how_long}: {}", status.text),
        _ => format!("Ready is unknown{for_how_long}: {}", status.text),
    });
    if status.suspended && status.ready == "True" {
        line.push_str(", suspended: Flux does not look at it");
    }
    sheet.field("Status", &line)?;
    if let Some(suspension) = &status.suspension {
        let since = match &suspension.at {
            Some(at) => format!(", {} ago", since(Some(at), now)),
            None => String::new(),
        };
        sheet.field("Suspension", &format!("{}{since}", suspension.words))?;
    }
    match &told.also_claimed_by {
        Read::Seen(others) if others.is_empty() => {}
        Read::Seen(others) => sheet.fields("Also claimed by", others)?,
        other => sheet.field("Also claimed by", &or_why(other, NONE, |_| String::new()))?,
    }
    if !told.maybe_claimed_by.is_empty() {
        let aside = ["valuesFrom is not read".to_owned()];
        let line = with(&told.maybe_claimed_by.join(", "), &aside);
        sheet.field("Maybe claimed by", &line)?;
    }
    if let Some(why) = &told.claims_elsewhere_not_read {
        sheet.field(
            "Other claims",
            &format!("not read in other namespaces: {why}"),
        )?;
    }
    Ok(())
}

fn from_where(sheet: &mut Sheet<'_, '_>, told: &Description) -> io::Result<()> {
    let chart = &told.chart;
    let main = match &chart.version {
        Some(version) => format!("{} {version}", chart.name),
        None => chart.name.clone(),
    };
    let mut asides = Vec::new();
    match (&chart.wanted, &chart.source) {
        (Some(wanted), Some(source)) => asides.push(format!("wanted {wanted} from {source}")),
        (None, Some(source)) => asides.push(format!("from {source}")),
        _ => {}
    }
    asides.extend(chart.words().iter().map(|w| one_line(w)));
    sheet.field("Chart", &with(&main, &asides))?;
    let release = or_why(&told.release, NONE, |release| {
        let mut line = format!(
            "{}, revision {}, {}",
            release.name, release.revision, release.status
        );
        if let Some(secret) = &release.secret {
            line.push_str(&format!(", in Secret {secret}"));
        }
        line
    });
    sheet.field("Release", &release)?;
    let namespace = told
        .helm_release
        .pointer("/spec/targetNamespace")
        .and_then(|n| n.as_str())
        .filter(|n| !n.is_empty())
        .unwrap_or(&told.namespace);
    let state = match &told.target_namespace {
        Read::Seen(target) => target.phase.clone(),
        Read::Absent => "does not exist".to_owned(),
        unknown => or_why(unknown, NONE, |_| String::new()),
    };
    sheet.field("Target Namespace", &with(namespace, &[state]))?;
    if let Some(account) = told
        .helm_release
        .pointer("/spec/serviceAccountName")
        .and_then(|n| n.as_str())
    {
        let aside = match &told.impersonates {
            Read::Seen(_) => Vec::new(),
            Read::Absent => vec!["does not exist".to_owned()],
            unknown => vec![or_why(unknown, NONE, |_| String::new())],
        };
        let account = format!("ServiceAccount {}/{account}", told.namespace);
        sheet.field("Installed as", &with(&account, &aside))?;
    }
    let policy = or_why(&told.policy, "does not exist", |policy| {
        let mut asides = Vec::new();
        if !policy.lets_in.is_empty() {
            asides.push(format!("lets in {}", policy.lets_in.join(", ")));
        }
        if !policy.missing.is_empty() {
            asides.push(format!("BUT not {}", policy.missing.join(", ")));
        }
        with(&format!("AuthorizationPolicy {}", policy.id), &asides)
    });
    sheet.field("Policy", &policy)?;
    if !told.depends_on.is_empty() {
        let lines: Vec<String> = told
            .depends_on
            .iter()
            .map(|d| {
                let state = or_why(&d.ready, "does not exist", |r| format!("Ready {r}"));
                with(&d.id, &[state])
            })
            .collect();
        sheet.fields("Depends on", &lines)?;
    }
    let may_change = if told.updates.is_free() {
        "everything, namespace and database too: no revision was ever deployed"
    } else {
        "service accounts. Never: namespace, database (created at install only). Avoid: encryption"
    };
    sheet.field("May change", may_change)
}

fn happened(sheet: &mut Sheet<'_, '_>, told: &Description, now: Timestamp) -> io::Result<()> {
    let conditions: Vec<Vec<String>> = told
        .conditions
        .iter()
        .map(|c| {
            vec![
                c.kind.clone(),
                c.status.clone(),
                c.reason.clone(),
                since(c.last_transition_time.as_deref(), now),
                without_log(&c.message),
            ]
        })
        .collect();
    sheet.table(
        "Conditions",
        &["TYPE", "STATUS", "REASON", "AGE", "MESSAGE"],
        &conditions,
    )?;
    history(sheet, told, now)?;
    match (&told.creation_job, &told.lost_job) {
        (Read::Seen(job), _) => self::job(sheet, job, now)?,
        (_, Some(lost)) => {
            let where_it_is = match &lost.events {
                // What has events has been there.
                Read::Seen(events) if !events.is_empty() => "is gone",
                _ if told.target_namespace.is_absent() => {
                    "does not exist, and neither does the namespace"
                }
                _ => "does not exist (any more)",
            };
            sheet.field("Creation Job", &format!("{} {where_it_is}", lost.id))?;
            events(
                sheet,
                "Job Events",
                &lost.events,
                &lost.events_not_read,
                now,
            )?;
        }
        (other, None) => sheet.field("Creation Job", &or_why(other, NONE, |_| String::new()))?,
    }
    events(sheet, "Events", &told.events, &told.events_not_read, now)
}

fn history(sheet: &mut Sheet<'_, '_>, told: &Description, now: Timestamp) -> io::Result<()> {
    let or_unknown = |text: &Option<String>| text.as_deref().map_or(UNKNOWN.to_owned(), one_line);
    let rows: Vec<Vec<String>> = told
        .history
        .revisions
        .iter()
        .map(|row| {
            vec![
                row.revision.to_string(),
                since(row.updated.as_deref(), now),
                row.status.clone(),
                or_unknown(&row.chart),
                row.description.as_deref().map_or("-".to_owned(), one_line),
            ]
        })
        .collect();
    match &told.history.secrets_not_read {
        Some(why) if rows.is_empty() => {
            return sheet.field("History", &format!("not read: {}", one_line(&why.clause())));
        }
        Some(why) => sheet.field(
            "History",
            &format!(
                "as far as the status tells; the Secrets were not read: {}",
                one_line(&why.clause())
            ),
        )?,
        None => {}
    }
    sheet.table(
        if told.history.secrets_not_read.is_some() {
            "Revisions"
        } else {
            "History"
        },
        &["REVISION", "UPDATED", "STATUS", "CHART", "DESCRIPTION"],
        &rows,
    )
}

fn job(sheet: &mut Sheet<'_, '_>, job: &Job, now: Timestamp) -> io::Result<()> {
    let mut line = format!("{}   {}", job.id, job.state);
    if let Some(time) = &job.since {
        let since = since(Some(time), now);
        line.push_str(&match job.state {
            "Complete" | "Failed" => format!(" {since} ago"),
            _ => format!(" for {since}"),
        });
    }
    if !job.message.is_empty() {
        line.push_str(&format!(": {}", one_line(&job.message)));
    }
    if let Some(other) = &job.made_by {
        // Nothing of it says anything about this onboarding.
        return sheet.field(
            "Creation Job",
            &format!("{} was replaced by the Job of {}", job.id, one_line(other)),
        );
    }
    sheet.field("Creation Job", &line)?;
    // A Job that did its work has nothing more to say here; -o json has it all.
    if job.state == "Complete" {
        return Ok(());
    }
    match &job.pods {
        Read::Seen(pods) if pods.is_empty() && job.pods_not_read.is_none() => {
            sheet.line(2, "it has no pods")?;
        }
        Read::Seen(pods) => {
            for pod in pods {
                self::pod(sheet, pod)?;
            }
            if let Some(why) = &job.pods_not_read {
                sheet.line(
                    2,
                    &format!("not all of its pods are shown: {}", one_line(why)),
                )?;
            }
        }
        other => sheet.line(
            2,
            &format!("Pods {}", or_why(other, NONE, |_| String::new())),
        )?,
    }
    events(sheet, "Job Events", &job.events, &job.events_not_read, now)
}

fn pod(sheet: &mut Sheet<'_, '_>, pod: &Pod) -> io::Result<()> {
    let mut line = format!("Pod {}   {}", pod.name, pod.phase);
    if !pod.message.is_empty() {
        line.push_str(&format!(": {}", one_line(&pod.message)));
    }
    sheet.line(2, &line)?;
    for container in &pod.containers {
        let state = one_line(&container.state);
        sheet.line(4, &format!("container {} {state}", container.name))?;
        match &container.log {
            None | Some(Read::Absent) => {}
            Some(Read::Seen(log)) => sheet.log(6, log)?,
            Some(unknown) => {
                sheet.line(
                    6,
                    &format!("log {}", or_why(unknown, NONE, |_| String::new())),
                )?;
            }
        }
    }
    Ok(())
}

/// kubectl's table of events.
fn events(
    sheet: &mut Sheet<'_, '_>,
    key: &str,
    read: &Read<Vec<Event>>,
    not_read: &Option<String>,
    now: Timestamp,
) -> io::Result<()> {
    let cut = not_read.as_ref();
    let cut = cut.map(|why| format!("not all of them were read: {}", one_line(why)));
    let events = match (read, &cut) {
        (Read::Seen(events), Some(cut)) if events.is_empty() => return sheet.field(key, cut),
        (Read::Seen(events), None) if events.is_empty() => return sheet.field(key, EVENTS_KEPT),
        (Read::Seen(events), _) => events,
        (other, _) => return sheet.field(key, &or_why(other, EVENTS_KEPT, |_| String::new())),
    };
    let headers = ["Type", "Reason", "Age", "From", "Message"];
    let mut rows = vec![headers.iter().map(|h| "-".repeat(h.len())).collect()];
    rows.extend(events.iter().map(|event| {
        vec![
            event.kind.clone(),
            event.reason.clone(),
            event_age(event, now),
            event.from.clone(),
            without_log(&event.message),
        ]
    }));
    sheet.table(key, &headers, &rows)?;
    match cut {
        Some(cut) => sheet.line(2, &cut),
        None => Ok(()),
    }
}

/// A message without the log that helm-controller appends, which `-o json` has.
fn without_log(message: &str) -> String {
    match message.split_once("\n\nLast Helm logs:") {
        Some((message, _)) => format!("{} (Helm's log: see -o json)", one_line(message)),
        None => one_line(message),
    }
}

/// `5m`, or `5m (x3 over 20m)`.
fn event_age(event: &Event, now: Timestamp) -> String {
    let last = age::age(event.last_seen, now);
    if event.count > 1 {
        let first = age::age(event.first_seen, now);
        return format!("{last} (x{} over {first})", event.count);
    }
    last
}

#[cfg(test)]
mod tests;
