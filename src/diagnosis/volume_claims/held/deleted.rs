//! Claims that are being deleted: what becomes of their data, and what keeps it.

use super::{kind_with, named, object_command, subject, valid, verb};
use crate::diagnosis::finding::{Evidence, Finding, Subject};
use crate::diagnosis::serving::SHOWN;
use crate::model::claim::Claim;
use crate::snapshot::{IfRead, WaitedClaim};

/// The patch that has a volume stay without its claim.
pub(super) const RETAIN: &str = r#"{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}"#;

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
pub(super) fn with_deleted(finding: Finding, claims: &[&WaitedClaim]) -> Finding {
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
