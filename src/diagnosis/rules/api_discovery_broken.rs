//! SKVS114: an aggregated API of the cluster does not answer.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::Subject;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::server::ServerError;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS114",
    slug: "api-discovery-broken",
    severity: Severity::Error,
    role: Role::Cause,
    title: "an aggregated API of the cluster does not answer",
    explanation: r#"Before each action Helm asks the API server for every API in the cluster. One of them is served by another program (an
APIService, such as the metrics server's), and that program does not answer. Helm then stops, whatever the chart needs."#,
    fix: r#"See it: `kubectl get apiservices` shows `False` in AVAILABLE.

Start the program behind that API, or delete its APIService if nothing serves it any more."#,
    example: r#"could not get apiVersions from Kubernetes: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: …"#,
    explains: &["SKVS108", "SKVS303", "SKVS308", "SKVS111"],
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Cause::Server(ServerError::Discovery(api))) = case.cause()? else {
        return Ok(None);
    };
    // An APIService is named `version.group`.
    let name = api
        .split_once('/')
        .map_or(api.clone(), |(group, version)| format!("{version}.{group}"));
    let subject = Subject::new("APIService", "", &name);
    case.finding(
        subject,
        format!("the API {api} does not answer, and Helm needs an answer from every API"),
    )
    .why("The onboarding is not at fault: no release can be installed until the API answers.")
    .step("Find out why it does not answer, and start the program behind it:")
    .command(["kubectl", "describe", "apiservice", &name])
    .then(then(case, Fixes::Elsewhere))
    .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::fixture;

    #[test]
    fn the_api_is_told() {
        assert_eq!(
            fixture::sentence("api-discovery-broken", "SKVS114"),
            "the API metrics.k8s.io/v1beta1 does not answer, and Helm needs an answer from every API"
        );
    }
}
