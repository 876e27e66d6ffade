//! How far a backup or a restore is: a bar on a terminal, elsewhere a line now and then.
//!
//! Shows only. [`Ui::live`](crate::ui::Ui::live) owns the terminal, so no second writer moves its cursor.

use crate::couchdb::backup::pull::Progress;
use crate::render::progress::state;
use crate::text::{Shown, count, one_line};
use crate::ui::Ui;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Between two bars, and between two lines without a terminal.
const BAR: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(5);

/// Shows progress.
pub(crate) struct Meter<'a> {
    ui: &'a mut Ui,
    name: String,
    started: Instant,
    shown: Instant,
    every: Duration,
    /// Rows that an earlier run has read.
    earlier: u64,
}

impl<'a> Meter<'a> {
    /// Of a database, or of a file.
    pub(crate) fn new(ui: &'a mut Ui, name: impl Display) -> Self {
        let now = Instant::now();
        let every = if ui.terminal().redraws() { BAR } else { LINE };
        Self {
            ui,
            name: name.to_string(),
            started: now,
            shown: now,
            every,
            earlier: 0,
        }
    }

    /// Shows it, if it is time.
    pub(crate) fn show(&mut self, progress: Progress) {
        let live = self.ui.terminal().redraws();
        match progress {
            Progress::Reading { .. }
            | Progress::Checking { .. }
            | Progress::Comparing
            | Progress::Writing { .. } => {
                if self.shown.elapsed() < self.every {
                    return;
                }
                self.shown = Instant::now();
                let columns = self.ui.terminal().err_width;
                let state = state(&progress, self.earlier, self.started.elapsed());
                let line = state.fitted(&self.name, columns.unwrap_or(80).saturating_sub(1));
                if live {
                    self.ui.live(Shown::line(line));
                } else {
                    self.ui.status(Shown::line(line));
                }
            }
            Progress::Waiting { why, seconds } => {
                let why = one_line(&why);
                let line = format!("{}: {why}; tried again in {seconds}s", self.name);
                self.ui.status(Shown::line(line));
            }
            Progress::Resumed { rows } => {
                self.earlier = rows;
                let line = format!(
                    "{}: continuing after the {} already in the file",
                    self.name,
                    count(rows, "document")
                );
                self.ui.status(Shown::line(line));
            }
        }
    }
}
