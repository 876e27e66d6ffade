//! CouchDB's cluster: which members it has, and which of them are up.

use crate::couchdb::pods::PodState;
use crate::couchdb::response::Membership;
use crate::couchdb::survey::Survey;
use crate::snapshot::Read;
use crate::text::one_line;
use serde::Serialize;

/// CouchDB as one of its members sees it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CouchDb {
    /// Namespace of its pods.
    pub namespace: String,
    /// The pod that was asked; null if none was.
    pub pod: Option<String>,
    pub version: Option<String>,
    /// Its members; null if they were not read.
    pub members: Option<Vec<Member>>,
    /// Its pods; null if they were not read.
    pub pods: Option<Vec<Member>>,
}

/// A member, or a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Member {
    pub name: String,
    /// A member is connected to the one that was asked; CouchDB's container of a pod is ready.
    pub up: bool,
}

impl CouchDb {
    /// From what was read; beside it, why its members are not known.
    pub fn new(
        namespace: &str,
        pods: Option<&[PodState]>,
        survey: Option<&Survey>,
    ) -> (Self, Option<String>) {
        let pods = pods.map(|pods| {
            let pod = |p: &PodState| Member {
                name: p.name.clone(),
                up: p.ready,
            };
            pods.iter().map(pod).collect()
        });
        let known = Self {
            namespace: namespace.to_owned(),
            pods,
            ..Self::default()
        };
        let Some(survey) = survey else {
            return (known, None);
        };
        let version = survey
            .server
            .if_read()
            .map(|server| one_line(&server.version));
        let (members, why) = match members(&survey.membership) {
            Ok(members) => (Some(members), None),
            Err(why) => (None, Some(why)),
        };
        let known = Self {
            pod: Some(survey.target.pod.clone()),
            version,
            members,
            ..known
        };
        (known, why)
    }

    /// One of its members or pods is down.
    pub fn has_error(&self) -> bool {
        let all = self.members.iter().chain(&self.pods).flatten();
        all.into_iter().any(|member| !member.up)
    }

    /// `3.3.3, 3 of 3 members up, 3 of 3 pods ready`; those that are down by name.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.version.iter().cloned().collect();
        let mut add = |all: &Option<Vec<Member>>, what: &str, up: &str| {
            let Some(all) = all else {
                words.push(format!("{what} not known"));
                return;
            };
            let (well, down): (Vec<&Member>, Vec<&Member>) = all.iter().partition(|m| m.up);
            let mut word = format!("{} of {} {what} {up}", well.len(), all.len());
            if !down.is_empty() {
                let down: Vec<&str> = down.iter().map(|m| m.name.as_str()).collect();
                word.push_str(&format!(" (not {up}: {})", down.join(", ")));
            }
            words.push(word);
        };
        add(&self.members, "members", "up");
        add(&self.pods, "pods", "ready");
        words.join(", ")
    }
}

/// The members with whether they are up. An answer without members does not count as one.
fn members(read: &Read<Membership>) -> Result<Vec<Member>, String> {
    match read {
        Read::Seen(all) if all.cluster_nodes.is_empty() => {
            Err("CouchDB names no member of its cluster".to_owned())
        }
        Read::Seen(all) => {
            let member = |name: &String| Member {
                name: one_line(name),
                up: all.all_nodes.contains(name),
            };
            Ok(all.cluster_nodes.iter().map(member).collect())
        }
        Read::Absent => Err("CouchDB does not answer for them".to_owned()),
        Read::Unknown(why) => Err(why.clause()),
    }
}
