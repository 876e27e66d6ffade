//! Everything of one cluster first, then the answer: for formats and orders that need all of it.

use super::filter::Unjudged;
use super::item::{self, Item};
use super::summary::Summary;
use super::{Args, hint_at_none, shared, tell_empty, typed};
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::error::Result;
use crate::model::ownership::HelmReleases;
use crate::render::output::Output;
use serde_json::Value;
use std::collections::HashSet;

/// The warnings and hints that go with the onboardings.
pub(super) struct Beside {
    /// Of all that the query means, shown or not.
    claims: HelmReleases,
    /// The databases of those that are shown.
    databases: HashSet<String>,
    unjudged: Unjudged,
    summary: Summary,
    nothing: bool,
}

/// Reads them.
///
/// # Errors
/// What the cluster said, or an object that cannot be read.
pub(super) async fn items(
    cluster: &Cluster,
    args: &Args,
    query: &Query,
) -> Result<(Vec<Item>, Beside)> {
    let all = cluster.all_helm_releases::<Value>(query).await?;
    let mut objects = typed(all.into_items())?;
    let claims = HelmReleases::of_onboardings(objects.iter().map(|(_, hr)| hr));
    let mut unjudged = Unjudged::default();
    objects.retain(|(_, hr)| unjudged.passes(args, hr));
    let mut summary = Summary::default();
    objects.iter().for_each(|(_, hr)| summary.add(hr));
    let items = Item::all(objects, &claims);
    let beside = Beside {
        databases: item::databases(&items),
        nothing: items.is_empty(),
        claims,
        unjudged,
        summary,
    };
    Ok((items, beside))
}

impl Beside {
    /// Tells it.
    pub(super) async fn tell(
        &self,
        app: &mut App,
        args: &Args,
        cluster: &Cluster,
        query: &Query,
        output: &Output,
    ) {
        let is_told = matches!(output, Output::Json | Output::Yaml | Output::JsonPath(_));
        if self.nothing && !is_told {
            tell_empty(app, args, cluster, query, self.claims.len()).await;
        } else if self.nothing && cluster.archive().is_some() {
            // An empty list is an answer of a cluster; of files it can mean that others were saved than are asked for.
            hint_at_none(app, args, cluster, query, self.claims.len()).await;
        }
        if let Output::Table | Output::Wide = output {
            self.summary.print(app, self.claims.len());
        }
        self.unjudged.warn(&mut app.ui);
        shared::warn(&self.claims, &self.databases, &mut app.ui);
    }
}
