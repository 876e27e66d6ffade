//! The server's own endpoints: what CouchDB answers about itself, its members and the list of its databases.

use anyhow::Result;
use hyper::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::auth::Caller;
use super::fault;
use super::reply;
use super::server::{Call, Shared};
use super::target::parameter;

impl Shared {
    pub(crate) fn welcome(&self) -> Answer {
        Answer::new(
            200,
            json!({
                "couchdb": "Welcome",
                "version": self.state().cluster.version(),
                "git_sha": "d5b746b7c",
                "uuid": "5d0a2c1ef0b94a5b8e7a3c6d9f120b34",
                "features": ["access-ready", "partitioned", "pluggable-storage-engines", "reshard", "scheduler"],
                "vendor": {"name": "The Apache Software Foundation"},
            }),
        )
    }

    pub(crate) async fn endpoint(&self, endpoint: &str, call: &Call) -> Result<Answer> {
        let rows = || {
            let set = self.state().work.get(endpoint).cloned();
            set.unwrap_or_default()
        };
        let listed = |key: &str| {
            let rows = rows();
            Answer::new(
                200,
                json!({"total_rows": rows.len(), "offset": 0, key: rows}),
            )
        };
        Ok(match endpoint {
            "_up" => read_only(call, || {
                Answer::new(200, json!({"status": "ok", "seeds": {}}))
            }),
            "_session" => self.session(call),
            "_uuids" => read_only(call, || {
                Answer::new(200, json!({"uuids": [reply::hex(16)]}))
            }),
            "_dbs_info" => self.databases_info(call).await?,
            "_membership" => admin_read(call, || self.state().cluster.membership()),
            "_all_dbs" => admin_read(call, || self.all_databases(call.query.as_deref())),
            "_active_tasks" => admin_read(call, || Answer::new(200, json!(rows()))),
            "_scheduler/docs" => admin_read(call, || listed("docs")),
            _ => admin_read(call, || listed("jobs")),
        })
    }

    fn session(&self, call: &Call) -> Answer {
        match call.method {
            Method::DELETE => Answer::ok(200),
            Method::GET | Method::HEAD => {
                let mut info = json!({"authentication_handlers": ["cookie", "default"]});
                let context = if call.caller == Caller::Admin {
                    info["authenticated"] = json!("default");
                    json!({"name": self.user, "roles": ["_admin"]})
                } else {
                    json!({"name": null, "roles": []})
                };
                Answer::new(200, json!({"ok": true, "userCtx": context, "info": info}))
            }
            _ => Answer::method_not_allowed("GET,HEAD,POST,DELETE"),
        }
    }

    pub(crate) fn node(&self, node: &str, rest: &[String]) -> Answer {
        let state = self.state();
        match rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["_dbs", "_all_docs"] => state.cluster.shard_documents(node),
            ["_dbs", database] => state.cluster.shard_document(node, database),
            ["_system"] => state.cluster.system(node),
            [shard] if shard.starts_with("shards/") => state.cluster.shard(node, shard),
            [] => match state.cluster.node(node) {
                Ok(name) => Answer::new(200, json!({"name": name})),
                Err(refusal) => refusal,
            },
            ["_config", section, key] => match state.cluster.node(node) {
                Ok(member) => match state.cluster.setting(member, section, key) {
                    Some(value) => Answer::new(200, json!(value)),
                    None => Answer::error(404, "not_found", "unknown_config_value"),
                },
                Err(refusal) => refusal,
            },
            _ => Answer::missing(),
        }
    }

    fn all_databases(&self, query: Option<&str>) -> Answer {
        let bound = |long: &str, short: &str| {
            let value = parameter(query, long).or_else(|| parameter(query, short))?;
            serde_json::from_str::<String>(&value).ok()
        };
        let (first, last) = (bound("start_key", "startkey"), bound("end_key", "endkey"));
        let number = |name: &str| parameter(query, name).and_then(|v| v.parse::<usize>().ok());
        let names: Vec<String> = self
            .state()
            .cluster
            .names()
            .into_iter()
            .filter(|n| {
                first.as_ref().is_none_or(|f| n >= f) && last.as_ref().is_none_or(|l| n <= l)
            })
            .skip(number("skip").unwrap_or(0))
            .take(number("limit").unwrap_or(usize::MAX))
            .collect();
        Answer::new(200, json!(names))
    }

    async fn databases_info(&self, call: &Call) -> Result<Answer> {
        if call.caller != Caller::Admin {
            return Ok(Answer::not_server_admin());
        }
        let with_get = self.state().cluster.since(3, 3);
        let (names, keyed) = match call.method {
            Method::GET if with_get => (self.state().cluster.names(), false),
            Method::POST => {
                let keys = serde_json::from_slice::<Value>(&call.body)
                    .ok()
                    .and_then(|mut b| serde_json::from_value::<Vec<String>>(b["keys"].take()).ok());
                match keys {
                    None => {
                        return Ok(Answer::error(
                            400,
                            "bad_request",
                            "`keys` member must exist.",
                        ));
                    }
                    Some(keys) if keys.len() > 100 => {
                        return Ok(Answer::error(400, "bad_request", "too_many_keys"));
                    }
                    Some(keys) => (keys, true),
                }
            }
            _ => {
                return Ok(Answer::method_not_allowed(if with_get {
                    "GET,HEAD,POST"
                } else {
                    "POST"
                }));
            }
        };
        let mut rows = Vec::new();
        let all = futures::future::join_all(names.iter().map(|key| self.info(key))).await;
        for (key, info) in names.iter().zip(all) {
            let unserved = fault::is_unserved(&self.state().faults, key);
            match info?.filter(|_| !unserved) {
                Some(info) => rows.push(json!({"key": key, "info": info})),
                None if keyed => rows.push(json!({"key": key, "error": "not_found"})),
                None => {}
            }
        }
        Ok(Answer::new(200, json!(rows)))
    }
}

/// For endpoints open to everybody that can only be read.
pub(crate) fn read_only(call: &Call, answer: impl FnOnce() -> Answer) -> Answer {
    if matches!(call.method, Method::GET | Method::HEAD) {
        answer()
    } else {
        Answer::method_not_allowed("GET,HEAD")
    }
}

/// For endpoints of the server admin that can only be read; the method comes first, as in CouchDB.
pub(crate) fn admin_read(call: &Call, answer: impl FnOnce() -> Answer) -> Answer {
    read_only(call, || {
        if call.caller == Caller::Admin {
            answer()
        } else {
            Answer::not_server_admin()
        }
    })
}
