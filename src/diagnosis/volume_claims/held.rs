//! Claims because of which no node takes a pod: one that is being deleted, or has no volume. Nothing here may lead to the loss of data: before
//! a claim may go, its volume has to stay without it.

use super::{newest, subject, unread};
use crate::diagnosis::case::Case;
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::nodes::pods;
use crate::diagnosis::object_commands;
use crate::diagnosis::serving::SHOWN;
use crate::model::claim::{Claim, DEFAULT_CLASS, StorageClass, awaits_pod};
use crate::model::names::is_object_name;
use crate::model::placement::Volume;
use crate::model::pod::Pod;
use crate::snapshot::{IfRead, Listing, Related, WaitedClaim, Why};
use crate::text::few;
use crate::text::scrub::scrub;

/// The patch that has a volume stay without its claim.
const RETAIN: &str = r#"{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}"#;

/// The finding with the claims because of which no node takes its pods.
pub(in crate::diagnosis) fn also(case: &Case<'_>, finding: Finding) -> Finding {
    let is_shown = |pod: &Pod| {
        let pod = Subject::from(&pod.meta);
        finding.evidence.iter().any(|e| e.object == pod)
    };
    let webhook = case.webhook().if_read();
    let webhook = webhook.and_then(|webhook| webhook.pods().if_read());
    let webhook = webhook.into_iter().flat_map(Listing::known);
    let all = pods(case).chain(webhook.map(|found| &found.pod));
    let held: Vec<&Pod> = all.filter(|pod| pod.is_held_by_claims()).collect();
    // A finding shows only some of a workload's pods, and the claims of all have to be safe. Other pods are none of its business.
    let shown: Vec<&Pod> = held.iter().copied().filter(|pod| is_shown(pod)).collect();
    let is_near = |pod: &&Pod| is_shown(pod) || shown.iter().any(|own| own.is_sibling_of(pod));
    let held: Vec<&Pod> = held.into_iter().filter(is_near).collect();
    if held.is_empty() {
        return finding;
    }
    let related = match case.related() {
        Ok(Some(related)) => related,
        Ok(None) => return finding,
        Err(unread) if unread.is_not_needed() => return finding,
        Err(unread) => {
            return finding.why(format!(
                "The state of the pods' claims is unknown: {}.",
                unread.why.clause()
            ));
        }
    };
    let is_of = |waited: &&WaitedClaim| {
        let mut own = held
            .iter()
            .filter(|pod| pod.meta.namespace == waited.namespace);
        own.any(|pod| pod.claims().any(|claim| claim == waited.name))
    };
    let claims: Vec<&WaitedClaim> = related.claims.iter().filter(is_of).collect();
    let odd = held.iter().find(|pod| !pod.has_whole_volumes());
    let odd = odd.map(|pod| {
        format!(
            "Not all claims of {} are known: spec.volumes is malformed.",
            Subject::from(&pod.meta)
        )
    });
    of_claims(finding.whys(odd.as_deref()), &claims, related)
}

fn of_claims(finding: Finding, claims: &[&WaitedClaim], related: &Related) -> Finding {
    let finding = unknown(finding, claims);
    let finding = lost(finding, claims);
    let finding = bound(finding, claims);
    let finding = going(finding, claims);
    lacking(finding, claims, related)
}

/// Adds the claims whose volumes do not exist any more.
fn lost(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let is_lost = |waited: &&WaitedClaim| waited.claim().if_read().is_some_and(Claim::is_lost);
    let lost: Vec<&WaitedClaim> = claims.iter().copied().filter(is_lost).collect();
    let [first, ..] = lost.as_slice() else {
        return finding;
    };
    let finding = finding
        .why(format!(
            "{} {} Lost: the volume that such a claim had no longer exists. Its data may still be in the storage system.",
            named(&lost),
            verb(lost.len())
        ))
        .step("Find out in the storage system whether the disk still exists, before the claim is deleted or created again. Its former volume is in spec.volumeName:");
    object_command(finding, first)
}

/// Adds that the scheduler's message is out of date where nothing is wrong with the claims.
fn bound(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let is_well = |waited: &&WaitedClaim| {
        let claim = waited.claim().if_read();
        claim.is_some_and(|claim| claim.is_bound() && claim.meta.deleted.is_absent())
    };
    match claims {
        [] => finding,
        all if all.iter().all(is_well) => finding.why(format!(
            "{} {} Bound now, and not being deleted: the scheduler's message is older than that.",
            named(claims),
            verb(claims.len())
        )),
        _ => finding,
    }
}

/// `PersistentVolumeClaims n/a, n/b, n/c and 2 more`
fn named(claims: &[&WaitedClaim]) -> String {
    let names = claims.iter().map(|waited| subject(waited).id());
    kind_with("PersistentVolumeClaim", &names.collect::<Vec<_>>())
}

fn kind_with<T: AsRef<str>>(kind: &str, names: &[T]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{kind}{plural} {}", few(names, ", ", SHOWN))
}

fn verb(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// Says of which claims it is not known how they are.
fn unknown(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let mut whys: Vec<(String, Vec<&WaitedClaim>)> = Vec::new();
    for waited in claims {
        let why = match waited.claim() {
            Err(unread) => unread.why.clause(),
            Ok(Some(claim)) if claim.meta.deleted.is_malformed() => {
                "metadata.deletionTimestamp is malformed".to_owned()
            }
            Ok(Some(claim)) if claim.phase.as_str().is_none() => {
                "it does not say whether it has a volume".to_owned()
            }
            Ok(_) => continue,
        };
        match whys.iter_mut().find(|(own, _)| *own == why) {
            Some((_, same)) => same.push(waited),
            None => whys.push((why, vec![waited])),
        }
    }
    let absent: Vec<&WaitedClaim> = claims
        .iter()
        .copied()
        .filter(|waited| matches!(waited.claim(), Ok(None)))
        .collect();
    let absent = (!absent.is_empty()).then(|| match absent.len() {
        1 => format!("{} does not exist.", named(&absent)),
        _ => format!("{} do not exist.", named(&absent)),
    });
    let whys = whys
        .iter()
        .map(|(why, claims)| format!("The state of {} is unknown: {why}.", named(claims)));
    let whys: Vec<String> = whys.chain(absent).collect();
    finding.whys(whys.iter().map(String::as_str))
}

/// What becomes of the data of a claim that is being deleted.
enum Fate<'a> {
    /// The volume goes with it: its name, and the policy that says so.
    Lost(&'a str, &'a str),
    /// The volume stays.
    Kept(&'a str),
    /// The volume's name, if it is known, and why no more is.
    Unknown(Option<&'a str>, String),
    /// The volume is being deleted too: its name, since when, and whether its reclaim policy keeps its disk.
    Deleted(&'a str, &'a str, bool),
    /// The volume that it names does not exist.
    Gone(&'a str),
    /// It has no volume.
    Nothing,
}

fn fate<'a>(waited: &'a WaitedClaim, claim: &'a Claim) -> Fate<'a> {
    if claim.volume.is_malformed() {
        return Fate::Unknown(None, "spec.volumeName is malformed".to_owned());
    }
    let Some(name) = claim.volume.as_str() else {
        return Fate::Nothing;
    };
    match waited.volume() {
        Ok(Some(volume)) if volume.is_kept() => Fate::Kept(name),
        Ok(Some(volume)) if volume.meta.deleted.is_malformed() => {
            let why = "metadata.deletionTimestamp is malformed".to_owned();
            Fate::Unknown(Some(name), why)
        }
        Ok(Some(volume)) if !volume.meta.deleted.is_absent() => {
            let since = volume.meta.deleted.text();
            Fate::Deleted(name, since, volume.keeps_disk())
        }
        Ok(Some(volume)) => match volume.reclaim.as_str() {
            Some(policy) => Fate::Lost(name, policy),
            None => {
                let why = "it does not say its reclaim policy".to_owned();
                Fate::Unknown(Some(name), why)
            }
        },
        Ok(None) => Fate::Gone(name),
        Err(unread) => Fate::Unknown(Some(name), unread.why.clause()),
    }
}

/// Adds the claims that are being deleted, and how their data can be kept.
fn going(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
    let of = |waited: &'_ &WaitedClaim| {
        waited
            .claim
            .if_read()
            .is_some_and(|c| c.deleted().is_some())
    };
    let going: Vec<&WaitedClaim> = claims.iter().copied().filter(of).collect();
    if going.is_empty() {
        return finding;
    }
    let read = |waited: &&'_ WaitedClaim| waited.claim().if_read().is_some();
    let times = going
        .iter()
        .filter_map(|waited| waited.claim().if_read()?.deleted());
    let since = times.min().unwrap_or_default();
    let mut finding = finding.why(format!(
        "{} {} being deleted (since {since}): no new pod can use such a claim, and Kubernetes removes it as soon as nothing uses it.",
        named(&going),
        verb(going.len())
    ));
    let (mut lost, mut kept, mut patched): (Vec<(&str, &str)>, Vec<&str>, Vec<&str>) =
        Default::default();
    let mut unnamed: Vec<&WaitedClaim> = Vec::new();
    let (mut deleted, mut gone): (Vec<&str>, Vec<&str>) = Default::default();
    for waited in going.iter().copied().filter(read) {
        let Some(claim) = waited.claim().if_read() else {
            continue;
        };
        let of = subject(waited);
        let when = claim.deleted().unwrap_or_default();
        finding = finding.seen([Evidence::new(
            of.clone(),
            ".metadata.deletionTimestamp",
            &format!("being deleted since {when}"),
        )]);
        match fate(waited, claim) {
            Fate::Lost(name, policy) => {
                finding = finding.seen([Evidence::new(
                    Subject::new("PersistentVolume", "", name),
                    ".spec.persistentVolumeReclaimPolicy",
                    &format!("reclaim policy {policy}"),
                )]);
                lost.push((name, policy));
                patched.push(name);
            }
            Fate::Kept(name) => kept.push(name),
            Fate::Deleted(name, since, keeps_disk) => {
                let volume = Subject::new("PersistentVolume", "", name);
                finding = finding
                    .why(format!("{volume} of {of} is being deleted too (since {since}): Kubernetes removes it once the claim is gone."))
                    .seen([Evidence::new(
                        volume,
                        ".metadata.deletionTimestamp",
                        &format!("being deleted since {since}"),
                    )]);
                deleted.push(name);
                patched.extend((!keeps_disk).then_some(name));
            }
            Fate::Gone(name) => {
                let volume = Subject::new("PersistentVolume", "", name);
                finding = finding.why(format!("The volume of {of} does not exist: {volume}."));
                gone.push(name);
            }
            Fate::Unknown(Some(name), why) => {
                let volume = Subject::new("PersistentVolume", "", name);
                finding = finding.why(format!(
                    "Whether {volume} of {of} stays without it is unknown: {why}."
                ));
                patched.push(name);
            }
            Fate::Unknown(None, why) => {
                finding = finding.why(format!("Which volume {of} has is unknown: {why}."));
                unnamed.push(waited);
            }
            Fate::Nothing => {
                finding = finding.why(format!("{of} has no volume."));
            }
        }
    }
    // Those that were not read may be deleted too.
    unnamed.extend(claims.iter().filter(|w| w.claim().is_err()));
    let mut policies: Vec<&str> = lost.iter().map(|(_, policy)| *policy).collect();
    policies.sort_unstable();
    policies.dedup();
    for policy in policies {
        let own = lost.iter().filter(|(_, own)| own == &policy);
        let own: Vec<&str> = own.map(|(name, _)| *name).collect();
        finding = finding.why(format!(
            "The reclaim policy of {} is {policy}: the data is lost with the {}.",
            kind_with("PersistentVolume", &own),
            if own.len() == 1 { "claim" } else { "claims" }
        ));
    }
    if !kept.is_empty() {
        finding = finding.why(format!(
            "{} {} with the data (reclaim policy Retain).",
            kind_with("PersistentVolume", &kept),
            if kept.len() == 1 { "stays" } else { "stay" }
        ));
    }
    let finding = with_patches(finding, &patched, &unnamed);
    let finding = with_lost_volumes(finding, &deleted, &gone);
    with_release(finding, &going)
}

/// Adds how the volumes stay.
fn with_patches(mut finding: Finding, patched: &[&str], unnamed: &[&WaitedClaim]) -> Finding {
    let patched: Vec<&str> = valid(patched).collect();
    if !patched.is_empty() {
        finding = finding
            .step("Have the volumes stay when their claims go, before anything else is changed:");
        for name in &patched {
            finding = finding.command(["kubectl", "patch", "pv", name, "-p", RETAIN]);
        }
    }
    if let [first, ..] = unnamed {
        finding = finding
            .step("See which claims have the status Terminating, and set Retain for the volume of each in the same way:")
            .command(["kubectl", "get", "-n", &first.namespace, "persistentvolumeclaims"]);
    }
    finding
}

/// Those that may go into a command.
fn valid<'n>(names: &[&'n str]) -> impl Iterator<Item = &'n str> {
    names.iter().copied().filter(|name| is_object_name(name))
}

/// Adds what can be saved of volumes that are being deleted, or do not exist.
fn with_lost_volumes(mut finding: Finding, deleted: &[&str], gone: &[&str]) -> Finding {
    if !deleted.is_empty() {
        finding = finding.step("Keep a copy of each volume that is being deleted: it says which disk has the data. With Retain, that disk stays:");
        for name in valid(deleted) {
            finding = finding.command(["kubectl", "get", "pv", name, "-o", "yaml"]);
        }
    }
    match gone.is_empty() {
        true => finding,
        false => finding.step(format!(
            "Find out in the storage system whether the disk of {} still exists",
            kind_with("PersistentVolume", gone)
        )),
    }
}

/// Adds when the claims may go. How to make them go depends on what uses them, and some ways take the claims of other pods along.
fn with_release(finding: Finding, going: &[&WaitedClaim]) -> Finding {
    let finding = finding
        .step("Find out who deletes the claims, and stop it: a deletion cannot be taken back. Check that every volume of the workload's claims says Retain, also of those that are not being deleted:")
        .command(["kubectl", "get", "pv"])
        .step("See what still uses the claims (Used By):");
    let finding = going
        .iter()
        .take(SHOWN)
        .fold(finding, |finding, waited| object_command(finding, waited));
    finding.step("Only once all of these volumes say Retain, let the claims go. Then remove spec.claimRef.uid of the volumes: otherwise new claims of the same names get empty volumes")
}

/// Adds the claims that have no volume, and why.
fn lacking(finding: Finding, claims: &[&WaitedClaim], related: &Related) -> Finding {
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

fn object_command(finding: Finding, waited: &WaitedClaim) -> Finding {
    finding.command(object_commands::describe(&subject(waited)))
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

#[cfg(test)]
mod tests;
