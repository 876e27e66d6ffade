//! The trace of a run: who deletes, the Events on CouchDB's pod, and the record on this machine.
//!
//! What cannot be written is said before the question; the words are in [`crate::view::trace`].

mod record;

use super::targets::Ended;
use crate::app::App;
use crate::change::author;
use crate::cluster::Cluster;
use crate::couchdb::delete::outcome::Outcome;
use crate::couchdb::delete::plan::Plan;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::view::trace::{Author, Deletion, Stage};
use k8s_openapi::jiff::Timestamp;
use record::Record;
use std::path::PathBuf;

/// Heading of the flags that keep something of what is deleted.
pub(super) const KEEP: &str = "Backup and trace";

/// Flags about the trace.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = KEEP)]
pub(super) struct TraceArgs {
    /// Append who deleted what, and the outcome, to this file as JSON lines
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Refuse if no Event can be written on CouchDB's pod
    #[arg(long)]
    require_trace: bool,
}

/// The trace of a run.
pub(super) struct Trace {
    /// Asked for once.
    author: Option<Author>,
    record: Option<Record>,
    required: bool,
}

/// The trace of one deletion.
pub(super) struct Traced {
    deletion: Deletion,
    /// The API server takes its Events.
    events: bool,
}

impl Trace {
    /// Opens the record; a rehearsal has none.
    ///
    /// # Errors
    /// The record cannot be written.
    pub(super) fn open(args: &TraceArgs, rehearsal: bool) -> Result<Self> {
        let record = match &args.record {
            Some(path) if !rehearsal => Some(Record::open(path)?),
            _ => None,
        };
        Ok(Self {
            author: None,
            record,
            required: args.require_trace,
        })
    }

    async fn author(&mut self, app: &App, cluster: &Cluster) -> Author {
        if let Some(author) = &self.author {
            return author.clone();
        }
        let author = Author {
            user: author::user(app, cluster).await,
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            context: cluster.context().map(str::to_owned),
            server: cluster.server().to_owned(),
        };
        self.author = Some(author.clone());
        author
    }

    /// Before the question: whether the API server would take the Events.
    ///
    /// # Errors
    /// It would not, and they are required.
    pub(super) async fn rehearse(
        &mut self,
        app: &mut App,
        cluster: &Cluster,
        plan: &Plan,
    ) -> Result<Traced, Ended> {
        let author = self.author(app, cluster).await;
        let now = Timestamp::now();
        let id = format!("{:x}", now.as_nanosecond());
        let deletion = Deletion::new(&author, plan, id);
        let event = deletion.event(&Stage::Started, now);
        #[expect(
            clippy::disallowed_methods,
            reason = "whether the trace could be written"
        )]
        let events = match cluster.make_event(deletion.namespace(), &event, true).await {
            Ok(()) => true,
            Err(error) => {
                let why = format!(
                    "no Event about the deletion can be written: {}",
                    error.clause()
                );
                if self.required {
                    let error = Error::new(format!("refused: {why}")).with_code(Code::Refused);
                    return Err(Ended::alone(error));
                }
                app.ui.warning(&why);
                false
            }
        };
        Ok(Traced { deletion, events })
    }

    /// Before the DELETE. The record is on the disk when this is done.
    ///
    /// # Errors
    /// It cannot be recorded, or not traced though that is required: then nothing may be sent.
    pub(super) async fn started(
        &mut self,
        app: &mut App,
        cluster: &Cluster,
        traced: &Traced,
    ) -> Result<(), Ended> {
        let now = Timestamp::now();
        let stage = Stage::Started;
        if let Some(record) = &mut self.record {
            let written = record.write(&traced.deletion.record(&stage, now));
            written.map_err(|error| {
                Error::new(format!("refused: {}; nothing was deleted", error.message()))
                    .with_code(Code::Refused)
            })?;
        }
        if let Err(why) = traced.event(cluster, &stage, now).await {
            if self.required {
                let error = Error::new(format!("refused: {why}")).with_code(Code::Refused);
                return Err(error.into());
            }
            app.ui.warning(&why);
        }
        Ok(())
    }

    /// After the act. What cannot be written any more is told: the deletion is what it is.
    pub(super) async fn ended(
        &mut self,
        app: &mut App,
        cluster: &Cluster,
        traced: &Traced,
        outcome: &Outcome,
    ) {
        let now = Timestamp::now();
        let stage = Stage::Ended(outcome.into());
        if let Some(record) = &mut self.record
            && let Err(error) = record.write(&traced.deletion.record(&stage, now))
        {
            app.ui.warning(error.message());
        }
        if let Err(why) = traced.event(cluster, &stage, now).await {
            app.ui.warning(&why);
        }
    }
}

impl Traced {
    /// Writes the Event of a stage, where one can be written.
    async fn event(&self, cluster: &Cluster, stage: &Stage, now: Timestamp) -> Result<(), String> {
        if !self.events {
            return Ok(());
        }
        let event = self.deletion.event(stage, now);
        let namespace = self.deletion.namespace();
        #[expect(clippy::disallowed_methods, reason = "the trace of a deletion")]
        let made = cluster.make_event(namespace, &event, false).await;
        made.map_err(|e| {
            format!(
                "the Event about the deletion was not written: {}",
                e.clause()
            )
        })
    }
}
