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
            says: text[at..].trim().to_owned(),
        })
    }
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
        Some(PostRender(PostRender { file: Some("templates/a.yaml"), duplicate: Some("\"app\""), says: "error while running post render on files: map[postrender-filename:templates/a.yaml]: mapping key \"app\" already defined at line 23" }))
        None
        "#);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(chart requires kubeVersion: | which is incompatible with Kubernetes |error while running post render: |postrender-filename:|\\]|mapping key | already defined|é| ){0,10}") {
            let _ = ChartError::parse(&text);
        }
    }
}
