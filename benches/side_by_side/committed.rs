//! The ratios of the table in docs/speed.md, which a run is held against.

use std::collections::BTreeMap;

/// By how much a ratio may be worse.
const TOLERANCE: f64 = 1.2;
/// Half of the last digit that the table shows: a ratio of 0.14 may have been 0.145.
const ROUNDED: f64 = 0.005;

/// Each row's ratios, by its title.
pub(crate) struct Committed(BTreeMap<String, Vec<f64>>);

impl Committed {
    pub(crate) fn of_the_docs() -> Self {
        Self::read(include_str!("../../docs/speed.md"))
    }

    fn read(text: &str) -> Self {
        let rows = text.lines().filter(|l| l.contains("×**"));
        let rows = rows.filter_map(|line| {
            let title = line.split('|').nth(1)?.trim().to_owned();
            let ratios = line
                .split("**")
                .filter_map(|p| p.strip_suffix('×')?.parse().ok());
            Some((title, ratios.collect()))
        });
        Self(rows.collect())
    }

    /// What is worse than in the table; `None` also for a row that is not in it.
    pub(crate) fn worse(&self, title: &str, now: [f64; 3]) -> Option<String> {
        let before = self.0.get(title)?;
        let worse: Vec<String> = ["wall", "first row", "peak memory"]
            .iter()
            .zip(now.iter().zip(before))
            .filter(|(_, (now, before))| **now > (**before + ROUNDED) * TOLERANCE)
            .map(|(what, (now, before))| format!("{what} {now:.2}× instead of {before:.2}×"))
            .collect();
        (!worse.is_empty()).then(|| format!("{title}: {}", worse.join(", ")))
    }
}
