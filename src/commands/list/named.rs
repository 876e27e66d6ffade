//! `list NAME…`: each onboarding that answers to a name; a name that means nothing is an error and the others are still shown.
//!
//! A HelmRelease's own name takes one GET, as with kubectl. A table also shows who shares a database: its one list has the named
//! ones too.

use super::filter::{self, Unjudged};
use super::item::{self, Item};
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
use crate::render::objects::Form;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use serde_json::Value;
use std::collections::HashSet;

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
    let (items, beside, answers) = items(app, args, cluster, output).await?;
    let errors: Vec<Error> = answers.into_iter().filter_map(Result::err).collect();
    let verdict = match errors.is_empty() {
        true => Code::Ok,
        false => Code::Failed,
    };
    if let Some(beside) = beside {
        let form = Form::single(args.names.len() == 1);
        let printed = print::print(app, args, output, sort, items, form);
        printed.map_err(|error| error.of_output(verdict))?;
        beside.tell(app, output);
    }
    let flushed = app.ui.flush();
    flushed.map_err(|error| error.of_output(verdict))?;
    lookup::tell(app, &errors)
}

/// Reads the named onboardings. Returns the items, their warnings if any name was found, and the result of each name.
///
/// # Errors
/// What makes asking for anything else useless, or an object that cannot be read.
pub(super) async fn items(
    app: &App,
    args: &Args,
    cluster: &Cluster,
    output: &Output,
) -> Result<(Vec<Item>, Option<Beside>, Vec<Result<()>>)> {
    let others = match output {
        Output::Table | Output::Wide => Some(others(app, cluster, &args.names).await),
        _ => None,
    };
    let mut objects = Vec::new();
    let answers = lookup::every(app, cluster, &args.names, others.as_ref()).await?;
    let answers = answers.into_iter();
    let answers = answers.map(|answer| answer.map(|named| objects.extend(named)));
    let answers = answers.collect();
    if objects.is_empty() {
        return Ok((Vec::new(), None, answers));
    }
    let (items, beside) = beside(args, objects, others)?;
    Ok((items, Some(beside), answers))
}

async fn others(app: &App, cluster: &Cluster, names: &[String]) -> Others {
    let query = Query {
        namespace: app.namespace(),
        selector: app.global.onboarding_selector.clone(),
    };
    let keep = |hr: &HelmRelease| lookup::is_meant(names, hr);
    cluster.onboardings(&query, keep).await
}

/// The warnings that go with the named onboardings.
pub(super) struct Beside {
    claims: HelmReleases,
    /// The databases of those that are shown.
    databases: HashSet<String>,
    unjudged: Unjudged,
    /// How many the filters left out.
    left_out: usize,
    nothing: bool,
    /// Why others that claim these databases were not read.
    unread: Option<String>,
}

/// What was got, and who else claims the databases of it.
fn beside(args: &Args, objects: Vec<Value>, others: Option<Others>) -> Result<(Vec<Item>, Beside)> {
    let mut objects = typed(objects)?;
    let got = objects.len();
    let mut unjudged = Unjudged::default();
    objects.retain(|(_, hr)| unjudged.passes(args, hr));
    let (read, unread) = match &others {
        Some(Ok(listed)) => (&listed.typed[..], Unreadable::all(&listed.unreadable)),
        Some(Err(error)) => (&[][..], Some(error.clause())),
        None => (&[][..], None),
    };
    let named = objects.iter().map(|(_, hr)| hr);
    let claims = HelmReleases::of_onboardings(named.chain(read));
    let items = Item::all(objects, &claims);
    let beside = Beside {
        databases: item::databases(&items),
        left_out: got - items.len(),
        nothing: items.is_empty(),
        claims,
        unjudged,
        unread,
    };
    Ok((items, beside))
}

impl Beside {
    /// Prints them.
    pub(super) fn tell(&self, app: &mut App, output: &Output) {
        let told = !matches!(output, Output::Json | Output::Yaml | Output::JsonPath(_));
        if self.nothing && told {
            tell_none(app, app.namespace().as_deref());
        }
        if self.left_out > 0 && told {
            app.ui.hint(filter::left_out(self.left_out));
        }
        self.unjudged.warn(&mut app.ui);
        if let Some(why) = &self.unread {
            app.ui.warning(format!(
                "who else claims these databases was not read: {why}"
            ));
        }
        shared::warn(&self.claims, &self.databases, &mut app.ui);
    }
}
