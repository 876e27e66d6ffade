//! The exact text of a plan.

use super::*;
use crate::view::offboarding::tests::plan;

fn text(width: Option<usize>) -> String {
    let mut out = Vec::new();
    write(&mut Screen::new(&mut out), &plan(), width, Palette::PLAIN).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn each_step_has_a_line_and_its_commands_below() {
    insta::assert_snapshot!(text(Some(80)), @r"
    pds_database, by convention HelmRelease
      flux-system/skvs-onboarding-pds--database: 0 of 5 steps done, 1 not known

    to do      users          1 pod runs as pds/pds: pds/pds-0
                              HelmRelease flux-system/rival uses it too
               agree with the team: access ends with the HelmRelease
    to do      manifest       k8s/lab/pds_database.yaml, line 4, declares
                              HelmRelease flux-system/skvs-onboarding-pds--database
               git -C /home/me/gitops rm -- k8s/lab/pds_database.yaml
               --- a/k8s/lab/kustomization.yaml
               +++ b/k8s/lab/kustomization.yaml
               @@ -1,2 +1,1 @@
                resources:
               -- pds_database.yaml
               commit and merge it: Flux reads what is merged
    blocked    Helm release   waits for the HelmRelease; Flux uninstalls the release
                              with it
               with HELM_DRIVER=configmap set:
               helm uninstall -n n a --kube-context prod-east
    not known  access         whether a policy lets pods in is not known: forbidden
                              ^[[2J(list authorizationpolicies.security.istio.io in
                              all namespaces)
    blocked    database       waits for the manifest
                              CouchDB has pds_database: 12 documents, 4.0 KB
               kubectl skvs delete-db pds_database --backup pds_database.skvs.gz --context prod-east
    ");
}

#[test]
fn piped_output_is_not_folded() {
    let text = text(None);
    assert!(text.lines().any(|line| line.len() > 100), "{text}");
}
