//! The exit codes: one documented meaning each, the same in every output format.
//!
//! Owns the numbers, and decides which one a run that looks for faults ends with. The table in docs/exit-codes.md is checked against
//! [`Code::ALL`].

/// How a run ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done as asked.
    Ok = 0,
    /// Failed: also "not found" and "already gone".
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// `troubleshoot` or `lint` found at least one error (or what `--fail-on` names), `status` or `doctor` did, a retry failed again,
    /// `check-access` says no, or `offboard` has steps left.
    Findings = 3,
    /// A deletion, a resumption or a retry was refused, by CouchDB too, or not confirmed. Nothing was changed.
    Refused = 4,
    /// The DELETE was or may have been sent and what became of it is not known.
    Unknown = 5,
    /// The DELETE was done by some members only; the others still hold the data.
    Incomplete = 6,
    /// Interrupted while nothing was being changed.
    Interrupted = 130,
}

impl Code {
    /// Every code, in the order of their numbers.
    pub const ALL: [Code; 8] = [
        Code::Ok,
        Code::Failed,
        Code::Usage,
        Code::Findings,
        Code::Refused,
        Code::Unknown,
        Code::Incomplete,
        Code::Interrupted,
    ];

    /// The code of a run that looks for faults: a fault wins, and finding none in an incomplete read is not success.
    pub fn of_findings(found: bool, all_read: bool) -> Self {
        match (found, all_read) {
            (true, _) => Code::Findings,
            (false, true) => Code::Ok,
            (false, false) => Code::Failed,
        }
    }

    /// The worse of two codes of a run over several clusters. As in [`Code::of_findings`], a finding is worse than a failure.
    pub(crate) fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Code::Failed, Code::Findings) | (Code::Findings, Code::Failed) => Code::Findings,
            _ if other.number() > self.number() => other,
            _ => self,
        }
    }

    /// The number handed to the shell.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// One line for documentation.
    pub fn meaning(self) -> &'static str {
        match self {
            Code::Ok => "done as asked",
            Code::Failed => "failed; not found and already gone count as failed too",
            Code::Usage => "the command line cannot be understood",
            Code::Findings => {
                "troubleshoot, status, doctor, lint or retry --wait found at least one error, or what --fail-on names; check-access says no; offboard has steps left"
            }
            Code::Refused => {
                "refused or not confirmed: nothing was deleted, written, resumed or retried"
            }
            Code::Unknown => {
                "the deletion was or may have been sent and its outcome is not known (also Ctrl-C after it was sent)"
            }
            Code::Incomplete => "the deletion is incomplete: a member still holds the data",
            Code::Interrupted => "interrupted while nothing was being changed",
        }
    }
}

impl From<Code> for std::process::ExitCode {
    fn from(code: Code) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn of_several_clusters_a_fault_wins_over_a_failure_and_that_over_success() {
        use Code::{Failed, Findings, Interrupted, Ok};
        for (one, other, worse) in [
            (Ok, Ok, Ok),
            (Ok, Failed, Failed),
            (Failed, Findings, Findings),
            (Ok, Findings, Findings),
            (Findings, Interrupted, Interrupted),
        ] {
            assert_eq!((one.worse(other), other.worse(one)), (worse, worse));
        }
    }

    /// The table in docs/exit-codes.md.
    fn table() -> String {
        let rows: Vec<String> = Code::ALL
            .iter()
            .map(|c| format!("| {} | {} |\n", c.number(), c.meaning()))
            .collect();
        format!("| code | meaning |\n|---|---|\n{}", rows.concat())
    }

    #[test]
    fn nothing_found_is_fine_only_where_all_was_read() {
        assert_eq!(Code::of_findings(false, true), Code::Ok);
        assert_eq!(Code::of_findings(false, false), Code::Failed);
        assert_eq!(Code::of_findings(true, true), Code::Findings);
        assert_eq!(Code::of_findings(true, false), Code::Findings);
    }

    #[test]
    fn the_docs_list_every_code() {
        let page = include_str!("../docs/exit-codes.md");
        assert!(
            page.contains(&table()),
            "docs/exit-codes.md must hold:\n{}",
            table()
        );
    }
}
