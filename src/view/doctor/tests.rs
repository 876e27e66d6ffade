use super::*;
use crate::advice::Command;
use crate::view::json_schema::faults;
use crate::view::schema::{is_in_docs, strict};
use serde_json::{Value, json};

/// A report with a check of every state, and one of rights that lacks some.
pub(crate) fn report() -> DoctorReport {
    let origin = Origin::example();
    let check = Check::new;
    let mut lacking = check(
        Area::Rights,
        "delete-db",
        State::Failed,
        "missing: list secrets in all namespaces; not known: list pods in secure-kvs (timed out)",
    );
    lacking.missing = vec!["list secrets in all namespaces".to_owned()];
    lacking.missing_optional = vec!["create events in secure-kvs".to_owned()];
    lacking.unknown = vec!["list pods in secure-kvs (timed out)".to_owned()];
    let role = Command::skvs(["doctor", "--role", "delete-db"]).after("for an administrator:");
    let grant = Next {
        hint: role.clone(),
        origin: origin.clone(),
    };
    let see = Command::new(["kubectl", "get", "deployments", "-A"]).after("look for it:");
    let checks = vec![
        check(Area::Cluster, "API server", State::Ok, "v1.36.3"),
        check(
            Area::Flux,
            "helm-controller",
            State::NotKnown,
            "no Deployment of it in flux-system: Flux may run elsewhere",
        )
        .next(see, &origin),
        check(Area::Rights, "list", State::Ok, "all that it needs"),
        check(Area::Rights, "notes", State::Ok, "all that it needs"),
        lacking.next(role, &origin),
        check(
            Area::Machine,
            "helm",
            State::Warning,
            "not on PATH: retry needs it",
        )
        .next("install Helm 3 or 4", &origin),
    ];
    DoctorReport::new(&origin, checks, Some(grant))
}

fn schema() -> Value {
    let mut schema = strict::<DoctorReport>("DoctorReport", "doctor-report");
    // It has no codes.
    let definitions = schema["$defs"].as_object_mut().unwrap();
    definitions.remove("Code");
    schema
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("doctor-report", &schema());
}

#[test]
fn a_report_with_everything_fits_and_a_stranger_does_not() {
    let value = json!(report());
    assert_eq!(faults(&schema(), &value), [""; 0]);
    assert_eq!(
        value["checks"][4]["next"],
        "for an administrator: kubectl skvs doctor --role delete-db"
    );
    for place in ["", "/checks/0"] {
        let mut value = value.clone();
        value.pointer_mut(place).unwrap()["stranger"] = json!(1);
        assert!(!faults(&schema(), &value).is_empty(), "{place}");
    }
}

#[test]
fn what_is_not_known_is_not_fine_and_a_warning_is() {
    let code = |states: &[State]| {
        let check = |state| Check::new(Area::Flux, "a", state, "b");
        let checks = states.iter().map(|state| check(*state)).collect();
        DoctorReport::new(&Origin::default(), checks, None).code()
    };
    assert_eq!(code(&[State::Ok, State::Warning]), Code::Ok);
    assert_eq!(code(&[State::Ok, State::NotKnown]), Code::Failed);
    assert_eq!(code(&[State::NotKnown, State::Failed]), Code::Findings);
}
