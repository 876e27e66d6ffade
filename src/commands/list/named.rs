//! `list NAME…`: one GET each, as kubectl does; an absent one is told and the others are still shown.
//!
//! A table also tells who shares a database, which takes one list beside them.

use super::filter::{self, Unjudged};
use super::{Args, print, shared, tell_none, typed};
use crate::advice::Command;
use crate::cli::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::{All, Cluster, ClusterError};
use crate::commands::empty;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::HelmRelease;
use crate::model::lookup;
use crate::model::ownership::HelmReleases;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::text::near;
use serde_json::Value;

/// The onboardings of the namespace, or why they could not be read.
type Others = Result<All<HelmRelease>, ClusterError>;

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
    let namespace = app.namespace();
    let place = namespace.as_deref();
    let names: Vec<&str> = args.names.iter().map(|n| lookup::typed(n)).collect();
    let asked = names
        .iter()
        .map(|name| cluster.helm_releases_named(place, name));
    let (got, mut others) = futures::join!(futures::future::join_all(asked), async {
        match output {
            Output::Table | Output::Wide => Some(others(app, cluster).await),
            _ => None,
        }
    });
    let mut objects = Vec::new();
    let mut failed = Vec::new();
    for (name, answer) in names.iter().zip(got) {
        match answer {
            Ok(named) => objects.extend(named),
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => failed.push((name, error)),
        }
    }
    if !objects.is_empty() {
        show(app, args, output, sort, objects, others.as_ref())?;
    }
    app.ui.flush()?;
    if failed.is_empty() {
        return Ok(Code::Ok);
    }
    let mut why = None;
    let mut known = Vec::new();
    if failed.iter().any(|(_, e)| e.is_no_such_name()) {
        if others.is_none() {
            others = Some(self::others(app, cluster).await);
        }
        // Only for a hint: when they cannot be read there is none.
        if let Some(Ok(all)) = others {
            if all.items().is_empty() {
                why = empty::why(app, cluster, place).await;
            }
            known = all.into_items();
        }
    }
    for (name, error) in failed {
        let not_found = error.is_no_such_name();
        let mut error = explain(name, error, &known);
        if let (true, Some(why)) = (not_found, &why) {
            error = error.hint(why);
        }
        app.ui.error(&error);
    }
    Err(Error::silent(Code::Failed))
}

async fn others(app: &App, cluster: &Cluster) -> Others {
    let query = Query {
        namespace: app.namespace(),
        selector: app.global.onboarding_selector.clone(),
    };
    cluster.all_helm_releases(&query).await
}

/// Prints what was got, and warns of the databases of theirs that others claim.
fn show(
    app: &mut App,
    args: &Args,
    output: &Output,
    sort: Option<&SortBy>,
    objects: Vec<Value>,
    others: Option<&Others>,
) -> Result<()> {
    let mut items = typed(objects)?;
    let got = items.len();
    let mut unjudged = Unjudged::default();
    items.retain(|(_, hr)| unjudged.passes(args, hr));
    let named = items.iter().map(|(_, hr)| hr);
    let read = others.and_then(|o| o.as_ref().ok());
    let read = read.into_iter().flat_map(All::items);
    let claims = HelmReleases::of_onboardings(named.clone().chain(read));
    let shown = named.filter_map(shared::database).collect();
    let left_out = got - items.len();
    let told = !matches!(output, Output::Json | Output::Yaml | Output::JsonPath(_));
    if items.is_empty() && told {
        tell_none(app, app.namespace().as_deref());
    }
    print(
        app,
        args,
        output,
        sort,
        items,
        &claims,
        args.names.len() == 1,
    )?;
    if left_out > 0 && told {
        app.ui.hint(filter::left_out(left_out));
    }
    unjudged.warn(&mut app.ui);
    if let Some(Err(error)) = others {
        app.ui.warning(format!(
            "who else claims these databases was not read: {}",
            error.clause()
        ));
    }
    shared::warn(&claims, &shown, &mut app.ui);
    Ok(())
}

/// A not-found error with what the name is instead, or the names that are near.
fn explain(name: &str, error: ClusterError, known: &[HelmRelease]) -> Error {
    let (not_found, not_saved) = (error.is_no_such_name(), error.is_not_saved());
    let mut error = Error::from(error);
    if not_found && known.iter().any(|hr| hr.claim().joined() == Some(name)) {
        let list = Command::skvs(["list", "--database", name]);
        return error.hint(list.after("that is a database:"));
    }
    let near = near(name, known.iter().map(|hr| hr.metadata.name.as_str()));
    if not_found && !near.is_empty() {
        if not_saved {
            // Nothing has to be saved: the name is another.
            error = Error::new(error.message());
        }
        return error.hint(format!("did you mean {}?", near.join(", ")));
    }
    error
}
