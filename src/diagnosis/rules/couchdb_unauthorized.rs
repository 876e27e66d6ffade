//! SKVS305: CouchDB refuses the creation Job's credentials.

use crate::diagnosis::case::Case;
use crate::diagnosis::contradiction::Fact;
use crate::diagnosis::job::{Death, Job, Outcome};
use crate::diagnosis::object_commands;
use crate::diagnosis::retries::{Fixes, then};
use crate::diagnosis::rule::{Role, Rule, Severity, Verdict};
use crate::model::creation_log::{explained, has_broken_name};

pub(in crate::diagnosis) const RULE: Rule = Rule {
    code: "SKVS305",
    slug: "couchdb-unauthorized",
    severity: Severity::Error,
    role: Role::Cause,
    title: "CouchDB refuses the creation Job's credentials",
    explanation: r#"The Job takes the admin's name and password from a Secret (`values.couchdb.credentials`), and CouchDB answers 401 or 403. The
Secret is out of date or has the wrong keys. Do not try passwords: CouchDB since 3.4 locks an account after several wrong
ones (403, "Account is temporarily locked")."#,
    fix: r#"See it: the log of the Job's pod ends with `returned error: 401`.

Compare the Job's Secret with the Secret of the CouchDB release in `secure-kvs`, without printing them. Correct the Job's
Secret, then let Flux try again."#,
    example: r#"curl: (22) The requested URL returned error: 401"#,
    explains: &["SKVS108", "SKVS110", "SKVS303"],
    contradicted_by: &[Fact::JobComplete, Fact::Installed],
    check,
};

fn check(case: &Case<'_>) -> Verdict {
    let Some(Outcome::Refused(death)) = case.outcome_by_log()? else {
        return Ok(None);
    };
    let is_broken = has_broken_name(&death.said());
    let refused = case.job_as_far_as_read().before_lock();
    Job::died(case, death, "CouchDB refuses the credentials of the creation Job")
        .seen(refused.map(Death::evidence))
        .whys(refused.map(|_| {
            "It answered 401 first and 403 later: it has locked the account after failed logins, for five minutes. Correct the password first, then wait until the lock ends."
        }))
        .why("The Job reads the admin's name and password from a Secret; CouchDB answered and does not accept them.")
        .whys(explained(&death.said()))
        .whys(is_broken.then_some("The user's name in the log ends with a line break, which CouchDB takes as part of it. The output of echo ends with one, so a Secret made from it may have one in the password too."))
        .step("See which Secret and keys the Job uses (this prints names, not passwords):")
        .command(object_commands::describe(&death.pod))
        .steps(is_broken.then(|| "Write the Secret's values again without a line break at the end, for instance with --from-literal, or with printf in place of echo. On a terminal both look the same.".to_owned()))
        .step("Correct it from the Secret of the CouchDB release. Do not try passwords: several wrong ones lock the account.")
        .then(then(case, Fixes::Elsewhere))
        .into()
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::{Case, fixture};

    #[test]
    fn a_value_that_ends_with_a_line_break_is_said_to() {
        let name = "couchdb-unauthorized";
        let of = |line: &str| {
            let mut snapshot = fixture::snapshot(name);
            let pods = snapshot.creation_job.seen_mut().unwrap().pods.seen_mut();
            for (_, log) in pods
                .unwrap()
                .known_mut()
                .iter_mut()
                .flat_map(|pod| &mut pod.logs)
            {
                let text = log.seen_mut().unwrap();
                *text = format!("{line}\n{text}");
            }
            let found = super::check(&Case::new(&snapshot, fixture::meta(name).now));
            fixture::reasoned(found.unwrap().unwrap())
        };
        let broken = of("PUT http://db:5984/a as user 'admin\n'");
        assert!(broken.contains("ends with a line break"), "{broken}");
        assert!(broken.contains("printf in place of echo"), "{broken}");
        let whole = of("PUT http://db:5984/a as user 'admin'\n'a'");
        assert!(!whole.contains("line break"), "{whole}");
    }

    #[test]
    fn it_is_found() {
        assert_eq!(
            fixture::sentence("couchdb-unauthorized", "SKVS305"),
            "CouchDB refuses the credentials of the creation Job"
        );
    }
}
