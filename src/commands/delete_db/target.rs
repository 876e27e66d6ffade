//! One target from its plan to its end, each step a function of its own: prepare, show, question, act, tell.

use super::follow_up::put_back;
use super::messages::{not_found, refused, tell};
use super::targets::Ended;
use super::trace::Trace;
use super::{Args, question};
use crate::app::App;
use crate::backup;
use crate::cluster::Cluster;
use crate::couchdb::backup::part::Place;
use crate::couchdb::delete::confirm::{ConfirmBy, Confirmed};
use crate::couchdb::delete::execute::{self, Interrupt, Patience};
use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::{Cleared, Plan, plan};
use crate::couchdb::delete::read::{self, Look};
use crate::error::{Error, Result};
use crate::model::names::DatabaseName;
use crate::question::confirmation::Act;
use crate::render::output::ReportFormat;
use crate::render::{deletion_card, json, yaml};
use crate::text::fold::fold;
use crate::text::{Shown, shown};
use crate::view::deletion_plan::{DeletionPlan, DeletionPlanList};

/// What the targets of a run share.
pub(super) struct Run<'a> {
    pub(super) app: &'a mut App,
    pub(super) args: &'a Args,
    /// The plans, where they are to be documents.
    pub(super) documents: Vec<DeletionPlan>,
    /// Where the backup goes.
    pub(super) place: Option<&'a Place>,
    pub(super) cluster: &'a Cluster,
    pub(super) trace: Trace,
    /// One wait for the whole run: an interrupt between two steps is seen by the next.
    pub(super) interrupt: Interrupt<'a>,
}

impl Run<'_> {
    /// Which databases have their turn, where there are several.
    pub(super) fn announce(&mut self, names: &[DatabaseName]) {
        if names.len() > 1 && !self.args.plan.is_document() {
            let all: Vec<&str> = names.iter().map(DatabaseName::as_str).collect();
            let all = format!("{} databases: {}", all.len(), all.join(", "));
            for line in fold(&all, self.app.ui.terminal().width, "", "  ") {
                self.app.ui.status(line);
            }
        }
    }

    /// `2 of 3: pds_database`, before anything is read for it.
    pub(super) fn turn(&mut self, name: &DatabaseName, names: &[DatabaseName]) {
        let at = names.iter().position(|n| n == name).unwrap_or(0) + 1;
        if names.len() > 1 && !self.args.plan.is_document() {
            let heading = shown!("{at} of {}: {name}", names.len());
            let heading = self.app.ui.err_palette().heading(heading);
            self.app.ui.status("");
            self.app.ui.status(heading);
        }
    }

    /// All steps for one database. Without a way it is a rehearsal: the plan is shown and that is all.
    pub(super) async fn target(
        &mut self,
        name: &DatabaseName,
        way: Option<ConfirmBy>,
    ) -> Result<(), Ended> {
        let plan = self.prepare(name).await?;
        let overrides = self.args.plan.overrides(&plan);
        let plan = plan.under(overrides);
        self.show(&plan);
        let plan = self.cleared(plan)?;
        let traced = self.trace.rehearse(self.app, self.cluster, plan.plan());
        let traced = Act::Delete.before(self.interrupt.as_mut(), traced).await?;
        let Some(way) = way else {
            return self.rehearsed(name);
        };
        let confirmed = question::confirmed(name, plan, way, self.interrupt.as_mut()).await?;
        let confirmed = self.backed_up(name, confirmed).await?;
        self.trace.started(self.app, self.cluster, &traced).await?;
        let outcome = self.act(confirmed).await;
        // The word first: whoever waits for it may go before the trace is written.
        let told = tell(self.app, self.args, name, outcome.clone());
        let (app, cluster) = (&mut *self.app, self.cluster);
        self.trace.ended(app, cluster, &traced, &outcome).await;
        match outcome {
            Outcome::Deleted { .. } => self.can_be_put_back(name),
            _ => self.kept(),
        }
        told
    }

    /// The backup, where one is asked for; without it nothing is deleted.
    async fn backed_up(
        &mut self,
        name: &DatabaseName,
        confirmed: Confirmed,
    ) -> Result<Confirmed, Ended> {
        let Some(place) = self.place else {
            return Ok(confirmed);
        };
        let target = confirmed.plan().target();
        let interrupt = self.interrupt.as_mut();
        let stale = confirmed.plan().stale();
        let taken = backup::take(
            self.app,
            self.cluster,
            target,
            name,
            place,
            stale,
            interrupt,
        );
        let taken = taken.await;
        let taken = taken.map_err(|stopped| {
            self.app
                .ui
                .status("Nothing was deleted: without a whole backup the DELETE is not sent.");
            stopped.before_deletion(place)
        })?;
        confirmed.after(&taken).map_err(|refusal| {
            let ended = Ended::alone(refused(self.app, vec![refusal]));
            self.kept();
            ended
        })
    }

    /// What a deletion that was not carried out leaves behind.
    fn kept(&mut self) {
        if let Some(place) = self.place {
            let file = place.file().display();
            let line = shown!("The backup stays in {file}; another run needs another name.");
            self.app.ui.status(line);
        }
    }

    /// The way back after a deletion with a backup.
    fn can_be_put_back(&mut self, name: &DatabaseName) {
        if let Some(place) = self.place {
            let command = put_back(self.args, name, place.file());
            self.app.ui.hint(command.after("to put it back:"));
        }
    }

    /// The act; what it waits for is told on a terminal.
    async fn act(&mut self, confirmed: Confirmed) -> Outcome {
        let ui = &mut self.app.ui;
        let patience = Patience {
            limit: self.args.timeout,
            tell: &mut |line| ui.live(Shown::line(line)),
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the deletion of what was confirmed"
        )]
        let outcome =
            execute::execute(self.cluster, confirmed, self.interrupt.as_mut(), patience).await;
        self.app.ui.end_live();
        outcome
    }

    /// Everything up to the plan, or the reasons against it.
    async fn prepare(&mut self, name: &DatabaseName) -> Result<Plan, Ended> {
        let (cluster, args) = (self.cluster, self.args);
        let ui = &mut self.app.ui;
        let read = async {
            let patience = Patience {
                limit: read::CATCH_UP,
                tell: &mut |line| ui.live(Shown::line(line)),
            };
            gather(args, cluster, name, patience).await
        };
        let read = Act::Delete.before(self.interrupt.as_mut(), read).await;
        self.app.ui.end_live();
        match read? {
            Found::Plan(plan) => Ok(*plan),
            Found::Refused(refusals) => Err(Ended::alone(refused(self.app, refusals))),
            Found::NotThere(error) => Err(Ended::alone(error)),
        }
    }

    /// The plan, on stderr; a document waits for the others.
    fn show(&mut self, plan: &Plan) {
        let (context, server) = (self.cluster.context(), self.cluster.server());
        if self.args.plan.is_document() {
            let document = DeletionPlan::new(plan, context, server);
            return self.documents.push(document);
        }
        let backup = self.place.map(Place::file);
        let (heading, rows) = (
            deletion_card::heading(plan, backup),
            deletion_card::rows(plan, backup),
        );
        crate::question::card::show(self.app, self.cluster, &heading, rows);
    }

    /// The plan as one that may be confirmed, or what speaks against it.
    fn cleared(&mut self, plan: Plan) -> Result<Cleared, Ended> {
        for accept in plan.accepted().not_needed(plan.risks()) {
            let name = accept.name();
            let line = format!("--accept {name} was not needed: nothing of this kind was found");
            self.app.ui.warning(line);
        }
        plan.cleared()
            .map_err(|refusals| Ended::alone(refused(self.app, refusals)))
    }

    /// The end of a rehearsal.
    fn rehearsed(&mut self, name: &DatabaseName) -> Result<(), Ended> {
        if self.args.plan.is_document() {
            return Ok(());
        }
        let namespace = &self.args.pods.place.couchdb_namespace;
        let line = format!(
            "dry run: nothing was deleted; would delete database \"{name}\" from {namespace} namespace"
        );
        Ok(self.app.ui.result(Shown::line(line))?)
    }
}

/// The plans as one document, if they are to be one.
pub(super) fn print(
    app: &mut App,
    args: &Args,
    plans: &[DeletionPlan],
    named: usize,
) -> Result<()> {
    let document = match plans {
        [] => return Ok(()),
        [one] if named == 1 => serde_json::to_value(one),
        several => serde_json::to_value(DeletionPlanList::new(several)),
    };
    let document = document.expect("a plan's keys are texts");
    let mut out = app.ui.machine();
    match args.plan.format.output {
        ReportFormat::Yaml => yaml::write_value(&mut out, &document)?,
        ReportFormat::Json | ReportFormat::Text => json::write_value(&mut out, &document)?,
    }
    app.ui.flush()
}

/// What the reads gave.
enum Found {
    Plan(Box<Plan>),
    Refused(Vec<crate::couchdb::delete::refusal::Refusal>),
    NotThere(Error),
}

/// The reads: claims first, since they need no exec.
async fn gather(
    args: &Args,
    cluster: &Cluster,
    name: &DatabaseName,
    mut patience: Patience<'_>,
) -> Result<Found> {
    let unclaimed = match read::claims(cluster, name).await? {
        Ok(unclaimed) => unclaimed,
        Err(refusals) => return Ok(Found::Refused(refusals)),
    };
    let targets = args.pods.containers(cluster).await?;
    let look = read::couchdb(cluster, &targets, name, &mut patience).await?;
    Ok(match look {
        Look::Facts(facts) => match plan(facts.with(unclaimed)) {
            Ok(plan) => Found::Plan(Box::new(plan)),
            Err(refusals) => Found::Refused(refusals),
        },
        Look::Hung(refusals) | Look::Unserved(refusals) => Found::Refused(refusals),
        Look::NotFound {
            target,
            members,
            others,
        } => Found::NotThere(not_found(name, &target, &members, &others)),
    })
}
