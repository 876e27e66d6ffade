//! `--wait` and `--watch`: follows named onboardings until each is Ready or stuck, or until Ctrl-C.
//!
//! A change of the HelmRelease makes it looked into again. A Job's pod can fail while Flux's words stay the same, so what is
//! underway is also looked at again from time to time. Which state is an end is the business of `diagnosis::standing`.

mod args;
mod changes;
mod track;

pub(crate) use args::FollowArgs;

use super::print::Layout;
use super::{Looked, databases, elsewhere, look, look_into, named};
use crate::app::App;
use crate::cluster::onboardings::Onboardings;
use crate::cluster::watch::{Change, Next};
use crate::cluster::{Cluster, ClusterError};
use crate::diagnosis::ignore::Ignores;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::couchdb_pods::AskArgs;
use crate::flags::gate::GateArgs;
use crate::render::output::FindingsFormat;
use crate::text::{Shown, age, shown};
use crate::view::report::Report;
use changes::Changes;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use track::Track;

/// How often what is underway is looked at again while its HelmRelease does not change.
const AGAIN: Duration = Duration::from_secs(10);
/// How often the live line is written.
const BEAT: Duration = Duration::from_secs(1);

/// Why the following ended.
enum End {
    /// Nothing is underway any more.
    Settled,
    TimedOut,
    Interrupted,
}

/// Which onboardings are followed, and how.
#[derive(Clone, Copy)]
pub(crate) struct Following<'f> {
    pub(crate) names: &'f [String],
    pub(crate) couchdb: &'f AskArgs,
    pub(crate) gate: &'f GateArgs,
    pub(crate) follow: &'f FollowArgs,
    pub(crate) layout: Layout,
}

/// Follows one onboarding as `troubleshoot --wait` does, and prints the report.
///
/// # Errors
/// It does not settle in time, or the cluster's error.
pub(crate) async fn wait(
    app: &mut App,
    cluster: &Cluster,
    name: &str,
    couchdb: &AskArgs,
    limit: Option<Duration>,
) -> Result<Code> {
    let following = Following {
        names: &[name.to_owned()],
        couchdb,
        gate: &GateArgs::default(),
        follow: &FollowArgs::wait(limit),
        layout: Layout {
            format: FindingsFormat::default(),
            namespaced: false,
            details: None,
        },
    };
    following.run(app, cluster, Ignores::default()).await
}

impl Following<'_> {
    /// Follows to the end.
    ///
    /// # Errors
    /// A name that means nothing, an onboarding that does not settle in time, or the cluster's error.
    pub(crate) async fn run(
        self,
        app: &mut App,
        cluster: &Cluster,
        mut ignores: Ignores,
    ) -> Result<Code> {
        let started = Instant::now();
        let mut picked = named(app, cluster, self.names).await?;
        let errors = picked.take_errors();
        if !errors.is_empty() {
            for error in &errors {
                app.ui.error(error);
            }
            return Err(Error::silent(Code::Failed));
        }
        let mut tracks = Vec::new();
        for object in picked.objects {
            let mut looked = look(cluster, object, &picked.others, app.now).await?;
            looked.ignore(&mut ignores);
            tracks.push(Track::new(looked));
        }
        let mut follower = Follower {
            following: self,
            cluster,
            ignores,
            others: picked.others,
            tracks,
            started,
        };
        follower.tell(app)?;
        let end = follower.follow(app).await;
        app.ui.end_live();
        let end = end?;
        if self.follow.wait && !matches!(end, End::Interrupted) {
            follower.look_once_more(app).await;
        }
        follower.end(app, end)
    }
}

struct Follower<'f> {
    following: Following<'f>,
    cluster: &'f Cluster,
    ignores: Ignores,
    others: Onboardings,
    tracks: Vec<Track>,
    started: Instant,
}

impl Follower<'_> {
    async fn follow(&mut self, app: &mut App) -> Result<End> {
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        let deadline = self
            .following
            .follow
            .limit()
            .map(|limit| self.started + limit);
        let mut again = ticks(AGAIN);
        let mut beat = ticks(BEAT);
        let mut changes = Changes::new(self.cluster, &app.global.namespace);
        loop {
            if self.following.follow.wait && self.tracks.iter().all(|t| !t.is_underway()) {
                return Ok(End::Settled);
            }
            let due: Vec<usize> = tokio::select! {
                _ = &mut interrupted => return Ok(End::Interrupted),
                () = until(deadline) => return Ok(End::TimedOut),
                _ = beat.tick() => {
                    self.live(app);
                    continue;
                }
                _ = again.tick() => self.tracks_that(Track::is_underway),
                said = changes.next() => self.changed(app, said, &mut changes),
            };
            let work = async {
                for at in due {
                    self.look(app, at).await?;
                }
                Ok::<(), Error>(())
            };
            // A look takes a while on a slow cluster: neither Ctrl-C nor the time limit waits for it.
            tokio::select! {
                done = work => done?,
                _ = &mut interrupted => return Ok(End::Interrupted),
                () = until(deadline) => return Ok(End::TimedOut),
            }
        }
    }

    /// Places of the tracks to look at again.
    fn tracks_that(&self, is_due: impl Fn(&Track) -> bool) -> Vec<usize> {
        let tracks = self.tracks.iter().enumerate();
        tracks
            .filter(|(_, t)| is_due(t))
            .map(|(at, _)| at)
            .collect()
    }

    /// The tracks to look at after a change, or after the watch has ended.
    fn changed(
        &self,
        app: &mut App,
        said: Result<Next, ClusterError>,
        changes: &mut Changes<'_>,
    ) -> Vec<usize> {
        match said {
            Ok(Next::Change(Change::Is(object) | Change::Gone(object))) => {
                changes.arrive();
                self.tracks_that(|track| track.is_changed_by(&object))
            }
            // A server that loses every place at once is not to be asked without end.
            Ok(Next::Relist) => {
                changes.restart();
                Vec::new()
            }
            // Without the right to watch there are the looks from time to time.
            Err(error) if error.is_forbidden() => {
                app.ui.warning(format!(
                    "changes are not followed: {}; what is underway is looked at every {} s",
                    crate::text::one_line(&error.clause()),
                    AGAIN.as_secs()
                ));
                changes.stop();
                Vec::new()
            }
            Err(error) => {
                // Said once: the server may be away for a while.
                if changes.lose() {
                    let why = crate::text::one_line(&error.clause());
                    app.ui
                        .status(shown!("the watch ended: {why}; trying again"));
                }
                changes.restart();
                self.tracks_that(|_| true)
            }
        }
    }

    /// Looks into one again, and tells when its verdict has changed.
    async fn look(&mut self, app: &mut App, at: usize) -> Result<()> {
        let (namespace, name) = self.tracks[at].id();
        let object = match self.cluster.helm_release(&namespace, &name).await {
            Ok(object) => object,
            Err(error) if error.is_not_found() => {
                let gone = format!("helmrelease \"{name}\" has been deleted while it was followed");
                return Err(Error::new(gone));
            }
            Err(error) if error.is_forbidden() => return Err(error.into()),
            // The last look stands until the server answers again.
            Err(_) => return Ok(()),
        };
        app.now = Timestamp::now();
        let mut looked = self.look_at(app, object).await?;
        if self.tracks[at].changes_with(&looked) {
            // Who else claims the database may have changed since the start.
            let others = self
                .cluster
                .other_onboardings(&app.global.namespace, &app.global.onboarding_selector);
            self.others = others.await;
            looked = self.look_at(app, looked.object).await?;
        }
        if self.tracks[at].replace(looked) {
            self.tell(app)?;
        }
        Ok(())
    }

    async fn look_at(&mut self, app: &App, object: Value) -> Result<Looked> {
        let mut looked = look(self.cluster, object, &self.others, app.now).await?;
        looked.ignore(&mut self.ignores);
        Ok(looked)
    }

    /// Looks into all of them for the report of a wait, as a run without --wait does: CouchDB is asked now, and once. Of one that cannot
    /// be read again the last look stays.
    async fn look_once_more(&mut self, app: &App) {
        let objects: Vec<Value> = self.tracks.iter().map(|t| t.object().clone()).collect();
        let asked = databases::answers(self.cluster, Some(self.following.couchdb), None, &objects);
        let named: &[Value] = match self.following.names.is_empty() {
            true => &[],
            false => &objects,
        };
        let applied = super::applied(self.cluster, named);
        let looked = look_into(
            self.cluster,
            &objects,
            &self.others,
            asked,
            applied,
            app.now,
        );
        for mut looked in looked.await.0 {
            looked.ignore(&mut self.ignores);
            let track = self
                .tracks
                .iter_mut()
                .find(|t| *t.object() == looked.object);
            if let Some(track) = track {
                track.replace(looked);
            }
        }
    }

    /// A change: a new report of a watch, a line of a wait.
    fn tell(&mut self, app: &mut App) -> Result<()> {
        if self.following.follow.watch {
            app.ui.end_live();
            if self.following.layout.format == FindingsFormat::Yaml {
                app.ui.result("---")?;
            }
            let report = self.report(app);
            let fails = self.following.gate.fails(report.totals.worst());
            let code = Code::of_findings(fails, true);
            self.print(app, &report, &[], code)?;
            if self.following.layout.format == FindingsFormat::Text {
                app.ui.result("")?;
            }
            app.ui.flush()?;
        } else if !app.ui.terminal().redraws() {
            for line in self.tracks.iter_mut().filter_map(Track::news) {
                app.ui.status(Shown::line(line));
            }
        }
        Ok(())
    }

    /// `waiting for 23s: 1 of 3 underway: zulu--orders: namespace "zulu" does not exist`.
    fn live(&self, app: &mut App) {
        let underway: Vec<&Track> = self.tracks.iter().filter(|t| t.is_underway()).collect();
        let shown = underway.first().copied().or(self.tracks.first());
        let Some(track) = shown else { return };
        let waited = age::duration(self.started.elapsed().as_secs().cast_signed());
        let many = match self.tracks.len() {
            1 => String::new(),
            all => format!("{} of {all} underway: ", underway.len()),
        };
        let verb = if self.following.follow.wait {
            "waiting"
        } else {
            "watching"
        };
        app.ui
            .live(shown!("{verb} for {waited}: {many}{}", track.brief()));
    }

    fn report(&self, app: &App) -> Report {
        let onboardings = self.tracks.iter().map(|t| t.onboarding().clone()).collect();
        let report = Report::new(onboardings, None, elsewhere(&self.others));
        let mut report = report.seen_at(self.cluster.origin(), Some(app.now));
        report.show(self.following.gate.severity);
        report
    }

    fn print(&self, app: &mut App, report: &Report, errors: &[Error], code: Code) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        self.following
            .layout
            .print(app, report, errors, code, seconds)
    }

    /// The report of a wait, and the exit code.
    fn end(self, app: &mut App, end: End) -> Result<Code> {
        let error = match end {
            End::Interrupted if self.following.follow.watch => {
                return Err(crate::interrupt::watch_ended());
            }
            End::Interrupted => return Ok(Code::Interrupted),
            End::Settled => None,
            End::TimedOut => {
                let underway = self.tracks.iter().filter(|t| t.is_underway());
                let states: Vec<String> = underway.map(Track::line).collect();
                let waited = age::duration(self.started.elapsed().as_secs().cast_signed());
                Some(Error::new(format!(
                    "timed out after {waited}, waiting for {}",
                    states.join("; ")
                )))
            }
        };
        let report = self.report(app);
        let stuck = self.tracks.iter().any(Track::is_stuck) && !self.following.gate.never_fails();
        let code = match &error {
            Some(_) => Code::Failed,
            None => Code::of_findings(
                stuck || self.following.gate.fails(report.totals.worst()),
                true,
            ),
        };
        let errors = error.as_slice();
        self.print(app, &report, errors, code)?;
        app.ui.flush()?;
        self.following.gate.tell_unused(app, &self.ignores);
        match error {
            Some(error) => Err(error),
            None => Ok(code),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
