//! `list -w`: the list, then a row for each change, over dropped connections, until Ctrl-C.

use super::{Args, filter, table, typed};
use crate::cli::App;
use crate::cluster::helm_releases::Query;
use crate::cluster::watch::{Change, Next};
use crate::cluster::{Cluster, List, Pages};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::render::output::Output;
use crate::render::{json, list as kube_list, name, yaml};
use serde_json::Value;

/// Lists, then follows.
pub(super) async fn run(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    output: &Output,
) -> Result<Code> {
    if args.sort_by.is_some() {
        app.ui
            .warning("--watch requested, --sort-by will be ignored");
    }
    if matches!(output, Output::JsonPath(_) | Output::CustomColumns(_)) {
        return Err(Error::usage(
            "a watch prints table, wide, json, yaml or name",
        ));
    }
    let mut printer = Printer::new(app, args, output);
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    tokio::select! {
        ended = follow(app, args, cluster, query, &mut printer) => ended,
        // A watch is ended this way: it has done what it was asked for.
        _ = &mut interrupted => Ok(Code::Ok),
    }
}

async fn follow(
    app: &mut App,
    args: &Args,
    cluster: &Cluster,
    query: &Query,
    printer: &mut Printer<'_>,
) -> Result<Code> {
    loop {
        let (first, pages): (List<Value>, Pages<Value>) = cluster.helm_releases(query).await?;
        let version = first.metadata.resource_version.clone();
        let mut objects = first.items;
        objects.extend(pages.all().await?);
        printer.print(app, args, objects)?;
        let mut watch = cluster.watch_helm_releases(query, &version);
        while let Next::Change(Change::Is(object) | Change::Gone(object)) = watch.next().await? {
            printer.print(app, args, vec![object])?;
        }
    }
}

/// Prints rows or objects as they come, the header once.
struct Printer<'o> {
    output: &'o Output,
    columns: crate::view::onboarding_row::Columns,
    table: crate::render::table::Table,
}

impl<'o> Printer<'o> {
    fn new(app: &App, args: &Args, output: &'o Output) -> Self {
        let (columns, table) = table(app, args, output);
        Self {
            output,
            columns,
            table,
        }
    }

    fn print(&mut self, app: &mut App, args: &Args, objects: Vec<Value>) -> Result<()> {
        let items: Vec<(Value, HelmRelease)> = typed(objects)?
            .into_iter()
            .filter(|(_, hr)| filter::passes(args, hr))
            .collect();
        // Ages are counted from the moment of the row, not from the start of the watch.
        let now = k8s_openapi::jiff::Timestamp::now();
        let mut out = app.ui.out();
        if let Output::Table | Output::Wide = self.output {
            let rows: Vec<Vec<String>> = items
                .iter()
                .map(|(_, hr)| self.columns.cells(hr, false, now))
                .collect();
            self.table.write_page(&mut out, &rows)?;
        }
        for (mut object, hr) in items {
            if !args.show_managed_fields {
                kube_list::drop_managed_fields(&mut object);
            }
            match self.output {
                Output::Name => name::write(&mut out, "HelmRelease", GROUP, &hr.metadata.name)?,
                Output::Json => json::write_value(&mut out, &object)?,
                Output::Yaml => {
                    out.write_all(b"---\n")?;
                    yaml::write_value(&mut out, &object)?;
                }
                _ => {}
            }
        }
        app.ui.flush()
    }
}
