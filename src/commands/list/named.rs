//! `list NAME…`: each onboarding that answers to a name; a name that means nothing is an error and the others are still shown.
//!
//! A HelmRelease's own name takes one GET, as with kubectl. A table also shows who shares a database: its one list has the named
//! ones too.

use super::filter::{self, Unjudged};
use super::{Args, print, shared, tell_none, typed};
use crate::app::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::onboardings::{Listed, Unreadable};
use crate::cluster::{Cluster, ClusterError};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::lookup;
use crate::model::helm_release::HelmRelease;
use crate::model::ownership::HelmReleases;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use serde_json::Value;

/// The onboardings of the namespace, or why they could not be read.
type Others = Result<Listed, ClusterError>;

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
            "--watch takes no names; use -l, a filter or neither",
        ));
    }
    let others = match output {
        Output::Table | Output::Wide => Some(others(app, cluster, &args.names).await),
        _ => None,
    };
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for answer in lookup::every(app, cluster, &args.names, others.as_ref()).await? {
        match answer {
            Ok(named) => objects.extend(named),
            Err(error) => errors.push(error),
        }
    }
    if !objects.is_empty() {
        show(app, args, output, sort, objects, others.as_ref())?;
    }
    app.ui.flush()?;
    lookup::tell(app, &errors)
}

async fn others(app: &App, cluster: &Cluster, names: &[String]) -> Others {
    let query = Query {
        namespace: app.namespace(),
        selector: app.global.onboarding_selector.clone(),
    };
    let keep = |hr: &HelmRelease| lookup::is_meant(names, hr);
    cluster.onboardings(&query, keep).await
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
    let (read, unread) = match others {
        Some(Ok(listed)) => (&listed.typed[..], Unreadable::all(&listed.unreadable)),
        Some(Err(error)) => (&[][..], Some(error.clause())),
        None => (&[][..], None),
    };
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
    if let Some(why) = unread {
        app.ui.warning(format!(
            "who else claims these databases was not read: {why}"
        ));
    }
    shared::warn(&claims, &shown, &mut app.ui);
    Ok(())
}
