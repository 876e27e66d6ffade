use super::*;
use crate::diagnosis::access::Effect;
use crate::model::not_read::NotRead;
use crate::view::access_check::{Answer, Methods};

fn policy(name: &str, action: Option<&'static str>, effect: Effect, why: Option<&str>) -> Policy {
    Policy {
        name: name.to_owned(),
        action,
        effect,
        why: why.map(str::to_owned),
    }
}

fn check() -> AccessCheck {
    AccessCheck {
        api_version: "v",
        kind: "AccessCheck",
        database: "pds_database".to_owned(),
        service_account: "pds/pds".to_owned(),
        principal: "cluster.local/ns/pds/sa/pds".to_owned(),
        verdict: Answer::Unknown,
        reason: "Istio's settings: timed out".to_owned(),
        onboardings: vec!["flux-system/skvs-onboarding-pds--database".to_owned()],
        endpoint: Some("http://steelcouch.secure-kvs.svc:5984".to_owned()),
        pods: vec!["secure-kvs/steelcouch-0".to_owned()],
        methods: Methods {
            allowed: vec!["GET", "HEAD"],
            refused: vec!["PUT"],
            partly: Vec::new(),
            unknown: Vec::new(),
        },
        policies: vec![
            policy("secure-kvs/pds", Some("ALLOW"), Effect::LetsInPartly, None),
            policy(
                "secure-kvs/\u{1b}[2J",
                None,
                Effect::Unknown,
                Some("unknown field `a`"),
            ),
            policy("secure-kvs/golf", Some("ALLOW"), Effect::NoMatch, None),
        ],
        not_known: vec![NotRead::new("Istio's settings", "timed out")],
        notes: Vec::new(),
    }
}

fn text(check: &AccessCheck) -> String {
    let mut out = Vec::new();
    write(&mut Screen::new(&mut out), check, None).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_verdict_comes_first_and_policies_that_cannot_match_are_counted() {
    insta::assert_snapshot!(text(&check()), @r"
    Verdict:          unknown: Istio's settings: timed out
    Service account:  pds/pds
      Identity:       cluster.local/ns/pds/sa/pds
    Database:         pds_database
    Onboarding:       flux-system/skvs-onboarding-pds--database
    Endpoint:         http://steelcouch.secure-kvs.svc:5984
      Pods:           secure-kvs/steelcouch-0
    Allowed:          GET, HEAD
    Refused:          PUT
    Policies:
      POLICY             ACTION   SAYS
      secure-kvs/pds     ALLOW    lets a part of its requests in
      secure-kvs/^[[2J   ?        not known: unknown field `a`
      and 1 other policy that cannot match (-o json lists all)
    Not known:        Istio's settings: timed out
    ");
}
