//! `list NAME…`: one GET each, as kubectl does; an absent one is told and the others are still shown.

use super::{Args, Claims, print, typed};
use crate::cli::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::{Cluster, ClusterError, List, Pages};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::text::near;
use serde::Deserialize;
use serde_json::Value;

/// Prints the named onboardings.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    output: &Output,
    sort: Option<&SortBy>,
) -> Result<Code> {
    if args.watch {
        return Err(Error::usage(
            "a watch of single names is not there; use --watch with -l or without names",
        ));
    }
    let namespace = app.global.namespace.clone();
    let mut objects = Vec::new();
    let mut failed = Vec::new();
    for name in &args.names {
        match cluster.helm_release::<Value>(&namespace, name).await {
            Ok(object) => objects.push(object),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => failed.push((name.clone(), error)),
        }
    }
    if !objects.is_empty() {
        print(
            app,
            args,
            output,
            sort,
            typed(objects)?,
            &Claims::default(),
            args.names.len() == 1,
        )?;
    }
    app.ui.flush()?;
    if failed.is_empty() {
        return Ok(Code::Ok);
    }
    let known = if failed.iter().any(|(_, e)| e.is_not_found()) {
        names(app, cluster, &namespace).await
    } else {
        Vec::new()
    };
    for (name, error) in failed {
        app.ui.error(&explain(&name, error, &known));
    }
    Err(Error::silent(Code::Failed))
}

/// A not-found error with the names that are near.
fn explain(name: &str, error: ClusterError, known: &[String]) -> Error {
    let not_found = error.is_not_found();
    let error = Error::from(error);
    let near = near(name, known.iter().map(String::as_str));
    if not_found && !near.is_empty() {
        return error.hint(format!("did you mean {}?", near.join(", ")));
    }
    error
}

#[derive(Deserialize)]
struct Named {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

/// The names of the onboardings in the namespace; none when they cannot be read, since this is only for a hint.
async fn names(app: &App, cluster: &Cluster, namespace: &str) -> Vec<String> {
    let query = Query {
        namespace: Some(namespace.to_owned()),
        selector: app.global.onboarding_selector.clone(),
    };
    let read: Result<(List<Named>, Pages<Named>), ClusterError> =
        cluster.helm_releases(&query).await;
    let Ok((first, pages)) = read else {
        return Vec::new();
    };
    let mut all = first.items;
    all.extend(pages.all().await.unwrap_or_default());
    all.into_iter().map(|n| n.metadata.name).collect()
}
