//! `list -w`: the list, then a row for each change, over dropped connections, until Ctrl-C.

mod known;

use super::filter::{self, Unjudged};
use super::{Args, columns, shared, typed};
use crate::app::App;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::cluster::watch::{Change, Next, PAUSE};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::model::ownership::HelmReleases;
use crate::render::name;
use crate::render::objects;
use crate::render::output::Output;
use crate::render::table::Table;
use crate::text::count;
use crate::view::object_list;
use crate::view::onboarding_row::{Columns, Row};
use known::Known;
use serde_json::Value;
use std::collections::HashSet;

/// Lists, then follows.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    output: &Output,
) -> Result<Code> {
    let ignored = [
        ("--sort-by", args.sort_by.is_some()),
        ("--failed-first", args.failed_first),
    ];
    for (flag, _) in ignored.iter().filter(|(_, given)| *given) {
        app.ui
            .warning(format!("--watch requested, {flag} will be ignored"));
    }
    if matches!(output, Output::JsonPath(_) | Output::CustomColumns(_)) {
        return Err(Error::usage(
            "a watch prints table, wide, json, yaml or name",
        ));
    }
    let mut printer = Printer {
        output,
        table: None,
        warned: HashSet::new(),
    };
    crate::interrupt::watch(follow(app, args, cluster, query, &mut printer)).await
}

async fn follow(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    printer: &mut Printer<'_>,
) -> Result<Code> {
    let mut known = Known::default();
    loop {
        let all = cluster.all_helm_releases::<Value>(query).await?;
        let moment = all.resource_version().to_owned();
        let mut items = typed(all.into_items())?;
        let gone = known.relist(&mut items, |hr| filter::passes(args, hr));
        if !gone.is_empty() {
            app.ui.warning(format!(
                "{} deleted while the watch was interrupted: {}",
                count(gone.len() as u64, "onboarding"),
                gone.join(", ")
            ));
        }
        printer.print(app, args, &known, items)?;
        let mut watch = cluster.watch_helm_releases(query, &moment);
        while let Next::Change(change) = watch.next().await? {
            let (object, is_gone) = match change {
                Change::Is(object) => (object, false),
                Change::Gone(object) => (object, true),
            };
            let items = typed(vec![object])?;
            for (object, hr) in &items {
                if is_gone {
                    known.deleted(hr);
                } else {
                    known.changed(object, hr, filter::passes(args, hr));
                }
            }
            printer.print(app, args, &known, items)?;
        }
        // A server that loses every place at once is not to be asked without end.
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints rows or objects as they come, the header once.
struct Printer<'o> {
    output: &'o Output,
    /// Made for the first list.
    table: Option<(Columns, Table)>,
    /// Shared databases that a warning has named.
    warned: HashSet<String>,
}

impl Printer<'_> {
    fn print(
        &mut self,
        app: &mut App,
        args: &Args,
        known: &Known,
        mut items: Vec<(Value, HelmRelease)>,
    ) -> Result<()> {
        // A later row can share a database with one that was printed long ago.
        let claims = HelmReleases::of_onboardings(known.all());
        let mut unjudged = Unjudged::default();
        items.retain(|(_, hr)| unjudged.passes(args, hr));
        unjudged.warn(&mut app.ui);
        // Ages are counted from the moment of the row, not from the start of the watch.
        let now = k8s_openapi::jiff::Timestamp::now();
        if let Output::Table | Output::Wide = self.output {
            let all = items
                .iter()
                .map(|(_, hr)| Row::new(hr, claims.is_shared(hr)));
            let (columns, table) = self.table.get_or_insert_with(|| {
                let columns = columns::fitting(app, args, self.output, all.clone());
                let table = columns::table(app, args, &columns);
                (columns, table)
            });
            let rows: Vec<Vec<String>> = all.map(|row| columns.cells(row, now)).collect();
            table.write_page(&mut app.ui.screen(), &rows)?;
        }
        let shared = items.iter().filter(|(_, hr)| claims.is_shared(hr));
        let shared = shared.filter_map(|(_, hr)| shared::database(hr));
        let new = shared
            .filter(|name| self.warned.insert(name.clone()))
            .collect();
        for (mut object, hr) in items {
            if !args.show_managed_fields {
                object_list::drop_managed_fields(&mut object);
            }
            if let Output::Name = self.output {
                let screen = &mut app.ui.screen();
                name::write(screen, "HelmRelease", GROUP, &hr.metadata.name)?;
            }
            objects::changed(&mut app.ui, self.output, &object)?;
        }
        app.ui.flush()?;
        shared::warn(&claims, &new, &mut app.ui);
        Ok(())
    }
}
