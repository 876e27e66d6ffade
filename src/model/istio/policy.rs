//! An AuthorizationPolicy as a whole: whose pods it is for, and which requests it matches.

use super::matching::Match;
use super::pattern;
use super::request::Request;
use super::{Object, Pairs, Textual, pairs, short};
use crate::model::field::{Fields, Meta};
use serde::Deserialize;
use serde_json::Value;

/// The annotation of a policy that is only tried.
const DRY_RUN: &str = "istio.io/dry-run";

/// What a policy does with the requests that it matches.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    Allow,
    Deny,
    Audit,
    /// An external authoriser decides.
    Custom,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct AuthorizationPolicy {
    pub meta: Meta,
    /// Why its effect is not known, in its place.
    content: Result<Content, String>,
}

#[derive(Clone, Debug)]
struct Content {
    selector: Pairs,
    action: Action,
    /// It is only tried: nothing is decided by it.
    dry_run: bool,
    rules: Vec<Object<Rule>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    selector: Option<Object<Selector>>,
    target_ref: Option<Value>,
    target_refs: Option<Value>,
    action: Option<Textual<Action>>,
    provider: Option<Value>,
    rules: Option<Vec<Object<Rule>>>,
}

/// Which pods something is for; without labels all.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Selector {
    pub(super) match_labels: Option<Pairs>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    from: Option<Vec<Object<From>>>,
    to: Option<Vec<Object<To>>>,
    when: Option<Vec<Value>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    source: Object<Source>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    operation: Object<Operation>,
}

type Texts = Option<Vec<String>>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Source {
    principals: Texts,
    not_principals: Texts,
    request_principals: Texts,
    not_request_principals: Texts,
    namespaces: Texts,
    not_namespaces: Texts,
    ip_blocks: Texts,
    not_ip_blocks: Texts,
    remote_ip_blocks: Texts,
    not_remote_ip_blocks: Texts,
    service_accounts: Texts,
    not_service_accounts: Texts,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Operation {
    hosts: Texts,
    not_hosts: Texts,
    ports: Texts,
    not_ports: Texts,
    methods: Texts,
    not_methods: Texts,
    paths: Texts,
    not_paths: Texts,
}

impl AuthorizationPolicy {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let meta = Fields::new(object).meta("AuthorizationPolicy");
        Self {
            content: content(object, &meta),
            meta,
        }
    }

    /// What it does.
    ///
    /// # Errors
    /// Why its effect is not known.
    pub fn action(&self) -> Result<Action, &str> {
        self.content
            .as_ref()
            .map(|c| c.action)
            .map_err(String::as_str)
    }

    /// Whether a request without an identity may fare better by it than the account's own: it refuses, or it names whom it is not for.
    pub fn may_spare_nobody(&self) -> bool {
        let Ok(content) = &self.content else {
            return true;
        };
        let sources = content
            .rules
            .iter()
            .flat_map(|rule| rule.0.from.iter().flatten());
        let names_others = |from: &Object<From>| {
            let source = &from.0.source.0;
            let nots = [
                &source.not_principals,
                &source.not_namespaces,
                &source.not_service_accounts,
                &source.not_request_principals,
            ];
            nots.iter().any(|texts| texts.is_some())
        };
        content.action != Action::Allow || sources.into_iter().any(names_others)
    }

    /// Whether it is only tried.
    pub fn is_dry_run(&self) -> bool {
        self.content.as_ref().is_ok_and(|c| c.dry_run)
    }

    /// Whether it is for a pod with these labels. It applies in its own namespace, and everywhere if that is the mesh's root.
    pub fn selects(&self, namespace: &str, root: &str, labels: &Pairs) -> Match {
        match &self.content {
            _ if !self.is_of(namespace, root) => Match::No,
            Ok(content) => Match::known(is_selected(&content.selector, labels)),
            Err(why) => Match::Unknown(why.clone()),
        }
    }

    /// Whether it can apply in a namespace at all. One of an unknown namespace can.
    pub fn is_of(&self, namespace: &str, root: &str) -> bool {
        let own = self.meta.namespace.as_str();
        own.is_empty() || own == namespace || own == root
    }

    /// Whether it matches a request.
    pub fn matches(&self, request: &Request<'_>) -> Match {
        match &self.content {
            Ok(content) => Match::any(content.rules.iter().map(|rule| rule.0.matches(request))),
            Err(why) => Match::Unknown(why.clone()),
        }
    }

    /// Paths that let into other databases as well.
    pub fn wide_paths<'p>(&'p self, database: &'p str) -> impl Iterator<Item = &'p str> {
        let rules = self.content.iter().flat_map(|content| &content.rules);
        let to = rules.flat_map(|rule| rule.0.to.iter().flatten());
        let paths = to.flat_map(|to| to.0.operation.0.paths.iter().flatten());
        paths
            .map(String::as_str)
            .filter(|path| pattern::others(path, database))
    }
}

/// Whether labels meet a selector.
pub(super) fn is_selected(selector: &Pairs, labels: &Pairs) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

fn content(object: &Value, meta: &Meta) -> Result<Content, String> {
    if let Some(field) = meta.malformed.first() {
        return Err(format!("its {field} is malformed"));
    }
    if meta.name.is_empty() || meta.namespace.is_empty() {
        return Err("it has no name or no namespace".to_owned());
    }
    if !meta.deleted.is_absent() {
        return Err("it is being deleted".to_owned());
    }
    let annotations = pairs(&meta.annotations, "annotations", meta)?;
    let dry_run = match annotations.get(DRY_RUN).map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err(format!("its annotation {DRY_RUN} is {other:?}")),
    };
    let labels = pairs(&meta.labels, "labels", meta)?;
    let mut keys = labels.keys().chain(annotations.keys());
    // `istio.io/rev` keeps a policy from the istiod of other revisions.
    if let Some(key) = keys.find(|key| key.contains("istio.io/") && *key != DRY_RUN) {
        return Err(format!("its label or annotation {key} is not evaluated"));
    }
    let spec = object.get("spec").filter(|spec| !spec.is_null());
    let spec = Object::<Spec>::deserialize(spec.ok_or("it has no spec")?);
    let Object(spec) = spec.map_err(|e| short(&e))?;
    if spec.target_ref.is_some() || spec.target_refs.is_some() {
        return Err("it has targetRefs: what it is for is not known".to_owned());
    }
    let action = spec.action.map_or(Action::Allow, |action| action.0);
    if spec.provider.is_some() && action != Action::Custom {
        return Err("it has a provider and is not CUSTOM".to_owned());
    }
    if dry_run && action == Action::Custom {
        return Err("it is a dry run of CUSTOM".to_owned());
    }
    let selector = spec.selector.and_then(|selector| selector.0.match_labels);
    let selector = selector.unwrap_or_default();
    if selector
        .iter()
        .any(|(key, value)| key.is_empty() || key.contains('*') || value.contains('*'))
    {
        return Err("a label of its selector has a *, or no name".to_owned());
    }
    let rules = spec.rules.unwrap_or_default();
    rules.iter().try_for_each(|rule| rule.0.check())?;
    Ok(Content {
        selector,
        action,
        dry_run,
        rules,
    })
}

impl Rule {
    /// What Istio's webhook refuses has no known effect, should it be there nevertheless.
    fn check(&self) -> Result<(), String> {
        let empty = |what: &str| Err(format!("{what} of it is empty"));
        if self.from.as_ref().is_some_and(Vec::is_empty) {
            return empty("a from");
        }
        if self.to.as_ref().is_some_and(Vec::is_empty) {
            return empty("a to");
        }
        if self.when.as_ref().is_some_and(Vec::is_empty) {
            return empty("a when");
        }
        for Object(From {
            source: Object(source),
        }) in self.from.iter().flatten()
        {
            if !filled(&source.lists())? {
                return empty("a source");
            }
            each(
                &[&source.principals, &source.not_principals],
                pattern::check_principal,
            )?;
            each(
                &[&source.namespaces, &source.not_namespaces],
                pattern::check_namespace,
            )?;
        }
        for Object(To {
            operation: Object(operation),
        }) in self.to.iter().flatten()
        {
            if !filled(&operation.lists())? {
                return empty("an operation");
            }
            each(
                &[&operation.ports, &operation.not_ports],
                pattern::check_port,
            )?;
        }
        Ok(())
    }

    fn matches(&self, request: &Request<'_>) -> Match {
        let from = match &self.from {
            None => Match::Yes,
            Some(from) => Match::any(from.iter().map(|f| f.0.source.0.matches(request))),
        };
        let to = match &self.to {
            None => Match::Yes,
            Some(to) => Match::any(to.iter().map(|t| t.0.operation.0.matches(request))),
        };
        let when = match &self.when {
            None => Match::Yes,
            Some(_) => Match::Unknown("its `when` is not evaluated".to_owned()),
        };
        Match::all([from, to, when])
    }
}

fn each(lists: &[&Texts], check: fn(&str) -> Result<(), String>) -> Result<(), String> {
    let mut texts = lists.iter().flat_map(|list| list.iter().flatten());
    texts.try_for_each(|text| check(text))
}

/// Whether one of the lists is there. One that is there and has no text, or an empty one, is an error.
fn filled(lists: &[&Texts]) -> Result<bool, String> {
    let mut there = lists.iter().filter_map(|list| list.as_ref()).peekable();
    let any = there.peek().is_some();
    match there.any(|list| list.is_empty() || list.iter().any(String::is_empty)) {
        true => Err("a list of it is empty or has an empty text".to_owned()),
        false => Ok(any),
    }
}

/// One field and its opposite.
fn field(list: &Texts, not: &Texts, matches: impl Fn(&str) -> Match) -> Match {
    let of = |list: &[String]| Match::any(list.iter().map(|pattern| matches(pattern)));
    Match::all([
        list.as_ref().map_or(Match::Yes, |list| of(list)),
        not.as_ref().map_or(Match::Yes, |not| of(not).opposite()),
    ])
}

/// A field that is not evaluated.
fn unevaluated(list: &Texts, not: &Texts, what: &str) -> Match {
    field(list, not, |_| {
        Match::Unknown(format!("its {what} are not evaluated"))
    })
}

impl Source {
    fn lists(&self) -> [&Texts; 12] {
        [
            &self.principals,
            &self.not_principals,
            &self.request_principals,
            &self.not_request_principals,
            &self.namespaces,
            &self.not_namespaces,
            &self.ip_blocks,
            &self.not_ip_blocks,
            &self.remote_ip_blocks,
            &self.not_remote_ip_blocks,
            &self.service_accounts,
            &self.not_service_accounts,
        ]
    }

    fn matches(&self, request: &Request<'_>) -> Match {
        let principal = |p: &str| pattern::principal(p, request.account, request.trust_domain);
        let namespace = |p: &str| pattern::namespace(p, &request.account.namespace);
        Match::all([
            field(&self.principals, &self.not_principals, principal),
            field(&self.namespaces, &self.not_namespaces, namespace),
            unevaluated(
                &self.request_principals,
                &self.not_request_principals,
                "request principals (JWT)",
            ),
            unevaluated(&self.ip_blocks, &self.not_ip_blocks, "IP blocks"),
            unevaluated(
                &self.remote_ip_blocks,
                &self.not_remote_ip_blocks,
                "remote IP blocks",
            ),
            unevaluated(
                &self.service_accounts,
                &self.not_service_accounts,
                "service accounts",
            ),
        ])
    }
}

impl Operation {
    fn lists(&self) -> [&Texts; 8] {
        [
            &self.hosts,
            &self.not_hosts,
            &self.ports,
            &self.not_ports,
            &self.methods,
            &self.not_methods,
            &self.paths,
            &self.not_paths,
        ]
    }

    fn matches(&self, request: &Request<'_>) -> Match {
        let asked = request.asked;
        let path = |p: &str| pattern::path(p, request.database, asked.place);
        Match::all([
            field(&self.ports, &self.not_ports, |p| {
                pattern::port(p, request.port)
            }),
            field(&self.methods, &self.not_methods, |p| {
                pattern::method(p, asked.method)
            }),
            field(&self.paths, &self.not_paths, path),
            unevaluated(&self.hosts, &self.not_hosts, "hosts"),
        ])
    }
}

#[cfg(test)]
mod tests;
