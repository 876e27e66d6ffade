//! `databases`: every database of the shared CouchDB, and whose it is.
//!
//! Owns the flags and the order of the steps. What is read is in `look.rs`, the words beside the table are in [`messages`].

mod clusters;
mod look;
mod messages;
mod print;
mod watch;

use crate::app::App;
use crate::cluster::Cluster;
use crate::completion::cache;
use crate::error::{Error, Result};
use crate::exit::Code;
use crate::flags::contexts::ContextsArgs;
use crate::flags::couchdb_pods::PodArgs;
use crate::flags::saved::SavedArgs;
use crate::help;
use crate::model::inventory::State;
use crate::render::objects::Form;
use crate::render::output::Output;
use crate::render::sort::SortBy;
use crate::text::shown;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use look::{Seen, look};
use std::collections::BTreeSet;

/// Why nothing is known of a database but its claims.
const NOT_SAVED: &str = "CouchDB is not asked with -f";

/// List the databases of the shared CouchDB and whose they are
///
/// Databases that need attention come first. STATE is one of: orphan (claimed by nobody: its onboarding is gone); shared (claimed by
/// several); missing (claimed, but not in CouchDB); unserved (in CouchDB, which fails to answer for it: -o wide shows why); unknown (no
/// claim was seen, but not everything could be read; or its existence could not be read); mentioned (not claimed, but an object may
/// claim it: -o wide names it); foreign (not claimed, and not named <namespace>_<database>, so no command here deletes it); in-use;
/// system (CouchDB's own).
///
/// UPDATED (-o wide) is when Helm last deployed the onboarding, or tried to: CouchDB keeps no time of the last write. With -f only claims
/// are shown: CouchDB is not asked. The names are cached for completion, for ten minutes, in $XDG_CACHE_HOME/kubectl-skvs (default
/// ~/.cache/kubectl-skvs).
#[derive(clap::Args, Debug)]
#[command(
    mut_group("several", |several| several.conflicts_with_all(["filename", "watch"])),
    after_help = "Examples:
  kubectl skvs databases
  kubectl skvs databases --orphans
  kubectl skvs databases pds_database -o wide
  kubectl skvs databases --state orphan,missing,shared
  kubectl skvs databases -w
  kubectl skvs databases --orphans --all-contexts
  kubectl skvs databases --state missing -o name
  kubectl skvs databases -o jsonpath='{.items[*].metadata.name}'

-n and --onboarding-selector are not used: as for delete-db, everything that can claim a database is read in all namespaces.
Exit codes: 0 listed; 1 failed, not there, unserved, or not everything could be read"
)]
pub struct Args {
    /// Names of databases, such as pds_database; without names, all
    #[arg(value_name = "DATABASE", value_parser = database)]
    databases: Vec<String>,
    /// Only orphans: databases that nobody claims
    #[arg(long, help_heading = help::SELECTION)]
    orphans: bool,
    /// Only databases in these states, separated by commas
    #[arg(long = "state", value_name = "STATE", value_delimiter = ',', conflicts_with = "orphans", value_parser = state(), help_heading = help::SELECTION)]
    states: Vec<State>,
    /// After the list, continue with the changes: everything is read again every 10 seconds, or less often if that takes long
    #[arg(short = 'w', long, conflicts_with = "filename", help_heading = help::OUTPUT)]
    watch: bool,
    /// Sort by this JSONPath, such as .bytes or .metadata.creationTimestamp
    #[arg(long, value_name = "JSONPATH", help_heading = help::OUTPUT)]
    sort_by: Option<String>,
    /// Leave the header line out
    #[arg(long, alias = "no-header", help_heading = help::OUTPUT)]
    no_headers: bool,
    /// Format: table, wide, json, yaml, name (the bare names), jsonpath=TEMPLATE or custom-columns=SPEC
    #[arg(
        short = 'o',
        long,
        value_name = "FORMAT",
        default_value = "table",
        hide_default_value = true,
        help_heading = help::OUTPUT
    )]
    output: String,
    /// As without it: all namespaces are read anyway.
    #[arg(short = 'A', long, hide = true)]
    all_namespaces: bool,
    #[command(flatten)]
    contexts: ContextsArgs,
    #[command(flatten)]
    pods: PodArgs,
    #[command(flatten)]
    saved: SavedArgs,
}

impl Args {
    /// Which states are shown, where not all are.
    fn states(&self) -> Option<BTreeSet<State>> {
        match self.orphans {
            true => Some([State::Orphan].into()),
            false => Some(self.states.iter().copied().collect())
                .filter(|all: &BTreeSet<_>| !all.is_empty()),
        }
    }
}

/// Reads a state by its word.
fn state() -> impl TypedValueParser<Value = State> {
    PossibleValuesParser::new(State::ALL.map(State::word))
        .map(|word| State::parse(&word).expect("clap takes no other word"))
}

/// Reads a name. An empty one, as of a variable that is set to nothing, names none.
fn database(text: &str) -> std::result::Result<String, &'static str> {
    match text.trim() {
        "" => Err("a name must not be empty"),
        name => Ok(name.to_owned()),
    }
}

/// Runs `databases`.
///
/// # Errors
/// A wrong flag, what the cluster or CouchDB said, or that not everything that can claim could be read.
pub async fn run(app: &mut App, args: Args) -> Result<Code> {
    let output = Output::parse(&args.output).map_err(|e| Error::usage(e.to_string()))?;
    let sort = match &args.sort_by {
        Some(path) => Some(SortBy::parse(path).map_err(|e| Error::usage(e.to_string()))?),
        None => None,
    };
    if let Some(fleet) = args.contexts.fleet(app)? {
        return clusters::run(app, &args, &fleet, &output, sort.as_ref()).await;
    }
    let cluster = args.saved.open(app).await?;
    if args.watch {
        return watch::run(app, &args, &cluster, &output).await;
    }
    if cluster.archive().is_some() {
        can_be_saved(&args)?;
    }
    let interrupt = crate::interrupt::any();
    tokio::pin!(interrupt);
    let seen = tokio::select! {
        biased;
        seen = look(&cluster, &args, &output) => seen?,
        () = &mut interrupt => {
            return Err(Error::new("interrupted").with_code(Code::Interrupted));
        }
    };
    let (items, form) = (
        print::items(None, &seen),
        Form::single(args.databases.len() == 1),
    );
    print::print(app, &args, &output, sort.as_ref(), &items, form)?;
    app.ui.flush()?;
    remember(&seen, app, &args, &cluster);
    messages::tell(app, &args, &output, &seen)
}

/// Saved files say who claims a database, and of none whether it is there.
fn can_be_saved(args: &Args) -> Result<()> {
    let known = [State::Shared, State::Unknown];
    let asked = args.states().unwrap_or_default();
    match asked.iter().find(|state| !known.contains(state)) {
        None => Ok(()),
        Some(state) => Err(Error::usage(format!(
            "{NOT_SAVED}: a database is shared or unknown then, never {}",
            state.word()
        ))),
    }
}

/// Caches the names for completion. A cache that cannot be written changes nothing.
fn remember(seen: &Seen, app: &App, args: &Args, cluster: &Cluster) {
    if seen.target.is_none() {
        return;
    }
    let doubtful: BTreeSet<&str> = seen.doubts.iter().map(|d| d.name.as_str()).collect();
    let is_orphan = |(name, state): &&(String, State)| {
        *state == State::Orphan && !doubtful.contains(name.as_str())
    };
    let (orphans, others): (Vec<_>, Vec<_>) = seen.there.iter().partition(is_orphan);
    let names = |all: Vec<&(String, State)>| all.into_iter().map(|(n, _)| n.clone()).collect();
    let databases = cache::Databases {
        orphans: names(orphans),
        others: names(others),
    };
    let written = cache::write(cluster.server(), &args.pods, databases);
    if let Err(error) = written
        && app.global.connection.verbosity >= 6
    {
        crate::ui::log(shown!("names not cached for completion: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_none() {
        assert!(database(" ").is_err() && database("a_b").is_ok());
    }
}
