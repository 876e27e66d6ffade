//! The chart and where it comes from.

use crate::model::condition::Stated;
use crate::model::source::Source;
use crate::snapshot::{IfRead, Read, Snapshot, Why};
use serde::Serialize;

/// The chart, wanted and installed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    pub name: String,
    /// What is installed, or was attempted last.
    pub version: Option<String>,
    /// The range that the spec asks for.
    pub wanted: Option<String>,
    /// `HelmRepository flux-system/wit-artifactory`.
    pub source: Option<String>,
    /// The HelmChart, or what `chartRef` names.
    pub fetched: Read<Link>,
    /// The repository.
    pub repository: Read<Link>,
}

/// One object of source-controller.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// `HelmChart flux-system/x`.
    pub id: String,
    /// What Ready says, whichever spec it is about; null where the object has no conditions, as an OCI HelmRepository.
    pub ready: Option<String>,
    pub message: String,
    /// Ready is about an older spec: how it is by now is not known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// Revision of its artifact: a HelmChart's is the chart's version.
    pub revision: Option<String>,
    pub suspended: bool,
    /// Fields that cannot be read: what they say is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub malformed: Vec<String>,
}

impl Link {
    fn describe(source: &Source) -> Self {
        let ready = source.ready();
        let stale = matches!(ready, Some(Stated::History(_)));
        // Shown verbatim.
        let ready = ready.map(Stated::of_any_spec);
        let artifact = source.artifact.set();
        Self {
            id: format!("{} {}", source.meta.kind, source.meta.id()),
            ready: ready.map(|c| c.status.clone()),
            message: ready.map(|c| c.message.clone()).unwrap_or_default(),
            stale,
            revision: artifact.and_then(|a| a.revision.set().cloned()),
            suspended: source.is_suspended(),
            malformed: source.meta.malformed.clone(),
        }
    }

    fn trouble(&self) -> Option<String> {
        if self.suspended {
            return Some(format!("{} is suspended", self.id));
        }
        if self.stale {
            return Some(format!(
                "{} has a status older than its spec, so whether it is ready is not known",
                self.id
            ));
        }
        match self.ready.as_deref() {
            Some("True") | None if self.malformed.is_empty() => None,
            Some("True") | None => Some(format!(
                "{} has malformed fields: {}",
                self.id,
                self.malformed.join(", ")
            )),
            Some(_) => Some(format!("{} is not ready: {}", self.id, self.message)),
        }
    }
}

impl Chart {
    pub(super) fn describe(snapshot: &Snapshot) -> Self {
        let hr = snapshot.helm_release();
        let template = hr.spec.chart.as_ref().map(|c| &c.spec);
        let source = match (template, &hr.spec.chart_ref) {
            (Some(spec), _) => Some((&spec.source_ref, hr)),
            (None, Some(reference)) => Some((reference, hr)),
            (None, None) => None,
        };
        let installed = snapshot.release().if_read().map(|r| &r.chart.metadata.name);
        Self {
            name: template
                .map(|spec| spec.chart.clone())
                .or_else(|| hr.latest().map(|h| h.chart_name.clone()))
                .or_else(|| installed.cloned())
                .unwrap_or_default(),
            version: hr.chart_version().map(str::to_owned),
            wanted: template.and_then(|spec| spec.version.clone()),
            source: source.map(|(reference, hr)| {
                let namespace = reference.namespace.as_deref().filter(|n| !n.is_empty());
                let namespace = namespace.unwrap_or(&hr.metadata.namespace);
                format!("{} {namespace}/{}", reference.kind, reference.name)
            }),
            fetched: Read::from(snapshot.chart()).map(Link::describe),
            repository: Read::from(snapshot.source()).map(Link::describe),
        }
    }

    /// How the chain is, in a few words each; the installed chart is up to date when there is only that to say.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        match &self.fetched {
            Read::Unknown(why) => {
                words.push(format!("its HelmChart was not read: {}", why.clause()))
            }
            Read::Absent => words.push("its HelmChart does not exist".to_owned()),
            Read::Seen(link) => match (link.trouble(), &link.revision) {
                (Some(trouble), _) => words.push(trouble),
                (None, Some(fetched)) if Some(fetched) == self.version.as_ref() => {
                    words.push("up to date".to_owned());
                }
                (None, Some(fetched)) => words.push(format!("{fetched} is fetched, not installed")),
                (None, None) => words.push("nothing is fetched yet".to_owned()),
            },
        }
        match &self.repository {
            Read::Unknown(Why::NotAsked(_) | Why::NotNeeded(_)) => {}
            Read::Unknown(why) => words.push(format!("its source was not read: {}", why.clause())),
            Read::Absent => words.push("its source does not exist".to_owned()),
            Read::Seen(link) => words.extend(link.trouble()),
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixture;

    #[test]
    fn a_chart_whose_status_is_of_an_older_spec_is_not_up_to_date() {
        let mut snapshot = fixture::snapshot("ready");
        assert_eq!(Chart::describe(&snapshot).words(), ["up to date"]);
        let Read::Seen(chart) = &mut snapshot.chart else {
            panic!("the fixture has a chart");
        };
        chart.meta.generation = crate::model::field::Field::Set(9);
        assert_eq!(
            Chart::describe(&snapshot).words(),
            [
                "HelmChart flux-system/flux-system-skvs-onboarding-pds--database has a status older than its spec, so whether it is ready is not known"
            ]
        );
    }
}
