//! The plan as a document.

use super::*;
use crate::advice::Command;
use crate::diagnosis::offboarding::{Id, Step as Judged};
use crate::model::names::DatabaseName;
use crate::view::json_schema::faults;
use crate::view::schema::{is_in_docs, strict};
use serde_json::{Value, json};

fn judged(part: Part, state: offboarding::State, says: &[&str], acts: &[Act]) -> Judged {
    Judged {
        part,
        state,
        says: says.iter().map(|s| (*s).to_owned()).collect(),
        acts: acts.to_vec(),
    }
}

/// A plan with a step of every state except done, which needs a read.
pub(crate) fn plan() -> OffboardingPlan {
    use offboarding::State::{Blocked, NotKnown, ToDo};
    let say = |text: &str| Act::Say(text.to_owned());
    let git = [
        "git",
        "-C",
        "/home/me/gitops",
        "rm",
        "--",
        "k8s/lab/pds_database.yaml",
    ];
    let delete = [
        "delete-db",
        "pds_database",
        "--backup",
        "pds_database.skvs.gz",
    ];
    let steps = [
        judged(
            Part::Users,
            ToDo,
            &["1 pod runs as pds/pds: pds/pds-0", "HelmRelease flux-system/rival uses it too"],
            &[say("agree with the team: access ends with the HelmRelease")],
        ),
        judged(
            Part::Manifest,
            ToDo,
            &["k8s/lab/pds_database.yaml, line 4, declares HelmRelease flux-system/skvs-onboarding-pds--database"],
            &[
                Act::Run(Command::from(git)),
                Act::Edit("--- a/k8s/lab/kustomization.yaml\n+++ b/k8s/lab/kustomization.yaml\n@@ -1,2 +1,1 @@\n resources:\n-- pds_database.yaml\n".to_owned()),
                say("commit and merge it: Flux reads what is merged"),
            ],
        ),
        judged(
            Part::Release,
            Blocked,
            &["waits for the HelmRelease; Flux uninstalls the release with it"],
            &[
                say("with HELM_DRIVER=configmap set"),
                Act::Run(Command::from(["helm", "uninstall", "-n", "n", "a"])),
            ],
        ),
        judged(
            Part::Access,
            NotKnown,
            &["whether a policy lets pods in is not known: forbidden \u{1b}[2J(list authorizationpolicies.security.istio.io in all namespaces)"],
            &[],
        ),
        judged(
            Part::Database,
            Blocked,
            &["waits for the manifest", "CouchDB has pds_database: 12 documents, 4.0 KB"],
            &[Act::Run(Command::skvs(delete))],
        ),
    ];
    let subject = Subject {
        database: DatabaseName::parse("pds_database").unwrap(),
        id: Id::new("flux-system", "skvs-onboarding-pds--database"),
        certain: false,
    };
    OffboardingPlan::new(&subject, &steps, &Origin::example())
}

fn schema() -> Value {
    let mut schema = strict::<OffboardingPlan>("OffboardingPlan", "offboarding-plan");
    // It has no codes.
    let definitions = schema["$defs"].as_object_mut().unwrap();
    definitions.remove("Code");
    schema
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("offboarding-plan", &schema());
}

#[test]
fn a_plan_fits_and_a_stranger_does_not() {
    let mut value = serde_json::to_value(plan()).unwrap();
    assert_eq!(faults(&schema(), &value), [""; 0]);
    assert!(!value.to_string().contains('\u{1b}'), "{value}");
    value["steps"][0]["stranger"] = json!(1);
    assert!(!faults(&schema(), &value).is_empty());
}

#[test]
fn only_what_is_done_everywhere_is_a_success() {
    let with = |open: u64, not_known: u64| {
        OffboardingPlan {
            open,
            not_known,
            ..plan()
        }
        .code()
    };
    assert_eq!(plan().code(), Code::Findings);
    assert_eq!(with(0, 0), Code::Ok);
    assert_eq!(with(0, 1), Code::Failed);
    assert_eq!(with(1, 1), Code::Findings);
}
