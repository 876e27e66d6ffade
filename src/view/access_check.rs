//! The answer of `check-access`: kind `AccessCheck`.

use super::description::API_VERSION;
use crate::diagnosis::access::{self, Effect, Facts, Judgement, No, PolicyEffect, Verdict};
use crate::exit::Code;
use crate::model::istio::policy::Action;
use crate::model::not_read::NotRead;
use crate::text::one_line;
use serde::Serialize;

/// Whether Istio lets a service account use a database.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AccessCheck {
    pub api_version: &'static str,
    pub kind: &'static str,
    pub database: String,
    /// `namespace/name`.
    pub service_account: String,
    /// The identity that its requests carry; with an assumed trust domain where Istio's settings are not known.
    pub principal: String,
    pub verdict: Answer,
    /// Why, in one sentence.
    pub reason: String,
    /// The onboardings that claim the database, `namespace/name`.
    pub onboardings: Vec<String>,
    /// The installed endpoint; null where it is not known.
    pub endpoint: Option<String>,
    /// The pods behind it, `namespace/name`.
    pub pods: Vec<String>,
    pub methods: Methods,
    /// The policies of the pods' namespace and of the mesh's root namespace.
    pub policies: Vec<Policy>,
    /// What could not be read, or is not understood. Empty if the verdict is yes.
    pub not_known: Vec<NotRead>,
    pub notes: Vec<String>,
}

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    Yes,
    No,
    Unknown,
}

/// Methods of HTTP by whether the policies let them pass, as far as was read.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Methods {
    pub allowed: Vec<&'static str>,
    pub refused: Vec<&'static str>,
    /// Refused for the database itself or for the paths below it, or by one of the pods, and allowed or not known for the rest.
    pub partly: Vec<&'static str>,
    pub unknown: Vec<&'static str>,
}

/// One policy.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// `namespace/name`.
    pub name: String,
    /// `ALLOW`, `DENY`, `AUDIT` or `CUSTOM`; null where it is not understood.
    pub action: Option<&'static str>,
    pub effect: Effect,
    /// Why its effect is not known.
    pub why: Option<String>,
}

impl AccessCheck {
    pub fn new(facts: &Facts, judgement: Judgement) -> Self {
        let account = facts.account.to_string();
        let database = facts.database.to_string();
        let doubts = judgement.doubts.iter();
        let mut not_known: Vec<NotRead> = Vec::new();
        not_known.extend(doubts.map(|doubt| NotRead::new(doubt.what, doubt.why.clone())));
        let (verdict, reason) = match &judgement.verdict {
            Verdict::Yes(_) => (
                Answer::Yes,
                format!("the policies of the endpoint's pods let {account} use {database}"),
            ),
            Verdict::No(No::Nobody(why)) => (Answer::No, why.clone()),
            Verdict::No(No::Refused(why)) => (Answer::No, refused(&judgement.methods, why)),
            Verdict::Unknown => (Answer::Unknown, unknown(&not_known)),
        };
        let claimants = facts.claimants.known().iter();
        Self {
            api_version: API_VERSION,
            kind: "AccessCheck",
            database,
            service_account: account,
            principal: one_line(&judgement.principal),
            verdict,
            reason: one_line(&reason),
            onboardings: claimants.map(|c| one_line(&c.id)).collect(),
            endpoint: judgement.endpoint.map(|e| {
                let port = e.port.map_or(String::new(), |port| format!(":{port}"));
                one_line(&format!("http://{}.{}.svc{port}", e.name, e.namespace))
            }),
            pods: judgement.pods.iter().map(|pod| one_line(pod)).collect(),
            methods: Methods {
                allowed: judgement.methods.allowed,
                refused: judgement.methods.refused,
                partly: judgement.methods.partly,
                unknown: judgement.methods.unknown,
            },
            policies: judgement.policies.into_iter().map(Policy::from).collect(),
            not_known,
            notes: judgement.notes.iter().map(|note| one_line(note)).collect(),
        }
    }

    /// Only a yes is a success.
    pub fn code(&self) -> Code {
        match self.verdict {
            Answer::Yes => Code::Ok,
            Answer::No => Code::Findings,
            Answer::Unknown => Code::Failed,
        }
    }
}

/// What is refused, where something is not.
fn refused(methods: &access::Methods, why: &str) -> String {
    match methods.allowed.as_slice() {
        allowed @ [_, ..] if methods.partly.is_empty() => {
            format!("{} only: {why}", allowed.join(", "))
        }
        _ => why.to_owned(),
    }
}

fn unknown(not_known: &[NotRead]) -> String {
    let Some(first) = not_known.first() else {
        return "nothing says so".to_owned();
    };
    let more = match not_known.len() {
        1 => String::new(),
        n => format!(" (and {})", crate::text::count(n as u64 - 1, "more reason")),
    };
    format!("{}: {}{more}", first.what, first.why)
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        }
    }
}

impl From<PolicyEffect> for Policy {
    fn from(said: PolicyEffect) -> Self {
        Self {
            name: said.policy,
            action: said.action.map(|action| match action {
                Action::Allow => "ALLOW",
                Action::Deny => "DENY",
                Action::Audit => "AUDIT",
                Action::Custom => "CUSTOM",
            }),
            effect: said.effect,
            why: said.why,
        }
    }
}

impl Policy {
    /// What it says of the account.
    pub fn words(&self) -> String {
        let words = match self.effect {
            Effect::LetsIn => "lets it in",
            Effect::LetsInPartly => "lets a part of its requests in",
            Effect::Refuses => "refuses it",
            Effect::RefusesPartly => "refuses a part of its requests",
            Effect::Custom => "an external authoriser decides",
            Effect::NoMatch => "does not match",
            Effect::OtherPods => "is for other pods",
            Effect::Nothing => "decides nothing (AUDIT or a dry run)",
            Effect::Unknown => "not known",
        };
        match &self.why {
            Some(why) => format!("{words}: {why}"),
            None => words.to_owned(),
        }
    }

    /// Whether it has, or may have, a say.
    pub fn counts(&self) -> bool {
        !matches!(
            self.effect,
            Effect::NoMatch | Effect::OtherPods | Effect::Nothing
        )
    }
}
