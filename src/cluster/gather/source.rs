//! The way of the chart: HelmChart and its repository, or what `chartRef` names.

use super::PART;
use crate::cluster::{Cluster, ClusterError};
use crate::model::helm_release::{HelmRelease, ObjectRef};
use crate::model::source::{self, Source};
use crate::snapshot::Read;

use crate::cluster::sources::{GROUP, VERSIONS};

/// Both links of the chain.
pub(super) struct Chain {
    pub(super) chart: Read<Source>,
    pub(super) source: Read<Source>,
}

/// Reads the chain that `hr` hangs on.
pub(super) async fn chain(cluster: &Cluster, hr: &HelmRelease) -> Chain {
    if let Some(reference) = &hr.spec.chart_ref {
        return referred(cluster, hr, reference).await;
    }
    let (Some((namespace, name)), Some(template)) = (hr.helm_chart(), &hr.spec.chart) else {
        return Chain {
            chart: Read::not_asked("neither spec.chart nor spec.chartRef is set"),
            source: Read::not_asked("neither spec.chart nor spec.chartRef is set"),
        };
    };
    // The template names the source that the HelmChart will name, so both are asked for at once. The status may still name the HelmChart of
    // an earlier spec, in another namespace.
    let source = &template.spec.source_ref;
    let own = hr.source_namespace().unwrap_or(&namespace);
    let (chart, source) = futures::join!(
        link(cluster, "HelmChart", &namespace, &name),
        link(cluster, &source.kind, own, &source.name),
    );
    Chain { chart, source }
}

async fn referred(cluster: &Cluster, hr: &HelmRelease, reference: &ObjectRef) -> Chain {
    let namespace = reference.namespace.as_deref().filter(|n| !n.is_empty());
    let namespace = namespace.unwrap_or(&hr.metadata.namespace);
    let chart = link(cluster, &reference.kind, namespace, &reference.name).await;
    let named = chart.if_read().and_then(|chart| chart.source_ref.set());
    let source = match named {
        Some(named) => link(cluster, &named.kind, namespace, &named.name).await,
        _ if reference.kind == "HelmChart" => Read::not_asked("the HelmChart was not read"),
        _ => Read::not_asked(format!("an {} is its own source", reference.kind)),
    };
    Chain { chart, source }
}

impl Cluster {
    /// An object of source-controller, of a kind that a HelmRelease can name.
    pub async fn source(&self, kind: &str, namespace: &str, name: &str) -> Read<Source> {
        link(&self.within(PART), kind, namespace, name).await
    }
}

async fn link(cluster: &Cluster, kind: &str, namespace: &str, name: &str) -> Read<Source> {
    let Some(plural) = source::plural(kind) else {
        return Read::not_asked(format!("{kind:?} is not a kind of source"));
    };
    let [stable, beta] = VERSIONS.map(|version| format!("{GROUP}/{version}"));
    let object = match cluster.object(&stable, namespace, plural, name).await {
        Err(error) if ClusterError::is_unserved(&error) => {
            cluster.object(&beta, namespace, plural, name).await
        }
        read => read,
    };
    Read::from_result(object).map(|object| Source::from_value(&object, kind))
}
