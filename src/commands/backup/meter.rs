//! How far a backup or a restore is: a bar on a terminal, elsewhere a line now and then.
//!
//! Shows only. [`Ui::live`](crate::ui::Ui::live) owns the terminal, so no second writer moves its cursor.

use crate::couchdb::backup::pull::Progress;
use crate::text::{Shown, bytes, one_line};
use crate::ui::Ui;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Between two bars, and between two lines where there is no terminal.
const BAR: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(5);
/// Cells of the bar.
const CELLS: u64 = 20;

/// Shows progress.
pub(in crate::commands) struct Meter<'a> {
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
    pub(in crate::commands) fn new(ui: &'a mut Ui, name: impl Display) -> Self {
        let now = Instant::now();
        let every = if ui.terminal().stderr { BAR } else { LINE };
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
    pub(in crate::commands) fn show(&mut self, progress: Progress) {
        let live = self.ui.terminal().stderr;
        match progress {
            Progress::Reading { .. }
            | Progress::Checking { .. }
            | Progress::Comparing
            | Progress::Writing { .. } => {
                if self.shown.elapsed() < self.every {
                    return;
                }
                self.shown = Instant::now();
                let line = line(&self.name, &progress, self.earlier, self.started.elapsed());
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
                    "{}: continuing after the {rows} documents already in the file",
                    self.name
                );
                self.ui.status(Shown::line(line));
            }
        }
    }
}

fn line(name: &str, progress: &Progress, earlier: u64, since: Duration) -> String {
    let (rows, of, read) = match progress {
        Progress::Reading { rows, of, bytes } | Progress::Writing { rows, of, bytes } => {
            (*rows, *of, *bytes)
        }
        Progress::Checking { read, of } => {
            let percent = read.saturating_mul(100) / of.max(&1);
            return format!("{name}: checking the file, {percent}% of {}", bytes(*of));
        }
        _ => return format!("{name}: comparing the database with the file"),
    };
    let all = of.max(rows).max(1);
    let full = rows * CELLS / all;
    let bar: String = (0..CELLS)
        .map(|c| if c < full { '#' } else { '-' })
        .collect();
    let mut line = format!(
        "{name} [{bar}] {}%  {rows} of {all} documents, {}",
        rows * 100 / all,
        bytes(read)
    );
    let done = rows.saturating_sub(earlier);
    if done > 0 && since.as_secs() > 2 {
        let left = since.as_secs() * (all - rows) / done;
        line.push_str(&match left {
            0..60 => format!(", {left}s left"),
            _ => format!(", {}m left", left / 60),
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_of_how_much_and_how_long() {
        let at = |rows, of, secs| {
            let progress = Progress::Reading {
                rows,
                of,
                bytes: 5_000_000,
            };
            line("a_b", &progress, 0, Duration::from_secs(secs))
        };
        insta::assert_snapshot!(at(250, 1000, 60), @"a_b [#####---------------] 25%  250 of 1000 documents, 5.0 MB, 3m left");
        insta::assert_snapshot!(at(250, 1000, 1), @"a_b [#####---------------] 25%  250 of 1000 documents, 5.0 MB");
        // More than were counted at the beginning, and nothing at all.
        assert!(at(12, 10, 9).contains("100%  12 of 12 documents"));
        assert!(at(0, 0, 9).contains("] 0%  0 of 1 documents"));
        assert_eq!(
            line(
                "a_b",
                &Progress::Checking {
                    read: 1_500_000,
                    of: 2_000_000
                },
                0,
                Duration::ZERO
            ),
            "a_b: checking the file, 75% of 2.0 MB"
        );
    }
}
