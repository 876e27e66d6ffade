//! The user's rights, command by command: what docs/rbac says that each needs, and the API server's answer to each of them.

use crate::advice::{Command, Hint};
use crate::cluster::{Cluster, Held};
use crate::model::right::{self, Right};
use crate::model::role::{MANIFESTS, Manifest, Need, Places};
use crate::text::{few, one_line};
use crate::view::doctor::{Area, Check, Next, State};
use std::collections::{BTreeMap, BTreeSet};

/// Rights that a message names at most.
const NAMED: usize = 3;

/// One check per command, and how all rights that are missing are granted.
pub(super) async fn checks(cluster: &Cluster, places: &Places) -> (Vec<Check>, Option<Next>) {
    let needs: Vec<(&Manifest, Vec<Need>)> = MANIFESTS
        .iter()
        .map(|manifest| (manifest, manifest.needs(places)))
        .collect();
    let all: BTreeSet<Right> = needs
        .iter()
        .flat_map(|(_, needs)| needs)
        .map(|need| need.right.clone())
        .collect();
    let held = cluster.own_rights(&all).await;
    let origin = cluster.origin();
    let checks: Vec<Check> = needs
        .iter()
        .map(
            |(manifest, needs)| match of_command(manifest.command, needs, &held) {
                check if check.state == State::Ok => check,
                check => check.next(role(&[manifest.command], places), origin),
            },
        )
        .collect();
    let lacking = checks.iter().filter(|check| check.state == State::Failed);
    let lacking: Vec<&str> = lacking.map(|check| check.subject.as_str()).collect();
    let grant = (!lacking.is_empty()).then(|| Next {
        hint: role(&lacking, places),
        origin: origin.clone(),
    });
    (checks, grant)
}

/// How the rights of these commands are granted.
fn role(commands: &[&str], places: &Places) -> Hint {
    let usual = Places::default();
    let mut command = Command::skvs(["doctor", "--role", &commands.join(",")]);
    for (flag, own, usual) in [
        ("-n", &places.onboardings, &usual.onboardings),
        ("--couchdb-namespace", &places.couchdb, &usual.couchdb),
    ] {
        if own != usual {
            command = command.args([flag, own]);
        }
    }
    if places.targets != usual.targets {
        command = command.args(["--target-namespace", &places.targets.join(",")]);
    }
    command.after("for an administrator to apply:")
}

fn of_command(command: &str, needs: &[Need], held: &BTreeMap<Right, Held>) -> Check {
    let (mut missing, mut optional, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for need in needs {
        match held.get(&need.right) {
            Some(Held::Allowed) => {}
            Some(Held::Denied) if need.optional => optional.push(&need.right),
            Some(Held::Denied) => missing.push(&need.right),
            Some(Held::Unknown(why)) => unknown.push((&need.right, why.clause())),
            None => unknown.push((&need.right, "not asked".to_owned())),
        }
    }
    let state = match (missing.as_slice(), unknown.as_slice(), optional.as_slice()) {
        ([], [], []) => State::Ok,
        ([], [], _) => State::Warning,
        ([], ..) => State::NotKnown,
        _ => State::Failed,
    };
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("missing: {}", named(&missing)));
    }
    if !unknown.is_empty() {
        let rights: Vec<&Right> = unknown.iter().map(|(right, _)| *right).collect();
        parts.push(format!("not known: {} ({})", named(&rights), unknown[0].1));
    }
    if !optional.is_empty() {
        parts.push(format!("optional, missing: {}", named(&optional)));
    }
    if parts.is_empty() {
        parts.push("all that it needs".to_owned());
    }
    let mut check = Check::new(Area::Rights, command, state, parts.join("; "));
    let texts = |rights: &[&Right]| rights.iter().map(ToString::to_string).collect();
    check.missing = texts(&missing);
    check.missing_optional = texts(&optional);
    let unknown = unknown.iter().map(|(right, why)| format!("{right}: {why}"));
    check.unknown = unknown.map(|text| one_line(&text)).collect();
    check
}

/// The first ones, and how many there are beyond.
fn named(rights: &[&Right]) -> String {
    few(&right::words(rights), ", ", NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Why;

    /// The check of `suspend` and of `delete-db`, by what is held of the rights that their words name; all others are.
    fn of(command: &str, other: &[(&str, Held)]) -> Check {
        let needs = Manifest::of(command).unwrap().needs(&Places::default());
        let held = needs.iter().map(|need| {
            let words = need.right.to_string();
            let own = other.iter().find(|(right, _)| *right == words);
            (
                need.right.clone(),
                own.map_or(Held::Allowed, |(_, held)| held.clone()),
            )
        });
        of_command(command, &needs, &held.collect())
    }

    fn unknown() -> Held {
        Held::Unknown(Why::Failed("timed out".to_owned()))
    }

    #[test]
    fn only_allowed_counts_as_held() {
        assert_eq!(of("suspend", &[]).state, State::Ok);
        let patch = "patch helmreleases in flux-system";
        let check = of("suspend", &[(patch, Held::Denied)]);
        assert_eq!(check.state, State::Failed);
        assert_eq!(check.missing, [patch]);
        let check = of("suspend", &[(patch, unknown())]);
        assert_eq!(check.state, State::NotKnown);
        assert_eq!(check.message, format!("not known: {patch} (timed out)"));
        let needs = Manifest::of("suspend").unwrap().needs(&Places::default());
        let check = of_command("suspend", &needs, &BTreeMap::new());
        assert_eq!(check.state, State::NotKnown);
    }

    #[test]
    fn an_optional_right_is_a_warning_unless_it_is_not_known() {
        let right = "create events in secure-kvs";
        let check = of("delete-db", &[(right, Held::Denied)]);
        assert_eq!(check.state, State::Warning);
        assert_eq!(check.message, format!("optional, missing: {right}"));
        assert_eq!(
            of("delete-db", &[(right, unknown())]).state,
            State::NotKnown
        );
        let secrets = "list secrets in all namespaces";
        let check = of("delete-db", &[(right, unknown()), (secrets, Held::Denied)]);
        assert_eq!(check.state, State::Failed);
        assert_eq!(check.unknown, [format!("{right}: timed out")]);
    }

    #[test]
    fn the_command_that_grants_names_other_namespaces() {
        let places = Places {
            onboardings: "flux".to_owned(),
            targets: vec!["a".to_owned(), "b".to_owned()],
            couchdb: "kvs".to_owned(),
        };
        let lead = "for an administrator to apply: kubectl skvs doctor --role";
        assert_eq!(
            role(&["list", "notes"], &places).plain(),
            format!("{lead} list,notes -n flux --couchdb-namespace kvs --target-namespace a,b")
        );
        let usual = role(&["list"], &Places::default());
        assert_eq!(usual.plain(), format!("{lead} list"));
    }
}
