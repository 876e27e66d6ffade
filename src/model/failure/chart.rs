//! Failures of the chart as a whole: the cluster it requires, the charts it depends on, and Flux's step after rendering.

/// What is wrong with a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartError {
    /// It asks for another version of Kubernetes than the cluster's.
    Kubernetes { wanted: String, cluster: String },
    /// It was packaged without its dependencies; their names, as the text lists them.
    Dependencies(Option<String>),
    /// It was rendered, and failed before it was applied.
    PostRender(PostRender),
}

/// A rendered chart that cannot be read or patched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRender {
    /// The template, where Helm's mark in the text names it.
    pub file: Option<String>,
    /// The key that a map has twice, with its quotes.
    pub duplicate: Option<String>,
    /// The object that is rendered twice: `ConfigMap a`.
    pub registered: Option<String>,
    /// The text from the step's own words on.
    pub says: String,
}

impl ChartError {
    /// Reads a text; `None` when it is about something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        kubernetes(text)
            .or_else(|| dependencies(text))
            .or_else(|| PostRender::parse(text).map(Self::PostRender))
    }
}

/// `chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.30.0`.
fn kubernetes(text: &str) -> Option<ChartError> {
    let (_, rest) = text.split_once("chart requires kubeVersion: ")?;
    let (wanted, rest) = rest.split_once(" which is incompatible with Kubernetes ")?;
    Some(ChartError::Kubernetes {
        wanted: wanted.to_owned(),
        cluster: rest
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// What Helm says of a chart without its dependencies; their names follow.
const UNPACKAGED: &str = "found in Chart.yaml, but missing in charts/ directory";

fn dependencies(text: &str) -> Option<ChartError> {
    let names = missing_dependencies(text).map(str::to_owned);
    text.contains(UNPACKAGED)
        .then_some(ChartError::Dependencies(names))
}

/// The names in `found in Chart.yaml, but missing in charts/ directory: common`, as they are listed.
pub fn missing_dependencies(text: &str) -> Option<&str> {
    let (_, names) = text.split_once(UNPACKAGED)?;
    Some(names.trim_start_matches([':', ' '])).filter(|names| !names.is_empty())
}

impl PostRender {
    fn parse(text: &str) -> Option<Self> {
        let leads = [
            "error while running post render on ",
            "error while running post render: ",
            "error while parsing post rendered output",
        ];
        let at = leads.iter().find_map(|lead| text.find(lead))?;
        // Helm marks each document with the file that it comes from.
        let file = text
            .split_once("postrender-filename:")
            .and_then(|(_, rest)| rest.split([']', ' ']).next());
        // `mapping key "app" already defined at line 23`.
        let duplicate = text
            .split_once("mapping key ")
            .and_then(|(_, rest)| rest.split_once(" already defined"));
        Some(Self {
            file: file.map(str::to_owned),
            duplicate: duplicate.map(|(key, _)| key.to_owned()),
            registered: registered(text),
            says: text[at..].trim().to_owned(),
        })
    }
}

/// The object in `may not add resource with an already registered id: ConfigMap.v1.[noGrp]/x.core` or, before kustomize 4.5, in
/// `… id: ~G_v1_ConfigMap|core|x`.
fn registered(text: &str) -> Option<String> {
    let (_, id) = text.split_once("may not add resource with an already registered id: ")?;
    let id = id.split(['\'', ' ', '\n']).next()?.trim_end_matches(':');
    let (kind, name) = match id.split_once('|') {
        Some((kind, rest)) => (kind.rsplit('_').next()?, rest.rsplit('|').next()?),
        None => {
            let (kind, name) = id.split_once('/')?;
            // The namespace is behind the name's last dot.
            let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
            (kind.split('.').next()?, name)
        }
    };
    (!kind.is_empty() && !name.is_empty()).then(|| format!("{kind} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_is_read() {
        let told = |text: &str| format!("{:?}", ChartError::parse(text));
        insta::assert_snapshot!([
            "chart requires kubeVersion: >=1.99.0 which is incompatible with Kubernetes v1.34.1\nmore",
            "found in Chart.yaml, but missing in charts/ directory: common, other",
            "found in Chart.yaml, but missing in charts/ directory",
            "Helm install failed: error while running post render on files: map[postrender-filename:templates/a.yaml]: mapping key \"app\" already defined at line 23",
            "chart requires nothing",
        ]
        .map(told)
        .join("\n"), @r#"
        Some(Kubernetes { wanted: ">=1.99.0", cluster: "v1.34.1" })
        Some(Dependencies(Some("common, other")))
        Some(Dependencies(None))
        Some(PostRender(PostRender { file: Some("templates/a.yaml"), duplicate: Some("\"app\""), registered: None, says: "error while running post render on files: map[postrender-filename:templates/a.yaml]: mapping key \"app\" already defined at line 23" }))
        None
        "#);
    }

    #[test]
    fn an_object_that_is_rendered_twice_is_named() {
        let text = |id: &str| format!("may not add resource with an already registered id: {id}");
        for (id, object) in [
            ("~G_v1_ConfigMap|core|a-b", Some("ConfigMap a-b")),
            (
                "rbac.authorization.k8s.io_v1_RoleBinding|~X|a",
                Some("RoleBinding a"),
            ),
            (
                "RoleBinding.v1.rbac.authorization.k8s.io/a.core': must build at directory",
                Some("RoleBinding a"),
            ),
            ("ConfigMap.v1.[noGrp]/a.b.core", Some("ConfigMap a.b")),
            ("", None),
            ("|", None),
            ("x", None),
        ] {
            assert_eq!(registered(&text(id)).as_deref(), object, "{id}");
        }
        assert_eq!(registered("a ConfigMap twice"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(chart requires kubeVersion: | which is incompatible with Kubernetes |error while running post render: |postrender-filename:|\\]|mapping key | already defined|é| ){0,10}") {
            let _ = ChartError::parse(&text);
        }
    }
}
