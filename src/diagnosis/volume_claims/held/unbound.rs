//! Claims that have no volume: no class, or a volume that an earlier claim has left.

use super::{kind_with, named, object_command, subject, valid};
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::serving::SHOWN;
use crate::diagnosis::volume_claims::{newest, unread};
use crate::model::claim::{Claim, DEFAULT_CLASS, StorageClass, awaits_pod};
use crate::model::names::is_object_name;
use crate::model::placement::Volume;
use crate::snapshot::{IfRead, Related, WaitedClaim, Why};
use crate::text::few;
use crate::text::scrub::scrub;

use super::deleted::RETAIN;

/// Adds the claims that have no volume, and why.
pub(super) fn with_unbound(
    finding: Finding,
    claims: &[&WaitedClaim],
    related: &Related,
) -> Finding {
    let pending = |waited: &&WaitedClaim| {
        let claim = waited.claim().if_read();
        claim.is_some_and(|claim| claim.is_pending() && claim.meta.deleted.is_absent())
    };
    let lacking: Vec<&WaitedClaim> = claims.iter().copied().filter(pending).collect();
    if lacking.is_empty() {
        return finding;
    }
    let is_unclassed =
        |waited: &WaitedClaim| waited.claim().if_read().is_some_and(Claim::names_no_class);
    let (unclassed, others): (Vec<&WaitedClaim>, Vec<&WaitedClaim>) =
        lacking.into_iter().partition(|waited| is_unclassed(waited));
    let finding = said(finding, &unclassed);
    let finding = without_class(finding, &unclassed, related);
    let finding = said(finding, &others);
    with_released(finding, &others, related)
}

/// Adds what the newest event of each claim says, where it says more than that a pod is awaited.
fn said(mut finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let mut messages: Vec<(&str, Vec<&WaitedClaim>)> = Vec::new();
    for waited in claims.iter().copied() {
        let event = newest(waited).filter(|event| !awaits_pod(&event.reason));
        let Some(event) = event else {
            let unread = unread(waited);
            if newest(waited).is_none() && !unread.is_empty() {
                finding = finding.why(format!(
                    "Why {} has no volume is unknown{unread}.",
                    subject(waited)
                ));
            }
            continue;
        };
        let observed = format!("{}: {}", event.reason, event.message);
        let observed = observed.trim_end_matches([':', ' ']);
        finding = finding.seen([Evidence::new(subject(waited), "events", observed)]);
        let message = event.message.trim_end_matches(['.', ' ']);
        match messages.iter_mut().find(|(own, _)| *own == message) {
            Some((_, same)) => same.push(waited),
            None => messages.push((message, vec![waited])),
        }
    }
    for (message, claims) in messages {
        let verb = if claims.len() == 1 { "has" } else { "have" };
        let claims = named(&claims);
        finding = finding.why(format!("{claims} {verb} no volume: {}.", scrub(message).0));
    }
    finding
}

/// Adds that claims name no class, and whether one is the default.
fn without_class(finding: Finding, claims: &[&WaitedClaim], related: &Related) -> Finding {
    let [first, ..] = claims else {
        return finding;
    };
    let name = if claims.len() == 1 { "names" } else { "name" };
    let no_class = format!(
        "{} {name} no StorageClass (spec.storageClassName)",
        named(claims)
    );
    let (known, not_all) = match related.classes() {
        Ok(Some(classes)) => (classes.known(), classes.not_all().map(Why::clause)),
        Ok(None) => (&[][..], None),
        Err(unread) => (&[][..], Some(unread.why.clause())),
    };
    let valid = |class: &&StorageClass| is_object_name(&class.meta.name);
    let names: Vec<&str> = known
        .iter()
        .filter(valid)
        .map(|c| c.meta.name.as_str())
        .collect();
    let default = known
        .iter()
        .filter(|class| class.is_default() == Some(true));
    // Of several, Kubernetes takes the newest.
    let default = default.max_by(|a, b| a.meta.created.as_str().cmp(&b.meta.created.as_str()));
    let odd = known.iter().find(|class| class.is_default().is_none());
    let not_all = not_all.or(odd.map(|class| {
        let class = Subject::from(&class.meta);
        format!("the annotations of {class} are malformed")
    }));
    let finding = match (default, &not_all) {
        (Some(default), _) => {
            return object_command(
                finding
                    .why(format!("{no_class}, and {} is now the default. Kubernetes gives it to a claim without a class (since 1.28).", Subject::from(&default.meta)))
                    .step("See whether the claim now has a class and a volume. If not, set spec.storageClassName where the claim is defined:"),
                first,
            );
        }
        (None, None) => finding.why(format!(
            "{no_class}, and no StorageClass is the default (annotation {DEFAULT_CLASS}), so nothing makes their volumes."
        )),
        (None, Some(why)) => finding.why(format!(
            "{no_class}. Whether a StorageClass is the default is unknown: {why}.{}",
            match names.as_slice() {
                [] => String::new(),
                names => format!(
                    " Of those that were read, none is: {}.",
                    few(names, ", ", SHOWN)
                ),
            }
        )),
    };
    let finding = match (names.as_slice(), not_all.is_none()) {
        ([one], true) => finding
            .step("Make the StorageClass the default, if its volumes are right for these claims: Kubernetes then gives it to them (since 1.28):")
            .command([
                "kubectl",
                "annotate",
                "storageclass",
                one,
                "--overwrite",
                &format!("{DEFAULT_CLASS}=true"),
            ]),
        ([], true) => finding.step("The cluster has no StorageClass: install a storage driver with one, or make the volumes by hand."),
        (_, is_all) => finding
            .step(format!("{} (annotation {DEFAULT_CLASS}: \"true\"): Kubernetes then gives it to the claims (since 1.28). The classes:", match is_all {
                true => "Make one StorageClass the default",
                false => "If no StorageClass is the default, make one the default",
            }))
            .command(["kubectl", "get", "storageclasses"]),
    };
    finding.step("Or set storageClassName where the claims are defined. volumeClaimTemplates of a StatefulSet cannot be changed: delete it alone (--cascade=orphan) with those of its claims that are Pending and have no volume, and create it again.")
}

/// Adds the volumes that wait for earlier claims of the same names.
fn with_released(finding: Finding, claims: &[&WaitedClaim], related: &Related) -> Finding {
    let Some(first) = claims.first().copied() else {
        return finding;
    };
    let mut by_hand: Vec<&str> = claims
        .iter()
        .filter_map(|waited| waited.class().if_read())
        .filter(|class| class.is_by_hand())
        .map(|class| class.meta.name.as_str())
        .collect();
    by_hand.sort_unstable();
    by_hand.dedup();
    let no_class: Vec<String> = claims
        .iter()
        .filter(|waited| matches!(waited.class(), Ok(None)))
        .filter_map(|waited| waited.claim().if_read()?.class())
        .map(|class| format!("StorageClass {class} does not exist."))
        .collect();
    let classes = by_hand.iter().map(|class| {
        format!("StorageClass {class} makes no volumes (kubernetes.io/no-provisioner): an administrator does.")
    });
    let mut classes: Vec<String> = classes.chain(no_class).collect();
    classes.dedup();
    let mut finding = finding.whys(classes.iter().map(String::as_str));
    let (known, not_all) = match related.released() {
        Ok(Some(volumes)) => (volumes.known(), volumes.not_all().map(Why::clause)),
        Ok(None) => (&[][..], None),
        Err(unread) if unread.is_not_needed() => {
            return object_command(finding.step("See the claim with its events:"), first);
        }
        Err(unread) => (&[][..], Some(unread.why.clause())),
    };
    let mut found: Vec<(Subject, Vec<&Volume>)> = Vec::new();
    for waited in claims {
        let Some(claim) = waited.claim().if_read() else {
            continue;
        };
        let own = known.iter().filter(|volume| volume.was_of(claim));
        let mut own: Vec<&Volume> = own.collect();
        own.sort_by_key(|volume| std::cmp::Reverse(volume.meta.created.text()));
        let of = subject(waited);
        finding = match own.as_slice() {
            [] => continue,
            [one] => of_released(finding, one, &of),
            several => of_several(finding, several, &of),
        };
        found.push((of, own));
    }
    if found.is_empty() {
        let unknown = not_all.map(|why| {
            format!("Whether a PersistentVolume of an earlier claim of the same name is left (Released) is unknown: {why}.")
        });
        return object_command(
            finding
                .whys(unknown.as_deref())
                .step("See the claim with its events:"),
            first,
        );
    }
    let unknown = not_all.map(|why| {
        format!("Whether more PersistentVolumes of such claims are left is unknown: {why}.")
    });
    let is_all = unknown.is_none();
    finding = finding.whys(unknown.as_deref());
    freed(finding, &found, is_all, first)
}

/// Adds how a claim gets the volume of an earlier one. Of two free ones, Kubernetes would take either.
fn freed(
    mut finding: Finding,
    found: &[(Subject, Vec<&Volume>)],
    is_all: bool,
    first: &WaitedClaim,
) -> Finding {
    let stays = |volume: &&&Volume| volume.meta.deleted.is_absent();
    let all = found.iter().flat_map(|(_, own)| own).filter(stays);
    let lost = all.filter(|volume| !volume.is_kept());
    let lost: Vec<&str> = lost.map(|volume| volume.meta.name.as_str()).collect();
    let lost: Vec<&str> = valid(&lost).collect();
    let only = found.iter().filter(|(_, own)| own.len() == 1);
    let only = only.flat_map(|(_, own)| own).filter(stays);
    let only: Vec<&str> = only.map(|volume| volume.meta.name.as_str()).collect();
    let only: Vec<&str> = valid(&only).collect();
    let several = found.iter().filter(|(_, own)| own.len() > 1);
    let several: Vec<String> = several.map(|(of, _)| of.id()).collect();
    if only.is_empty() && several.is_empty() {
        return object_command(
            finding.step(
                "Give the claim another volume of its StorageClass; the claim with its events:",
            ),
            first,
        );
    }
    if !lost.is_empty() {
        finding = finding.step("Have the volume stay first, whatever becomes of its claim:");
        for name in lost {
            finding = finding.command(["kubectl", "patch", "pv", name, "-p", RETAIN]);
        }
    }
    if !is_all {
        finding = finding
            .step("See whether another volume is Released for the same claim. If so, choose the one that has the data, and free only that one:")
            .command(["kubectl", "get", "pv"]);
    }
    if !only.is_empty() {
        finding = finding.step("If the volume holds the data these pods need, and its size, access modes and node affinity fit the new claim, free it for that: remove the old one's uid from its spec.claimRef. Keep the volume and its disk in any case:");
        for name in only {
            let free = r#"[{"op":"remove","path":"/spec/claimRef/uid"}]"#;
            finding = finding.command(["kubectl", "patch", "pv", name, "--type=json", "-p", free]);
        }
    }
    if !several.is_empty() {
        finding = finding.step(format!(
            "Of the volumes of {}, choose the one that has the data, and free only that one: remove uid from its spec.claimRef. Kubernetes binds any free one. Keep the others and their disks",
            kind_with("PersistentVolumeClaim", &several)
        ));
    }
    finding.step("Otherwise give the claim another volume of its StorageClass.")
}

/// Adds the volumes that earlier claims of this name had, the newest first.
fn of_several(finding: Finding, volumes: &[&Volume], claim: &Subject) -> Finding {
    let said = volumes.iter().map(|volume| {
        let created = match volume.meta.created.as_str() {
            Some(created) => format!("created {created}"),
            None => "creation time unknown".to_owned(),
        };
        let policy = volume.reclaim.as_str().unwrap_or("unknown");
        let deleted = match volume.meta.deleted.is_absent() {
            true => "",
            false => ", being deleted",
        };
        format!(
            "{} ({created}, reclaim policy {policy}{deleted})",
            volume.meta.name
        )
    });
    let said: Vec<String> = said.collect();
    let seen = volumes
        .iter()
        .take(SHOWN)
        .map(|volume| Evidence::new(Subject::from(&volume.meta), ".status.phase", "Released"));
    finding
        .why(format!(
            "{} PersistentVolumes are Released, each of an earlier {claim}, which was deleted: {}. Which one has the data is not known.",
            volumes.len(),
            few(&said, ", ", SHOWN)
        ))
        .seen(seen.collect::<Vec<_>>())
}

/// Adds a volume that an earlier claim of this name had.
fn of_released(finding: Finding, volume: &Volume, claim: &Subject) -> Finding {
    let of = Subject::from(&volume.meta);
    let becomes = match (volume.meta.deleted.is_absent(), volume.reclaim.as_str()) {
        (false, _) => "It is being deleted itself.".to_owned(),
        (true, Some("Retain")) => "It stays with its data (reclaim policy Retain).".to_owned(),
        (true, Some(policy)) => {
            format!("Its reclaim policy is {policy}, so it may be lost with its data.")
        }
        (true, None) => "Its reclaim policy is not known.".to_owned(),
    };
    finding
        .why(format!("{of} is Released: its claimRef is an earlier {claim}, which was deleted, and it is given to no other claim. {becomes}"))
        .seen([Evidence::new(of, ".status.phase", "Released")])
}
