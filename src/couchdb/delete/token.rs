//! The plan token: a digest over what a plan saw, so that what was reviewed is what is deleted, or nothing.
//!
//! `v1-` and 26 characters over all of it, which decide, then 3 characters for each part, by which a change is named. Only what
//! stays while nothing happens is in it: of a sequence its number, of a replication not its state. The API server's URL is left
//! out: the same cluster has many, and the pods' UIDs are of one cluster alone.

use super::facts::Facts;
use super::risk::Risk;
use ring::digest::{Context, SHA256};
use std::fmt;
use std::str::FromStr;

const VERSION: &str = "v1";
/// Characters of the whole: 130 bits.
const WHOLE: usize = 26;
/// Characters of a part: 15 bits, for its name only.
const PART: usize = 3;

/// The parts of a plan, in the token's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Server,
    Pods,
    Members,
    Database,
    Documents,
    Sequence,
    Risks,
}

impl Part {
    pub const ALL: [Self; 7] = [
        Self::Server,
        Self::Pods,
        Self::Members,
        Self::Database,
        Self::Documents,
        Self::Sequence,
        Self::Risks,
    ];

    /// What is digested of it.
    fn items(self, facts: &Facts, risks: &[Risk]) -> Vec<String> {
        let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        match self {
            Self::Server => {
                let server = &facts.server;
                let namespace = &facts.target.namespace;
                vec![
                    server.uuid.clone(),
                    server.version.clone(),
                    namespace.clone(),
                ]
            }
            Self::Pods => sorted(facts.pods.iter().map(|p| format!("{} {}", p.name, p.uid))),
            Self::Members => {
                let membership = &facts.membership;
                let of = |word: &'static str, members: &[String]| {
                    let words = members.iter().map(move |m| format!("{word} {m}"));
                    words.collect::<Vec<_>>()
                };
                let mut items = of("of", &membership.cluster_nodes);
                items.extend(of("in", &membership.all_nodes));
                // Whether the data stays on a disk is a part of what was reviewed.
                let keeps = facts.settings.iter();
                items.extend(
                    keeps.map(|(m, s)| format!("keeps {m} {:?}", s.recovery.as_ref().ok())),
                );
                sorted(items.into_iter())
            }
            Self::Database => {
                let map = &facts.shard_map;
                let suffix = String::from_utf8_lossy(&map.shard_suffix).into_owned();
                let started = facts.database.instance_start_time.clone();
                vec![facts.name.to_string(), map.rev.clone(), suffix, started]
            }
            Self::Documents => {
                let database = &facts.database;
                vec![
                    database.doc_count.to_string(),
                    number(database.doc_del_count),
                ]
            }
            Self::Sequence => [&facts.database.update_seq, &facts.database.purge_seq]
                .map(|s| number(s.as_ref().map(|s| s.number)))
                .to_vec(),
            Self::Risks => {
                let stays = facts.work.replications.iter().map(|r| {
                    format!(
                        "{:?} {:?} {:?} {:?}",
                        r.role, r.document, r.source, r.target
                    )
                });
                let others = risks
                    .iter()
                    .filter(|r| !r.is(super::risk::RiskKind::Replication))
                    .map(|r| format!("{} {} {:?}", r.accept.name(), r.what, r.resource_version));
                sorted(stays.chain(others))
            }
        }
    }
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    items
}

/// A plan token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    whole: String,
    parts: [String; Part::ALL.len()],
}

impl Token {
    /// The token of what was seen.
    pub fn issue(facts: &Facts, risks: &[Risk]) -> Self {
        let parts = Part::ALL.map(|part| (format!("{part:?}"), part.items(facts, risks)));
        let digests = parts.each_ref().map(|(name, items)| {
            let mut one = Digest::new(name);
            items.iter().for_each(|item| one.add(item));
            one.text(PART)
        });
        let mut whole = Digest::new("plan");
        for (name, items) in &parts {
            whole.add(name);
            whole.add(&items.len().to_string());
            items.iter().for_each(|item| whole.add(item));
        }
        Self {
            whole: whole.text(WHOLE),
            parts: digests,
        }
    }

    /// What is not as it was: `None` when all is. Empty when the parts do not tell which.
    pub fn differs(&self, now: &Self) -> Option<Vec<Part>> {
        let parts = Part::ALL.into_iter().zip(self.parts.iter().zip(&now.parts));
        let differing = parts.filter(|(_, (then, now))| then != now);
        (self.whole != now.whole).then(|| differing.map(|(part, _)| part).collect())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}-{}-{}", self.whole, self.parts.concat())
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it is not a plan token: --dry-run shows one";
        let mut words = text.split('-');
        match words.next() {
            Some(VERSION) => {}
            Some(other)
                if other
                    .strip_prefix('v')
                    .is_some_and(|n| n.parse::<u32>().is_ok()) =>
            {
                return Err("another version of this plugin made it".to_owned());
            }
            _ => return Err(wrong().to_owned()),
        }
        let of = |word: Option<&str>, length: usize| {
            let word = word.unwrap_or_default();
            let good = word.len() == length && word.bytes().all(|b| ALPHABET.contains(&b));
            good.then(|| word.to_owned()).ok_or_else(wrong)
        };
        let whole = of(words.next(), WHOLE)?;
        let all = of(words.next(), PART * Part::ALL.len())?;
        if words.next().is_some() {
            return Err(wrong().to_owned());
        }
        let mut at = 0;
        let parts = Part::ALL.map(|_| {
            at += PART;
            all[at - PART..at].to_owned()
        });
        Ok(Self { whole, parts })
    }
}

/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// SHA-256 over items, each with its length before it.
struct Digest(Context);

impl Digest {
    fn new(about: &str) -> Self {
        let mut digest = Self(Context::new(&SHA256));
        digest.add("kubectl-skvs plan v1");
        digest.add(about);
        digest
    }

    fn add(&mut self, item: &str) {
        self.0.update(&(item.len() as u64).to_be_bytes());
        self.0.update(item.as_bytes());
    }

    /// So many characters of five bits.
    fn text(self, length: usize) -> String {
        let digest = self.0.finish();
        let bytes = digest.as_ref();
        let bit = |at: usize| (bytes[at / 8] >> (7 - at % 8)) & 1;
        (0..length)
            .map(|at| {
                let value = (0..5).fold(0, |value, i| value << 1 | bit(at * 5 + i));
                char::from(ALPHABET[usize::from(value)])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
