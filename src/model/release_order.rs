//! The order in which Helm creates the objects of a release: hooks before an installation by weight, then by name, then by kind, then all other objects.

use super::helm_storage::{Hook, Release};
use super::manifest::{self, ObjectName};
use crate::text::document::embedded;
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Ordering;

/// An object of the release from which a Secret, a ConfigMap or a ServiceAccount comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `ExternalSecret`, or the kind itself.
    pub kind: String,
    pub name: String,
    pub order: Order,
}

/// When Helm creates it, compared with a hook before the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// It is not a hook.
    AfterHooks,
    /// It is a hook too. The weights are its own and the other hook's.
    AfterHook(i64, i64),
    /// It is a hook of the same weight and name, of a kind that comes later.
    OfLaterKind(i64),
    /// A hook that Helm creates first.
    Before,
    /// A hook of another event, such as `post-install`.
    OtherEvent(String),
    /// What cannot be read and may make it, as a clause: `its hook Secret a`.
    NotKnown(String),
}

/// Kinds whose controllers make a Secret.
const MAKERS: [&str; 3] = ["ExternalSecret", "SealedSecret", "Certificate"];

/// Kinds that Helm creates before a Job, of those that a pod of the Job can need.
const BEFORE_JOBS: [&str; 3] = ["ServiceAccount", "Secret", "ConfigMap"];

/// A document, as far as it says which Secret it makes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    kind: String,
    metadata: ObjectName,
    spec: Option<Spec>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    /// Of an ExternalSecret.
    target: Option<Target>,
    /// Of a Certificate.
    secret_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Target {
    name: Option<String>,
}

/// The object of the release from which the Secret, ConfigMap or ServiceAccount comes that a pod of this hook's Job needs. `None` where none is seen: it may
/// be made by a controller in another way, or outside the chart.
pub fn origin(
    release: &Release,
    (namespace, job): (&str, &str),
    kind: &str,
    name: &str,
) -> Option<Origin> {
    const BEFORE: &str = "pre-install";
    let is_before = |hook: &&Hook| hook.events.iter().any(|event| event == BEFORE);
    let mut hooks = release.hooks.iter().filter(is_before);
    let job = hooks.find(|hook| hook.kind == "Job" && hook.name == job)?;
    let wanted = Wanted {
        kind,
        name,
        namespace,
    };
    let mut found = None;
    let mut unread = None;
    for hook in &release.hooks {
        let id = || format!("its hook {} {}", hook.kind, hook.name);
        let document = match wanted.made_by(&hook.manifest) {
            Made::By(document) => document,
            Made::No if !hook.manifest.trim().is_empty() => continue,
            Made::No | Made::Unknown => {
                if wanted.may_be_made_by(&hook.kind) {
                    unread = unread.or_else(|| Some(id()));
                }
                continue;
            }
        };
        let own = (hook.weight, hook.name.as_str());
        let order = match own.cmp(&(job.weight, job.name.as_str())) {
            _ if hook.events.is_empty() => Order::NotKnown(format!("the events of {}", id())),
            _ if !is_before(&hook) => Order::OtherEvent(hook.events.join(", ")),
            Ordering::Less => Order::Before,
            Ordering::Greater => Order::AfterHook(hook.weight, job.weight),
            // Helm has sorted them by kind before, and keeps that order: a kind that it does not know comes last.
            Ordering::Equal if BEFORE_JOBS.contains(&document.kind.as_str()) => Order::Before,
            Ordering::Equal => Order::OfLaterKind(hook.weight),
        };
        // Of several, one that comes first is enough.
        if order == Order::Before {
            return Some(document.at(order));
        }
        found = found.or(Some(document.at(order)));
    }
    // One that could not be read may come first.
    let unknown = |what: String| Origin {
        kind: kind.to_owned(),
        name: name.to_owned(),
        order: Order::NotKnown(what),
    };
    if let Some(what) = unread {
        return Some(unknown(what));
    }
    found.or_else(|| match wanted.made_by(&release.manifest) {
        Made::By(document) => Some(document.at(Order::AfterHooks)),
        Made::Unknown => Some(unknown("a document of its manifest".to_owned())),
        Made::No => None,
    })
}

/// The object that a pod needs.
struct Wanted<'a> {
    kind: &'a str,
    name: &'a str,
    namespace: &'a str,
}

/// Whether a text of Helm's makes an object.
enum Made {
    By(Document),
    No,
    /// A part of it cannot be read.
    Unknown,
}

impl Wanted<'_> {
    /// Whether one of the documents makes it.
    fn made_by(&self, text: &str) -> Made {
        let mut all = Made::No;
        for text in manifest::documents(text) {
            let made = match embedded::<Value>(&text) {
                Some(object) => self.made_in(object),
                None => Made::Unknown,
            };
            match made {
                Made::By(_) => return made,
                Made::Unknown => all = made,
                Made::No => {}
            }
        }
        all
    }

    fn made_in(&self, mut object: Value) -> Made {
        let is_list = object["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        if is_list && let Value::Array(items) = object["items"].take() {
            let mut unknown = Made::No;
            for item in items {
                match self.made_in(item) {
                    Made::No => {}
                    Made::Unknown => unknown = Made::Unknown,
                    by @ Made::By(_) => return by,
                }
            }
            return unknown;
        }
        match &object {
            // Nothing but comments.
            Value::Null => return Made::No,
            object if object["kind"] == "List" => return Made::Unknown,
            object
                if object["kind"]
                    .as_str()
                    .is_some_and(|kind| !self.may_be_made_by(kind)) =>
            {
                return Made::No;
            }
            _ => {}
        }
        let Ok(document) = serde_json::from_value::<Document>(object) else {
            return Made::Unknown;
        };
        match document.makes(self.kind) {
            None => Made::Unknown,
            Some(made) if made == self.name && document.is_in(self.namespace) => Made::By(document),
            Some(_) => Made::No,
        }
    }

    fn may_be_made_by(&self, kind: &str) -> bool {
        kind.is_empty() || kind == self.kind || self.kind == "Secret" && MAKERS.contains(&kind)
    }
}

impl Document {
    /// The name of the object of this kind that comes from it. `None`: it does not say.
    fn makes(&self, kind: &str) -> Option<&str> {
        let own = self.metadata.name.as_str();
        let made = match self.kind.as_str() {
            own_kind if own_kind == kind => own,
            "SealedSecret" => own,
            // Older bundles keep it without its spec.
            "ExternalSecret" => {
                let target = self.spec.as_ref()?.target.as_ref();
                target
                    .and_then(|target| target.name.as_deref())
                    .unwrap_or(own)
            }
            _ => self.spec.as_ref()?.secret_name.as_deref()?,
        };
        Some(made).filter(|made| !made.is_empty())
    }

    /// Whether it is there that the release is, or says so.
    fn is_in(&self, namespace: &str) -> bool {
        let own = self.metadata.namespace.as_deref();
        own.is_none_or(|own| own == namespace)
    }

    fn at(self, order: Order) -> Origin {
        Origin {
            kind: self.kind,
            name: self.metadata.name,
            order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn hook(kind: &str, name: &str, weight: i64, event: &str) -> Value {
        json!({"name": name, "kind": kind, "weight": weight, "events": [event],
            "manifest": format!("kind: {kind}\nmetadata:\n  name: {name}\n")})
    }

    fn of(others: &[Value], manifest: &str, kind: &str, name: &str) -> Option<Origin> {
        let mut hooks = vec![hook("Job", "a-create", 0, "pre-install")];
        hooks.extend_from_slice(others);
        let release = json!({"hooks": hooks, "manifest": manifest});
        let release: Release = serde_json::from_value(release).unwrap();
        origin(&release, ("core", "a-create"), kind, name)
    }

    #[test]
    fn a_hook_is_before_or_after_the_job_by_weight_and_name() {
        let order = |name: &str, weight: i64, event: &str| {
            let other = hook("ConfigMap", name, weight, event);
            of(&[other], "", "ConfigMap", name).map(|origin| origin.order)
        };
        assert_eq!(
            order("a-create-settings", 0, "pre-install"),
            Some(Order::AfterHook(0, 0))
        );
        assert_eq!(order("a", 0, "pre-install"), Some(Order::Before));
        assert_eq!(order("a-create", 0, "pre-install"), Some(Order::Before));
        assert_eq!(order("a", 5, "pre-install"), Some(Order::AfterHook(5, 0)));
        assert_eq!(order("z", -5, "pre-install"), Some(Order::Before));
        assert_eq!(
            order("a", 0, "post-install"),
            Some(Order::OtherEvent("post-install".to_owned()))
        );
    }

    #[test]
    fn of_one_weight_and_name_the_kind_decides() {
        let order = |kind: &str, spec: &str| {
            let mut other = hook(kind, "a-create", 0, "pre-install");
            let manifest = format!("kind: {kind}\nmetadata: {{name: a-create}}\nspec: {spec}\n");
            other["manifest"] = manifest.into();
            of(&[other], "", "Secret", "a-create").map(|origin| origin.order)
        };
        assert_eq!(order("Secret", "{}"), Some(Order::Before));
        for (kind, spec) in [
            ("ExternalSecret", "{}"),
            ("SealedSecret", "{}"),
            ("Certificate", "{secretName: a-create}"),
        ] {
            assert_eq!(order(kind, spec), Some(Order::OfLaterKind(0)), "{kind}");
        }
    }

    #[test]
    fn an_object_that_is_not_a_hook_comes_after_all_hooks() {
        let manifest = |kind: &str, spec: &str| {
            format!("---\nkind: {kind}\nmetadata:\n  name: s\nspec: {spec}\n")
        };
        let kind = |manifest: &str| {
            let origin = of(&[], manifest, "Secret", "s")?;
            assert_eq!(origin.order, Order::AfterHooks);
            Some(origin.kind)
        };
        for (own, spec) in [
            ("Secret", "{}"),
            ("ExternalSecret", "{}"),
            ("ExternalSecret", "{target: {name: s}}"),
            ("SealedSecret", "{}"),
            ("Certificate", "{secretName: s}"),
        ] {
            assert_eq!(
                kind(&manifest(own, spec)).as_deref(),
                Some(own),
                "{own} {spec}"
            );
        }
        for (own, spec) in [
            ("ConfigMap", "{}"),
            ("ExternalSecret", "{target: {name: t}}"),
            ("Certificate", "{secretName: t}"),
        ] {
            assert_eq!(kind(&manifest(own, spec)), None, "{own} {spec}");
        }
        assert_eq!(
            of(&[], &manifest("ExternalSecret", "{}"), "ConfigMap", "s"),
            None
        );
    }

    #[test]
    fn what_cannot_be_read_may_make_it() {
        let order = |others: &[Value], manifest: &str| {
            of(others, manifest, "Secret", "s").map(|origin| origin.order)
        };
        let unknown = |what: &str| Some(Order::NotKnown(what.to_owned()));
        let secret = "kind: Secret\nmetadata: {name: s}\n";
        for odd in [
            "kind: ExternalSecret\nmetadata: {name: s}\n",
            "kind: Certificate\nmetadata: {name: x}\nspec: {}\n",
            "kind: Secret\nmetadata: {name: 7}\n",
            "kind: Secret\n",
            "kind: {{ broken",
            "just text",
            "kind: List\nitems: [{kind: Secret, metadata: 7}]\n",
            "kind: List\nitems: 7\n",
            "kind: List\n",
        ] {
            let manifest = format!("{odd}\n---\nkind: ConfigMap\nmetadata: {{name: s}}\n");
            assert_eq!(
                order(&[], &manifest),
                unknown("a document of its manifest"),
                "{odd}"
            );
            // The one that can be read is it.
            assert_eq!(
                order(&[], &format!("{odd}\n---\n{secret}")),
                Some(Order::AfterHooks),
                "{odd}"
            );
            let mut odd_hook = hook("Secret", "x", 0, "pre-install");
            odd_hook["manifest"] = odd.into();
            assert_eq!(
                order(&[odd_hook.clone()], secret),
                unknown("its hook Secret x"),
                "{odd}"
            );
            odd_hook["kind"] = "Job".into();
            assert_eq!(order(&[odd_hook], ""), None, "{odd}");
        }
        for plain in [
            "",
            "# nothing\n",
            "kind: Deployment\nspec: {target: 7}\nmetadata: {name: s}\n",
        ] {
            assert_eq!(order(&[], plain), None, "{plain}");
        }
        let mut silent = hook("Secret", "s", 0, "pre-install");
        silent["events"] = json!([]);
        assert_eq!(
            order(&[silent], ""),
            unknown("the events of its hook Secret s")
        );
        let list = "kind: List\nitems: [{kind: Secret, metadata: {name: s}}]\n";
        assert_eq!(order(&[], list), Some(Order::AfterHooks));
    }

    #[test]
    fn an_object_of_another_namespace_is_another_one_and_a_first_copy_is_enough() {
        let elsewhere = "kind: Secret\nmetadata:\n  name: s\n  namespace: elsewhere\n";
        assert_eq!(of(&[], elsewhere, "Secret", "s"), None);
        let copies = [
            hook("Secret", "s", 0, "post-upgrade"),
            hook("Secret", "s", -1, "pre-install"),
        ];
        let found = of(&copies, "", "Secret", "s").unwrap();
        assert_eq!(found.order, Order::Before);
    }
}
