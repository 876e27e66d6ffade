//! SKVS234: the API server refuses a field of a rendered object.

use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::object_commands;
use crate::diagnosis::rendering;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::failure::Cause;
use crate::model::failure::field::{FieldError, Got};
use crate::model::failure::merge_key::Merge;
use crate::model::failure::object::ObjectError;
use crate::snapshot::{IfRead, Related};
use crate::text::{few, one_line};
use serde_json::Value;

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS234",
    slug: "field-refused",
    severity: Severity::Error,
    role: Role::Cause,
    title: "the API server refuses a field of a rendered object",
    explanation: r#"The chart was rendered, but the API server refuses one of its objects: a field is unknown, missing or has a value that is not
allowed. Either a value of the onboarding went there, or the chart is for another version of Kubernetes."#,
    fix: r#"See it: `kubectl explain KIND.FIELD`

Correct the value in `spec.values` that fills this field. If none does, the chart is at fault: report it to its publisher."#,
    example: r#"Job.batch "pds-database-create" is invalid: spec.template.spec.containers[0].image: Required value
error validating data: ValidationError(Job.spec): unknown field "backofLimit""#,
    explains: rendering::FOLLOWS,
    contradicted_by: &[],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let FieldError {
        object,
        field,
        says,
        got,
    } = match rendering::cause(case)? {
        Some(Cause::Field(error)) => error,
        Some(Cause::Object(ObjectError::Unpatchable(why))) => return unpatchable(case, why),
        _ => return Ok(None),
    };
    let of = match object.as_str() {
        "" => "an object of the chart",
        object => object,
    };
    let sentence = if field.is_empty() {
        format!("the API server refuses {of}: {says}")
    } else {
        format!("the API server refuses {field} of {of}: {says}")
    };
    if let Some(got) = *got {
        return unquoted(case, &sentence, got).into();
    }
    if let Some(finding) = left_over(case, &sentence) {
        return finding.into();
    }
    if let Some(finding) = of_version(case, &sentence, field, says) {
        return finding.into();
    }
    if says.contains("already allocated") {
        return rendering::finding(
            case,
            &sentence,
            "Another Service of the cluster has this port or address.",
            "Leave the port or address to the cluster or set another one in spec.values; or see which Service has it:",
        )
        .command(["kubectl", "get", "services", "-A"])
        .into();
    }
    if says.ends_with("in the object on the cluster") {
        return on_cluster(case, &sentence).into();
    }
    if case
        .failure_text()?
        .is_some_and(|text| text.raw.contains("failed to replace object"))
    {
        return rendering::finding(
            case,
            &sentence,
            "spec.upgrade.force has Helm replace the object as a whole, and a replacement is decoded strictly. Without it the API server drops the field.",
            "Remove spec.upgrade.force from the manifest, and report the field to the chart's publisher",
        )
        .into();
    }
    if let Some(finding) = without_value(case, &sentence, field, says) {
        return finding.into();
    }
    let step = match says.starts_with("Required value") {
        true => {
            "Set the value in spec.values that fills this field, if the chart has one. Otherwise the chart is at fault"
        }
        false => {
            "Correct the value in spec.values that fills this field. If none does, the chart is at fault"
        }
    };
    rendering::finding(
        case,
        &sentence,
        "The chart was rendered, but the API server does not accept the result.",
        step,
    )
    .step(rendering::other_version(case))
    .into()
}

/// Kinds with lists that Helm merges by the entries' names. Of a custom resource it replaces the whole list.
const MERGED: [&str; 8] = [
    "CronJob.batch",
    "DaemonSet.apps",
    "Deployment.apps",
    "Job.batch",
    "Pod",
    "ReplicaSet.apps",
    "Service",
    "StatefulSet.apps",
];

/// Helm patched the object on the cluster, which has an entry that an earlier attempt put there: Helm compares with the last revision that
/// succeeded, and so does not remove it.
fn left_over(case: &Case<'_>, sentence: &str) -> Option<Finding> {
    let text = case.failure_text().if_read()?;
    let Cause::Field(error) = &text.cause else {
        return None;
    };
    let (kind, name) = error.patched(text.raw).filter(|_| error.is_duplicate())?;
    if !MERGED.contains(&kind) {
        return None;
    }
    let kind = kind.split_once('.').map_or(kind, |(kind, _)| kind);
    let subject = Subject::new(kind, case.hr().release_namespace(), name);
    let finding = Finding::new(case.subject(), sentence)
        .why("Helm merges the new manifest into the object on the cluster. An entry that an earlier attempt or somebody else has put there is not in the revision that Helm compares with, so Helm keeps it: the new entry may have the same name.")
        .seen(case.seen_failure());
    let related = case.related().if_read().map(Related::service);
    let related = related.filter(|_| kind == "Service");
    let is_gone = matches!(related, Some(Ok(None)));
    let finding = match related {
        Some(Ok(Some(service))) => {
            let ports = service.ports.known.iter();
            let ports = ports.map(|port| format!("{} {}", port.name, port.port));
            let ports: Vec<String> = ports.collect();
            let all = match service.ports.all {
                true => "",
                false => "; others cannot be read",
            };
            let observed = format!("ports: {}{all}", ports.join(", "));
            finding.seen([Evidence::new(subject.clone(), ".spec.ports", &observed)])
        }
        // Helm's text has no namespace, and a chart can set one.
        Some(Ok(None)) => finding.why(format!(
            "{subject} does not exist: it was deleted in the meantime, or the chart has it in another namespace."
        )),
        Some(Err(unread)) if !unread.is_not_needed() => finding.why(format!(
            "What {subject} has now was not read: {}.",
            unread.why.clause()
        )),
        Some(Err(_)) | None => finding,
    };
    let finding = match is_gone {
        true => finding
            .step("Look for it in the namespace that the chart gives it:")
            .command([
                "kubectl",
                "get",
                "services",
                "-A",
                "--field-selector",
                &format!("metadata.name={name}"),
            ]),
        false => finding
            .step("Compare the object with the values in the manifest:")
            .command(object_commands::yaml(&subject)),
    };
    let finding = match kind {
        "Service" => finding.step("If the entry is in the object alone, and the object is this release's (annotations meta.helm.sh/release-name and release-namespace), remove the entry there, or delete the Service: the next attempt creates it again. Until then nobody reaches what is behind it, and one of type LoadBalancer may get another address."),
        _ => finding.step("If the entry is in the object alone, remove it there by hand."),
    };
    Some(
        finding
            .step("If the chart renders the entry twice, correct the value that fills it, or report it to the chart's publisher.")
            .then(then(case, Fixes::Elsewhere)),
    )
}

/// A label with the chart's version, which has a plus sign.
fn of_version(case: &Case<'_>, sentence: &str, field: &str, says: &str) -> Option<Finding> {
    let hr = case.hr();
    let attempted = hr.status.last_attempted_revision.as_deref();
    let mut versions = [attempted, hr.chart_version()].into_iter().flatten();
    // A long value may have been cut behind the sign.
    let (version, plain) = versions.find_map(|version| {
        let (plain, _) = version.split_once('+')?;
        says.contains(&format!("{plain}+"))
            .then_some((version, plain))
    })?;
    let is_label = field.to_lowercase().contains("label") || says.contains("a valid label must");
    is_label.then(|| {
        let step = match hr.spec.chart_ref {
            // helm-controller puts the digest of an OCIRepository behind the version.
            Some(_) => "Have the chart's publisher write the label with _ in place of +: where the chart is an OCIRepository, the controller itself may add a plus sign and the digest to the version".to_owned(),
            None => format!(
                "Set another version of the chart in the manifest, one without a plus sign such as {plain}, if the repository has it. Otherwise have the chart's publisher write the label with _ in place of +, or publish a version without it"
            ),
        };
        let why = format!(
            "The value is made of the chart's version {version}, and a label must not have a plus sign."
        );
        rendering::finding(case, sentence, &why, &step)
    })
}

/// Server-side apply reads the present object first, and this already breaks the rules of its kind.
fn on_cluster(case: &Case<'_>, sentence: &str) -> Finding {
    let finding = Finding::new(case.subject(), sentence)
        .why("The object on the cluster has the entry twice: it was written by client-side apply, which allows that. Server-side apply rejects such an object, whatever the chart renders now.")
        .seen(case.seen_failure());
    let applied = case.failure_text().if_read();
    let applied = applied.and_then(|text| text.applied.as_ref());
    let finding = match applied.and_then(|a| Some((&a.kind, a.id.split_once('/')?))) {
        Some((kind, (namespace, name))) => finding
            .step("Remove the second entry from the object:")
            .command(object_commands::yaml(&Subject::new(kind, namespace, name))),
        None => finding.step("Remove the second entry from the object on the cluster."),
    };
    finding
        .step("If the chart renders it twice as well, report that to its publisher.")
        .then(then(case, Fixes::Elsewhere))
}

/// Helm compares three manifests, and one of them has a list that cannot be compared.
fn unpatchable(case: &Case<'_>, why: &str) -> Verdict {
    let hr = case.hr();
    let merge = Merge::parse(why);
    let lists = merge.as_ref().and_then(Merge::lists);
    let this = lists.map_or(String::new(), |lists| format!(" ({lists})"));
    let lists = lists.unwrap_or("env, ports, volumes");
    let twice = merge.filter(|merge| !merge.twice.is_empty()).map(|merge| {
        let twice = one_line(&few(&merge.twice, ", ", SHOWN));
        let key = one_line(&merge.key);
        format!("Helm merges this list{this} by {key}, and has more than one entry for {twice}. As long as a stored revision has them too, going back to it fails in the same way.")
    });
    Finding::new(
        case.subject(),
        format!("Helm cannot make a patch from the old and the new manifest: {why}"),
    )
    .why("An entry of a list has no name or has it twice, or a field has the wrong type: in the stored manifest, in the new one, or in the object on the cluster.")
    .seen(case.seen_failure())
    .whys(twice.as_deref())
    .step(format!("Look at the stored manifest for such an entry ({lists}), and compare it with the object on the cluster:"))
    .command(["helm", "get", "manifest", "-n", hr.storage_namespace(), &hr.release_name()])
    .step("If the stored one is right, the new one is at fault: correct the value in spec.values that fills the entry, or report it to the chart's publisher. If the stored one is at fault, go back to a revision of Helm without it, or delete that one object (a Job, a policy or a ConfigMap of an onboarding holds no data) so that the upgrade creates it again.")
    .then(then(case, Fixes::Manifest))
    .into()
}

/// Values that are named at most.
const SHOWN: usize = 3;

/// A field without a value: the entry of spec.values that is null and has the field's name.
fn without_value(case: &Case<'_>, sentence: &str, field: &str, says: &str) -> Option<Finding> {
    let at = says.split_once("unknown object type \"nil\" in ");
    let path = at.map_or(field, |(_, path)| path.trim());
    let is_null = at.is_some() || says.contains("Invalid value: \"null\"");
    if !is_null || path.is_empty() {
        return None;
    }
    // A key may have dots.
    let is_of_field = |null: &str| {
        let mut keys = null.match_indices('.').map(|(at, _)| &null[at..]);
        keys.any(|key| path.ends_with(key))
    };
    let nulls = paths(case, |null, value| value.is_null() && is_of_field(null));
    let first = nulls.first()?;
    let evidence = Evidence::new(
        case.subject(),
        &format!(".{first}"),
        &format!("{first}: null"),
    );
    let step = format!(
        "{} has no value and may be what fills this field: give it one in the manifest, or leave it out. If it is not, report the field to the chart's publisher",
        few(&nulls, " or ", SHOWN)
    );
    let why = "The chart was rendered, but the API server does not accept the result.";
    Some(rendering::finding(case, sentence, why, &step).seen([evidence]))
}

/// A text was wanted: a value that YAML takes for another type went in, since it has no quotes.
fn unquoted(case: &Case<'_>, sentence: &str, got: Got) -> Finding {
    let mut paths = paths(case, |path, value| match got {
        Got::Number => value.is_number(),
        // Switches are meant to be true or false.
        Got::Bool => value.is_boolean() && !is_switch(path),
    });
    // The names of the database go into labels.
    paths.sort_by_key(|path| {
        (
            !["spec.values.database", "spec.values.namespace"].contains(&path.as_str()),
            path.clone(),
        )
    });
    let (sentence, step) = match paths.as_slice() {
        [] if case.hr().spec.values_from.is_empty() => (
            format!("{sentence}; no value of spec.values is {}", got.words()),
            "The chart's template writes the value without quotes: use another version, and report it to the chart's publisher".to_owned(),
        ),
        [] => (
            sentence.to_owned(),
            "Put the value that goes into that field in quotes. It may come from spec.valuesFrom or from the chart".to_owned(),
        ),
        [one] => (
            format!("{sentence}; {one} has no quotes"),
            format!("Put {one} in quotes in the manifest"),
        ),
        several => (
            sentence.to_owned(),
            format!("Put the value that goes into that field in quotes in the manifest. Values without quotes: {}", few(several, ", ", SHOWN)),
        ),
    };
    let shown = paths.iter().take(SHOWN);
    let evidence: Vec<Evidence> = shown
        .map(|path| {
            Evidence::new(
                case.subject(),
                &format!(".{path}"),
                &format!("{path}: {}", got.words()),
            )
        })
        .collect();
    rendering::finding(
        case,
        &sentence,
        "YAML takes a value without quotes for a number or a truth value, and this field takes text only.",
        &step,
    )
    .seen(evidence)
}

/// A value of the chart that is true or false by its meaning.
fn is_switch(path: &str) -> bool {
    path == "spec.values.encryption" || path.ends_with(".enabled")
}

/// The values without further parts, with their paths.
fn leaves<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(value, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(_) => {}
        _ => found.push((path.to_owned(), value)),
    }
}

/// The paths of the values for which this holds.
fn paths(case: &Case<'_>, is_it: impl Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    leaves(&case.hr().spec.values, "spec.values", &mut found);
    let found = found.into_iter().filter(|(path, value)| is_it(path, value));
    found.map(|(path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::texts::{failed, of_helm};
    use crate::diagnosis::{Case, fixture};

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("field-refused", "SKVS234"),
            "the API server refuses spec.template.spec.containers[0].image of Job.batch \"pds-database-create\": Required value"
        );
        assert_eq!(
            fixture::sentence("field-refused-old", "SKVS234"),
            "the API server refuses spec.backofLimit of an object of the chart: the kind has no such field"
        );
        assert_eq!(
            fixture::sentence("field-refused-server-side", "SKVS234"),
            "the API server refuses spec.backofLimit of an object of the chart: the kind has no such field"
        );
    }

    #[test]
    fn an_entry_without_a_value_is_found_in_the_values() {
        let text = r#"unable to build kubernetes objects from release manifest: error validating "": error validating data: unknown object type "nil" in Deployment.spec.template.metadata.annotations.example.com/role"#;
        let of = |values: &str| {
            let (name, mut snapshot) = failed("install", text);
            snapshot.helm_release.spec.values = serde_json::from_str(values).unwrap();
            let case = Case::new(&snapshot, fixture::meta(name).now);
            let finding = super::check(&case).unwrap().unwrap();
            fixture::lines(finding).lines().nth(1).unwrap().to_owned()
        };
        let nulls = r#"{"a": {"notes": {"example.com/role": null}, "role": null}, "role": 1}"#;
        insta::assert_snapshot!(of(nulls), @"spec.values.a.notes.example.com/role has no value and may be what fills this field: give it one in the manifest, or leave it out. If it is not, report the field to the chart's publisher");
        // Another entry is null.
        let other = of(r#"{"a": {"other": null}}"#);
        assert!(
            other.starts_with("Correct the value in spec.values"),
            "{other}"
        );
    }

    #[test]
    fn what_is_twice_in_a_merged_list_is_named() {
        let text = "cannot patch \"a\" with kind Deployment: The order in patch list:\n[map[ip:10.0.0.7]]\n doesn't match $setElementOrder list:\n[map[ip:10.0.0.7] map[ip:10.0.0.7]]\n";
        let (name, snapshot) = failed("upgrade", text);
        let case = Case::new(&snapshot, fixture::meta(name).now);
        let said = fixture::reasoned(super::check(&case).unwrap().unwrap());
        assert!(said.contains("Helm merges this list (hostAliases) by ip, and has more than one entry for 10.0.0.7."), "{said}");
        assert!(said.contains("such an entry (hostAliases)"), "{said}");
    }

    #[test]
    fn a_version_with_a_plus_sign_is_what_a_label_does_not_take() {
        use crate::diagnosis::{Case, diagnose};
        let of = |version: &str, value: &str| {
            let text = format!(
                r#"Job.batch "a" is invalid: metadata.labels: Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric characters"#
            );
            let (name, mut snapshot) = crate::diagnosis::texts::failed("install", &text);
            snapshot.helm_release.status.history.clear();
            snapshot.helm_release.status.last_attempted_revision = Some(version.to_owned());
            let case = Case::new(&snapshot, fixture::meta(name).now);
            fixture::lines(fixture::of_code(diagnose(&case), "SKVS234"))
        };
        let said = of("0.1.2+4f2e7a91", "secure-kvs-onboarding-0.1.2+4f2");
        assert!(said.contains("such as 0.1.2"), "{said}");
        for (version, value) in [("0.1.2", "a-0.1.2+4f2"), ("0.1.2+4f2", "a b")] {
            let said = of(version, value);
            assert!(said.contains("Correct the value in spec.values"), "{said}");
        }
    }

    #[test]
    fn an_entry_that_a_failed_attempt_left_is_in_the_object_and_not_in_the_values() {
        use crate::diagnosis::{Case, diagnose};
        use crate::model::service::Service;
        use crate::snapshot::{Read, Related, Why};
        let text = r#"cannot patch "db" with kind Service: Service "db" is invalid: spec.ports[1].name: Duplicate value: "http""#;
        let of = |text: &str, service: Read<serde_json::Value>| {
            let (name, mut snapshot) = crate::diagnosis::texts::failed("upgrade", text);
            snapshot.on_demand.related = Read::Seen(Related {
                service: service.map(|object| Service::from_value(&object)).into(),
                ..Related::none()
            });
            let case = Case::new(&snapshot, fixture::meta(name).now);
            fixture::of_code(diagnose(&case), "SKVS234")
        };
        let ports = serde_json::json!({"metadata": {"name": "db"}, "spec": {"ports": [{"name": "http", "port": 5985}]}});
        let found = of(text, Read::Seen(ports));
        assert_eq!(found.evidence.last().unwrap().observed, "ports: http 5985");
        // The object may be another one of that name, so no command deletes it.
        let said = fixture::lines(found);
        assert!(
            said.contains("or delete the Service") && !said.contains("kubectl delete"),
            "{said}"
        );
        let refused = of(
            text,
            Read::Unknown(Why::Forbidden("get services in core".to_owned())),
        );
        assert!(
            refused.why.concat().contains("was not read: forbidden"),
            "{:?}",
            refused.why
        );
        let gone = of(text, Read::Absent);
        assert!(
            gone.why
                .concat()
                .contains("the chart has it in another namespace"),
            "{:?}",
            gone.why
        );
        let said = fixture::lines(gone);
        assert!(
            said.contains("kubectl get services -A --field-selector metadata.name=db"),
            "{said}"
        );
        // Helm replaces the lists of a custom resource as a whole, so nothing is left in them.
        for group in ["PersonSvc.example.com", "Service.serving.knative.dev"] {
            let kind = group.split('.').next().unwrap();
            let custom = text.replace("kind Service", &format!("kind {kind}"));
            let custom = custom.replace(r#"Service "db" is"#, &format!(r#"{group} "db" is"#));
            let found = of(&custom, Read::not_needed("x"));
            assert!(
                !found.why.concat().contains("earlier attempt"),
                "{:?}",
                found.why
            );
        }
        let other = text.replace("kind Service", "kind Deployment");
        let other = other.replace(r#"Service "db" is"#, r#"Deployment.apps "db" is"#);
        let said = fixture::lines(of(&other, Read::not_needed("x")));
        assert!(
            said.contains("remove it there by hand") && !said.contains("delete"),
            "{said}"
        );
    }

    #[test]
    fn a_patch_a_taken_port_and_an_entry_on_the_cluster_have_fixes_of_their_own() {
        let of = |text: &str| of_helm("upgrade", text, "SKVS234");
        insta::assert_snapshot!(of("failed to create patch: map: map[] does not contain declared merge key: name"), @"
        Helm cannot make a patch from the old and the new manifest: map: map[] does not contain declared merge key: name
        Look at the stored manifest for such an entry (containers, env, imagePullSecrets, volumes), and compare it with the object on the cluster:
        $ helm get manifest -n flux-system core-skvs-onboarding-pds--database
        If the stored one is right, the new one is at fault: correct the value in spec.values that fills the entry, or report it to the chart's publisher. If the stored one is at fault, go back to a revision of Helm without it, or delete that one object (a Job, a policy or a ConfigMap of an onboarding holds no data) so that the upgrade creates it again.
        ");
        insta::assert_snapshot!(of(r#"cannot patch "gate" with kind Service: Service "gate" is invalid: spec.ports[0].nodePort: Invalid value: 30000: provided port is already allocated"#), @r#"
        the API server refuses spec.ports[0].nodePort of Service "gate": Invalid value: 30000: provided port is already allocated
        Leave the port or address to the cluster or set another one in spec.values; or see which Service has it:
        $ kubectl get services -A
        "#);
        let live = |object: &str| {
            of(&format!(
                r#"server-side apply failed for object {object}apps/v1, Kind=Deployment: failed to create typed live object: .spec.ports: duplicate entries for key [containerPort=80,protocol="TCP"]"#
            ))
        };
        insta::assert_snapshot!(live("core/gate "), @r#"
        the API server refuses spec.ports of an object of the chart: duplicate entries for key [containerPort=80,protocol="TCP"] in the object on the cluster
        Remove the second entry from the object:
        $ kubectl get -n core deployment gate -o yaml
        If the chart renders it twice as well, report that to its publisher.
        "#);
        insta::assert_snapshot!(live(""), @r#"
        the API server refuses spec.ports of an object of the chart: duplicate entries for key [containerPort=80,protocol="TCP"] in the object on the cluster
        Remove the second entry from the object on the cluster.
        If the chart renders it twice as well, report that to its publisher.
        "#);
    }
}
