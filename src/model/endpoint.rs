//! Which Service the creation Job reaches CouchDB by: from what its log says, its pod is given, or the values.
//!
//! An address that is no Service's (an IP, a host outside the cluster) is none.

use super::helm_release::HelmRelease;
use super::helm_storage::Release;
use super::job::Job;
use super::notes::Notes;
use serde_json::Value;

/// Namespace of CouchDB where nothing names another one.
pub const COUCHDB_NAMESPACE: &str = "secure-kvs";

/// A Service by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub namespace: String,
    pub name: String,
    pub port: Option<u16>,
    /// What names it.
    pub named_by: &'static str,
}

/// What the creation Job is known by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    pub release: Option<&'a Release>,
    pub job: Option<&'a Job>,
    /// The end of its pod's log.
    pub log: &'a str,
}

/// The Service of `hr`'s creation Job: the nearest to what happened wins.
pub fn find(hr: &HelmRelease, known: Known<'_>) -> Option<Endpoint> {
    let home = known
        .job
        .map(|job| job.meta.namespace.as_str())
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or_else(|| hr.release_namespace());
    of_log(known.log, home)
        .or_else(|| known.job.and_then(|job| of_job(job, home)))
        .or_else(|| of_values(hr, known.release))
}

/// The host in curl's complaint: `Could not resolve host: HOST`, `Failed to connect to HOST port 5984`.
fn of_log(log: &str, home: &str) -> Option<Endpoint> {
    log.lines().rev().find_map(|line| {
        let (_, rest) = ["resolve host: ", "connect to ", "onnect to server "]
            .iter()
            .find_map(|lead| line.split_once(lead))?;
        let mut words = rest.split([' ', ',', ';', '(']);
        let (host, port) = host_and_port(words.next()?);
        let named = rest.split_once(" port ").and_then(|(_, p)| number(p));
        service(host, port.or(named), home, "the log of the creation Job")
    })
}

/// The first URL that its containers are given and that is a Service's.
fn of_job(job: &Job, home: &str) -> Option<Endpoint> {
    let containers = &job.template.set()?.containers.known;
    let texts = containers.iter().flat_map(|container| {
        let variables = container.env.known.iter().filter_map(|v| v.value.as_str());
        let words = container.args.known.iter().chain(&container.command.known);
        variables.chain(words.map(String::as_str))
    });
    texts
        .flat_map(|t| t.split([' ', '\n', '\t', '"', '\'']))
        .find_map(|word| of_url(word, home, "the creation Job's container"))
}

/// `values.couchdb`, where the manifest, the release or the chart's defaults have it. The notes tell the namespace.
fn of_values(hr: &HelmRelease, release: Option<&Release>) -> Option<Endpoint> {
    let sets = [
        Some(&hr.spec.values),
        release.map(|r| &r.config),
        release.map(|r| &r.chart.values),
    ];
    let find = |key: &str| {
        let path = format!("/couchdb/{key}");
        sets.into_iter().flatten().find_map(|v| v.pointer(&path))
    };
    let name = find("serviceName")?.as_str()?;
    let told = release
        .and_then(|r| Notes::parse(&r.info.notes).endpoint)
        .and_then(|url| of_url(&url, "", "the notes"));
    let port = find("port")
        .and_then(Value::as_u64)
        .and_then(|p| u16::try_from(p).ok());
    Some(Endpoint {
        namespace: told.map_or_else(|| COUCHDB_NAMESPACE.to_owned(), |t| t.namespace),
        name: name.to_owned(),
        port,
        named_by: "values.couchdb.serviceName",
    })
}

/// The Service of a URL: `http://db.secure-kvs.svc:5984/…`.
pub fn of_url(url: &str, home: &str, named_by: &'static str) -> Option<Endpoint> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.starts_with("http") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (host, port) = host_and_port(authority);
    service(host, port, home, named_by)
}

fn host_and_port(text: &str) -> (&str, Option<u16>) {
    match text.split_once(':') {
        Some((host, port)) => (host, number(port)),
        None => (text, None),
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// `name`, `name.namespace` or `name.namespace.svc…`.
fn service(host: &str, port: Option<u16>, home: &str, named_by: &'static str) -> Option<Endpoint> {
    let parts: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let is_name = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let (name, namespace) = match parts.as_slice() {
        ["localhost", ..] => return None,
        [name] => (*name, home),
        [name, namespace] | [name, namespace, "svc", ..] => (*name, *namespace),
        _ => return None,
    };
    (is_name(&name) && is_name(&namespace)).then(|| Endpoint {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port,
        named_by,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn hr(values: Value) -> HelmRelease {
        HelmRelease::from_value(
            &json!({"metadata": {"name": "a", "namespace": "flux-system"}, "spec": {"targetNamespace": "core", "values": values}}),
        )
        .unwrap()
    }

    fn short(endpoint: Option<Endpoint>) -> String {
        endpoint.map_or(String::new(), |e| {
            let port = e.port.map_or(String::new(), |p| format!(":{p}"));
            format!("{}/{}{port} by {}", e.namespace, e.name, e.named_by)
        })
    }

    #[test]
    fn the_log_knows_best() {
        let log = |text: &str| {
            short(find(
                &hr(json!({"couchdb": {"serviceName": "other", "port": 1}})),
                Known {
                    log: text,
                    ..Known::default()
                },
            ))
        };
        assert_eq!(
            log("curl: (6) Could not resolve host: db-x.secure-kvs.svc"),
            "secure-kvs/db-x by the log of the creation Job"
        );
        assert_eq!(
            log("curl: (7) Failed to connect to db-x port 5984 after 3 ms: Couldn't connect"),
            "core/db-x:5984 by the log of the creation Job"
        );
        assert_eq!(
            log("curl: (7) Failed to connect to 127.0.0.1 port 5984"),
            "secure-kvs/other:1 by values.couchdb.serviceName"
        );
        assert_eq!(
            log("curl: (7) Failed to connect to db.example.com port 5984"),
            "secure-kvs/other:1 by values.couchdb.serviceName"
        );
    }

    #[test]
    fn what_the_container_is_given_comes_next() {
        let job = Job::from_value(
            &json!({"metadata": {"namespace": "core"}, "spec": {"template": {"spec": {"containers": [
            {"env": [{"name": "A", "valueFrom": {}}, {"name": "URL", "value": "http://db-x.kvs.svc.cluster.local:5984"}]}]}}}}),
        );
        let known = Known {
            job: Some(&job),
            ..Known::default()
        };
        assert_eq!(
            short(find(&hr(json!({})), known)),
            "kvs/db-x:5984 by the creation Job's container"
        );
        assert_eq!(short(find(&hr(json!({})), Known::default())), "");
    }

    proptest! {
        #[test]
        fn no_text_panics(log in "(resolve host: |connect to | port |http://|[a-z.:0-9]{0,6}|\\PC{0,4}){0,8}") {
            let known = Known { log: &log, ..Known::default() };
            if let Some(found) = find(&hr(json!({})), known) {
                prop_assert!(!found.name.is_empty() && !found.namespace.contains('/'));
            }
            let _ = of_url(&log, "core", "x");
        }
    }
}
