//! `list -w`: the list, then a row for each change, over dropped connections, until Ctrl-C.

mod known;

use super::filter::{self, Unjudged};
use super::{Args, table, typed};
use crate::cli::App;
use crate::cluster::Cluster;
use crate::cluster::helm_releases::Query;
use crate::cluster::watch::{Change, Next, PAUSE};
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::model::helm_release::{GROUP, HelmRelease};
use crate::render::output::Output;
use crate::render::{json, list as kube_list, name, yaml};
use crate::text::count;
use known::Known;
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
        printer.print(app, args, items)?;
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
            printer.print(app, args, items)?;
        }
        // A server that loses every place at once is not to be asked without end.
        tokio::time::sleep(PAUSE).await;
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

    fn print(
        &mut self,
        app: &mut App,
        args: &Args,
        mut items: Vec<(Value, HelmRelease)>,
    ) -> Result<()> {
        let mut unjudged = Unjudged::default();
        items.retain(|(_, hr)| unjudged.passes(args, hr));
        unjudged.warn(&mut app.ui);
        // Ages are counted from the moment of the row, not from the start of the watch.
        let now = k8s_openapi::jiff::Timestamp::now();
        if let Output::Table | Output::Wide = self.output {
            let rows: Vec<Vec<String>> = items
                .iter()
                .map(|(_, hr)| self.columns.cells(hr, false, now))
                .collect();
            self.table.write_page(&mut app.ui.screen(), &rows)?;
        }
        for (mut object, hr) in items {
            if !args.show_managed_fields {
                kube_list::drop_managed_fields(&mut object);
            }
            match self.output {
                Output::Name => {
                    let screen = &mut app.ui.screen();
                    name::write(screen, "HelmRelease", GROUP, &hr.metadata.name)?;
                }
                Output::Json => json::write_value(&mut app.ui.machine(), &object)?,
                Output::Yaml => {
                    app.ui.result("---")?;
                    yaml::write_value(&mut app.ui.machine(), &object)?;
                }
                _ => {}
            }
        }
        app.ui.flush()
    }
}
