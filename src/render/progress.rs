//! How far a backup or a restore is, in one line: a bar, and the words.

use crate::couchdb::backup::pull::Progress;
use crate::text::{bytes, count, thousands};
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Cells of the bar.
const CELLS: u64 = 10;

/// What is being done, and how far it is.
pub struct State {
    /// `[##--------] `, if the number of documents is known.
    bar: String,
    words: String,
}

impl State {
    fn words(words: String) -> Self {
        let bar = String::new();
        Self { bar, words }
    }

    /// In so many columns: a narrow terminal loses the bar first, then the name.
    pub fn fitted(&self, name: &str, columns: usize) -> String {
        let Self { bar, words } = self;
        let colon = if bar.is_empty() { ":" } else { "" };
        let forms = [
            format!("{name}{colon} {bar}{words}"),
            format!("{name}: {words}"),
        ];
        let fitting = forms.into_iter().find(|line| line.width() <= columns);
        fitting.unwrap_or_else(|| words.clone())
    }
}

/// How far it is. `earlier`: rows that an earlier run has read.
pub fn state(progress: &Progress, earlier: u64, since: Duration) -> State {
    let (rows, of, read) = match progress {
        Progress::Reading { rows, of, bytes } | Progress::Writing { rows, of, bytes } => {
            (*rows, *of, *bytes)
        }
        Progress::Checking { read, of } => {
            let percent = read.saturating_mul(100) / of.max(&1);
            return State::words(format!("checking the file, {percent}% of {}", bytes(*of)));
        }
        _ => return State::words("comparing the database with the file".to_owned()),
    };
    let all = of.max(rows).max(1);
    let full = rows * CELLS / all;
    let bar: String = (0..CELLS)
        .map(|c| if c < full { '#' } else { '-' })
        .collect();
    let mut words = format!(
        "{}%  {} of {}, {}",
        rows * 100 / all,
        thousands(rows),
        count(all, "document"),
        bytes(read)
    );
    let done = rows.saturating_sub(earlier);
    if done > 0 && since.as_secs() > 2 {
        let left = since.as_secs() * (all - rows) / done;
        words.push_str(&match left {
            0..60 => format!(", {left}s left"),
            _ => format!(", {}m left", left / 60),
        });
    }
    let bar = format!("[{bar}] ");
    State { bar, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(rows: u64, of: u64) -> Progress {
        let bytes = 5_000_000;
        Progress::Reading { rows, of, bytes }
    }

    #[test]
    fn a_line_says_how_much_of_how_much_and_how_long() {
        let at = |rows, of, secs| {
            let state = state(&reading(rows, of), 0, Duration::from_secs(secs));
            state.fitted("a_b", 79)
        };
        insta::assert_snapshot!(at(1250, 5000, 60), @"a_b [##--------] 25%  1,250 of 5,000 documents, 5.0 MB, 3m left");
        insta::assert_snapshot!(at(250, 1000, 1), @"a_b [##--------] 25%  250 of 1,000 documents, 5.0 MB");
        // More than were counted at the beginning, and nothing at all.
        assert!(at(12, 10, 9).contains("100%  12 of 12 documents"));
        assert!(at(0, 0, 9).contains("] 0%  0 of 1 document,"));
        let checking = Progress::Checking {
            read: 1_500_000,
            of: 2_000_000,
        };
        assert_eq!(
            state(&checking, 0, Duration::ZERO).fitted("a_b", 79),
            "a_b: checking the file, 75% of 2.0 MB"
        );
    }

    #[test]
    fn a_narrow_line_loses_the_bar_then_the_name() {
        let state = state(&reading(40_000, 1_204_311), 0, Duration::from_secs(18));
        let of = |name, columns| state.fitted(name, columns);
        insta::assert_snapshot!(of("pds_database", 79), @"pds_database [----------] 3%  40,000 of 1,204,311 documents, 5.0 MB, 8m left");
        insta::assert_snapshot!(of("pds_database", 68), @"pds_database: 3%  40,000 of 1,204,311 documents, 5.0 MB, 8m left");
        insta::assert_snapshot!(of("pds_database", 50), @"3%  40,000 of 1,204,311 documents, 5.0 MB, 8m left");
        for columns in [50, 60, 79] {
            assert!(of("pds_database_of_a_longer_name", columns).len() <= columns);
        }
    }
}
