//! The document as it is printed, and docs/schema/deletion-plan.v1.json, which is made from its types.
//!
//! `BLESS=1 cargo test --lib docs` rewrites the file.

use super::*;
use crate::couchdb::delete::plan::tests::{facts, troubled};
use crate::couchdb::delete::plan::{Overrides, plan};
use crate::couchdb::delete::risk::{Accepted, RiskKind};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::view::json_schema::faults;
use crate::view::schema::is_in_docs;

fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<DeletionPlan>();
    let mut schema = serde_json::to_value(schema).unwrap();
    tighten(&mut schema);
    schema["title"] = json!(KIND);
    schema["$id"] = json!("urn:kubectl-skvs:schema:deletion-plan:v1");
    schema["properties"]["apiVersion"] = json!({"const": API_VERSION});
    schema["properties"]["kind"] = json!({"const": KIND});
    schema
}

/// No field but those that are described; kinds of numbers that JSON does not know are left out.
fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.contains_key("properties") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            map.retain(|key, value| key != "format" || !value.is_string());
            map.values_mut().for_each(tighten);
        }
        Value::Array(all) => all.iter_mut().for_each(tighten),
        _ => {}
    }
}

#[test]
fn docs_schema_is_that_of_the_types() {
    is_in_docs("deletion-plan", &schema());
}

fn troubled_plan() -> Plan {
    plan(troubled()).unwrap().under(Overrides {
        accepted: Accepted::new([RiskKind::Tasks]),
        token: None,
    })
}

#[test]
fn every_plan_fits_the_schema_and_nothing_else_does() {
    let mut unread = troubled();
    unread.last_claim.event = Err("forbidden (list events in all namespaces)".into());
    unread.settings[0].1.recovery = Err("CouchDB answered 500".into());
    let documents = [
        DeletionPlan::new(&plan(facts()).unwrap(), Some("c"), "https://h/"),
        DeletionPlan::new(&troubled_plan(), None, "https://h"),
        DeletionPlan::new(&plan(unread).unwrap(), None, "https://h"),
    ];
    for document in &documents {
        assert_eq!(faults(&schema(), &json!(document)), [""; 0]);
    }
    let list = json!(DeletionPlanList::new(&documents));
    assert_eq!(
        (&list["kind"], list["items"].as_array().unwrap().len()),
        (&json!(LIST), 3)
    );
    for (place, change) in [
        ("", json!({"stranger": 1})),
        ("/database", json!({"documents": "1"})),
        ("/couchdb/members/0", json!({"up": null})),
        ("", json!({"kind": "Plan"})),
    ] {
        let mut document = json!(documents[0]);
        let target = document.pointer_mut(place).and_then(Value::as_object_mut);
        target.unwrap().extend(change.as_object().unwrap().clone());
        assert!(
            !faults(&schema(), &document).is_empty(),
            "{place}: {change}"
        );
    }
}

#[test]
fn the_document_tells_all_that_was_seen_and_no_secret() {
    let mut document = json!(DeletionPlan::new(
        &troubled_plan(),
        Some("prod-east"),
        "https://h/"
    ));
    document["token"] = json!("TOKEN");
    let text = serde_json::to_string_pretty(&document).unwrap();
    assert!(!text.contains("secret@"), "{text}");
    insta::assert_snapshot!(text, @r#"
    {
      "apiVersion": "skvs.kubectl.io/v1alpha1",
      "claims": {
        "authorizationPolicies": null,
        "databaseObjects": null,
        "helmReleases": 12,
        "last": [
          {
            "at": null,
            "by": "HelmRelease flux-system/x",
            "evidence": "event"
          },
          {
            "at": "2026-11-20T10:00:00Z",
            "by": "revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2)",
            "evidence": "history"
          }
        ],
        "revisions": 0
      },
      "context": "prod-east",
      "couchdb": {
        "container": "couchdb",
        "members": [
          {
            "keepsDeletedFiles": false,
            "maintenance": "false",
            "name": "couchdb@db-0",
            "up": true
          },
          {
            "keepsDeletedFiles": false,
            "maintenance": "true",
            "name": "couchdb@db-1",
            "up": true
          },
          {
            "keepsDeletedFiles": false,
            "maintenance": "false",
            "name": "couchdb@db-2",
            "up": false
          },
          {
            "name": "couchdb@db-5",
            "up": false
          }
        ],
        "namespace": "secure-kvs",
        "pod": "db-agora-kvs-secure-kvs-agora-couchdb-0",
        "pods": [
          {
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-0",
            "ready": true,
            "uid": "uid-0"
          },
          {
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-1",
            "ready": true,
            "uid": "uid-1"
          },
          {
            "name": "db-agora-kvs-secure-kvs-agora-couchdb-2",
            "ready": true,
            "uid": "uid-2"
          }
        ],
        "uuid": "5d0a",
        "version": "3.2.2"
      },
      "database": {
        "created": "2024-03-01T00:00:00Z",
        "deletedDocuments": 1204,
        "documents": 1204311,
        "name": "pds_database",
        "purgeSequence": 0,
        "shardMapRevision": "1-abc",
        "sizes": {
          "active": 2900000000,
          "external": 5000000000,
          "file": 3100000000
        },
        "updateSequence": 1300000
      },
      "kind": "DeletionPlan",
      "replications": [
        {
          "document": "_replicator/nightly",
          "id": null,
          "role": "target",
          "source": "https://elsewhere/orders/",
          "state": "pending",
          "target": "http://db:5984/pds_database/"
        }
      ],
      "risks": [
        {
          "accepted": false,
          "message": "member couchdb@db-1 is in maintenance (maintenance_mode = true)",
          "name": "maintenance"
        },
        {
          "accepted": false,
          "message": "member couchdb@db-2 is down; a deletion now would leave the data on its disk",
          "name": "member-down"
        },
        {
          "accepted": false,
          "message": "its shard map names couchdb@db-5, which is not a member of the cluster: a deletion reaches neither its copies nor older files of them on other members",
          "name": "foreign-member"
        },
        {
          "accepted": false,
          "message": "member couchdb@db-1 was started less than ten minutes ago and internal replication has not finished: a copy may be stale",
          "name": "catching-up"
        },
        {
          "accepted": false,
          "message": "replication of document _replicator/nightly (pending) writes into it from https://elsewhere/orders/ and may create it again",
          "name": "replication"
        },
        {
          "accepted": true,
          "message": "indexer works on it (1 task)",
          "name": "tasks"
        },
        {
          "accepted": false,
          "message": "revision 2 of Helm release core/x (Secret flux-system/sh.helm.release.v1.x.v2) was installed with it; uninstalled at 2026-11-20T10:00:00Z, and its history is kept",
          "name": "recent-claim"
        }
      ],
      "server": "https://h",
      "tasks": [
        {
          "member": "couchdb@db-0",
          "type": "indexer"
        }
      ],
      "token": "TOKEN"
    }
    "#);
}
