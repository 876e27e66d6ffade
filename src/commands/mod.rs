//! The commands, one file each: its flags (whose doc comments are the help) and `run`.
//!
//! A new command is one file here, one variant and one arm below.

pub mod access;
pub mod backup;
pub mod capture;
pub mod check_access;
pub mod completion;
pub mod config;
pub mod databases;
pub mod delete_db;
pub mod demo;
pub mod describe;
pub mod doctor;
pub mod explain;
pub mod lint;
pub mod list;
pub mod notes;
pub mod offboard;
pub mod onboard;
pub mod options;
pub mod restore;
pub mod resume;
pub mod retry;
pub mod status;
pub mod suspend;
pub mod troubleshoot;
pub mod version;

use crate::app::App;
use crate::error::Result;
use crate::exit::Code;

/// Every command.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    #[command(visible_alias = "ls", alias = "get")]
    List(list::Args),
    Completion(completion::Args),
    Version(version::Args),
    Status(Box<status::Args>),
    Describe(describe::Args),
    Notes(notes::Args),
    Troubleshoot(troubleshoot::Args),
    Explain(explain::Args),
    Onboard(Box<onboard::Args>),
    Lint(lint::Args),
    Access(access::Args),
    CheckAccess(check_access::Args),
    Retry(Box<retry::Args>),
    Suspend(suspend::Args),
    Resume(resume::Args),
    Capture(capture::Args),
    Databases(databases::Args),
    Offboard(Box<offboard::Args>),
    DeleteDb(Box<delete_db::Args>),
    Backup(backup::Args),
    Restore(restore::Args),
    Demo(demo::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Options(options::Args),
}

impl Command {
    /// Whether it cannot run with settings that cannot be read.
    pub(crate) fn uses_settings(&self) -> bool {
        match self {
            // They look for no onboarding and no database.
            Self::Completion(_)
            | Self::Version(_)
            | Self::Explain(_)
            | Self::Demo(_)
            | Self::Options(_) => false,
            // It says what is wrong with them.
            Self::Doctor(_) => false,
            Self::DeleteDb(_)
            | Self::Restore(_)
            | Self::List(_)
            | Self::Status(_)
            | Self::Describe(_)
            | Self::Notes(_)
            | Self::Troubleshoot(_)
            | Self::Onboard(_)
            | Self::Lint(_)
            | Self::Access(_)
            | Self::CheckAccess(_)
            | Self::Retry(_)
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::Capture(_)
            | Self::Databases(_)
            | Self::Backup(_)
            | Self::Offboard(_)
            | Self::Config(_) => true,
        }
    }
}

/// Runs one command.
///
/// # Errors
/// What ended it, ready for the user.
pub async fn run(app: &mut App, command: Command) -> Result<Code> {
    match command {
        Command::List(args) => list::run(app, args).await,
        Command::Completion(args) => completion::run(app, &args),
        Command::Version(args) => version::run(app, &args).await,
        Command::Status(args) => status::run(app, *args).await,
        Command::Describe(args) => describe::run(app, args).await,
        Command::Notes(args) => notes::run(app, args).await,
        Command::Troubleshoot(args) => troubleshoot::run(app, args).await,
        Command::Explain(args) => explain::run(app, &args),
        Command::Onboard(args) => onboard::run(app, *args).await,
        Command::Lint(args) => lint::run(app, &args).await,
        Command::Access(args) => access::run(app, &args),
        Command::CheckAccess(args) => check_access::run(app, args).await,
        Command::Retry(args) => retry::run(app, *args).await,
        Command::Suspend(args) => suspend::run(app, args).await,
        Command::Resume(args) => resume::run(app, args).await,
        Command::Capture(args) => capture::run(app, args).await,
        Command::Databases(args) => databases::run(app, args).await,
        Command::Offboard(args) => offboard::run(app, *args).await,
        Command::DeleteDb(args) => delete_db::run(app, *args).await,
        Command::Backup(args) => backup::run(app, args).await,
        Command::Restore(args) => restore::run(app, args).await,
        Command::Doctor(args) => doctor::run(app, args).await,
        Command::Config(args) => config::run(app, &args),
        Command::Demo(_) => demo::run(app).await,
        Command::Options(_) => options::run(app),
    }
}
