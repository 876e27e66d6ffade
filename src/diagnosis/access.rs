//! Whether Istio lets a service account use a database: yes, no, or not known and why.
//!
//! A yes is only made of a [`Proof`], which holds evidence for each link between the account's pods and CouchDB's: what is not
//! read or not understood is a [`Doubt`], never a link.

mod links;
mod policy_effects;
mod proof;
#[cfg(test)]
mod tests;

pub use policy_effects::{Effect, PolicyEffect};
pub use proof::Proof;

use crate::model::endpoint::{Endpoint, of_url};
use crate::model::field::Meta;
use crate::model::istio::detour::Detour;
use crate::model::istio::mesh::{Mesh, ROOT_NAMESPACE, TRUST_DOMAIN};
use crate::model::istio::mutual_tls::PeerAuthentication;
use crate::model::istio::policy::AuthorizationPolicy;
use crate::model::istio::port::Service;
use crate::model::istio::request::Account;
use crate::model::istio::workload::Workload;
use crate::model::names::DatabaseName;
use crate::snapshot::{Listing, Read};

/// Everything that was read for one account and one database.
#[derive(Clone, Debug)]
pub struct Facts {
    pub database: DatabaseName,
    pub account: Account,
    /// The onboardings that claim the database.
    pub claimants: Listing<Claimant>,
    pub mesh: Read<Mesh>,
    pub policies: Read<Vec<AuthorizationPolicy>>,
    pub peer_authentications: Read<Vec<PeerAuthentication>>,
    /// By the plural of their kind.
    pub detours: Vec<(&'static str, Read<Vec<Detour>>)>,
    pub server: Server,
    pub client: Client,
}

/// An onboarding that claims the database.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// `namespace/name` of its HelmRelease.
    pub id: String,
    /// Its release is on another cluster.
    pub is_remote: bool,
    /// Its status is older than its spec.
    pub is_stale: bool,
    pub installed: Read<Installed>,
}

/// What Helm's storage has of the newest revision: what was installed, whatever the HelmRelease says by now.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    pub status: String,
    pub database: Option<String>,
    pub endpoint: Option<String>,
}

/// What is in the namespace of the endpoint.
#[derive(Clone, Debug)]
pub struct Server {
    pub namespace: Read<Meta>,
    pub services: Read<Vec<Service>>,
    pub pods: Read<Vec<Workload>>,
}

/// What is in the account's namespace.
#[derive(Clone, Debug)]
pub struct Client {
    pub namespace: Read<Meta>,
    pub service_account: Read<Meta>,
    pub pods: Read<Vec<Workload>>,
}

/// Why a link is not known to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Which link.
    pub what: &'static str,
    pub why: String,
}

impl Doubt {
    fn new(what: &'static str, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { what, why }
    }
}

/// The answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    Yes(Box<Proof>),
    No(No),
    Unknown,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum No {
    /// The account, or its namespace, does not exist.
    Nobody(String),
    /// The policies refuse some of the requests.
    Refused(String),
}

/// The answer with what it was found by.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub verdict: Verdict,
    /// What is not known. Empty if the answer is yes.
    pub doubts: Vec<Doubt>,
    /// What the policies let the account do, as far as was read.
    pub methods: Methods,
    pub policies: Vec<PolicyEffect>,
    pub notes: Vec<String>,
    pub endpoint: Option<Endpoint>,
    pub principal: String,
    /// The pods behind the endpoint, `namespace/name`.
    pub pods: Vec<String>,
}

/// Methods of HTTP by whether the policies let them pass, for the database and everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Methods {
    pub allowed: Vec<&'static str>,
    pub refused: Vec<&'static str>,
    /// Refused for the database itself or for the paths below it, or by one of the pods, and allowed or not known for the rest.
    pub partly: Vec<&'static str>,
    pub unknown: Vec<&'static str>,
}

impl Facts {
    /// The trust domain and the root namespace; Istio's defaults where the settings are not known.
    fn trust_domain(&self) -> &str {
        self.mesh.if_read().map_or(TRUST_DOMAIN, Mesh::trust_domain)
    }

    fn root(&self) -> &str {
        self.mesh
            .if_read()
            .map_or(ROOT_NAMESPACE, Mesh::root_namespace)
    }
}

const INSTALLED: &str = "the installed onboarding";

/// The endpoint that was told to the team: the one that all claimants were installed with.
///
/// # Errors
/// Why it is not known.
pub fn endpoint(claimants: &Listing<Claimant>, database: &DatabaseName) -> Result<Endpoint, Doubt> {
    let doubt = |why: String| Err(Doubt::new(INSTALLED, why));
    let mut found: Option<Endpoint> = None;
    for claimant in claimants.known() {
        let id = &claimant.id;
        let own = match installed(claimant, database) {
            Ok(own) => own,
            Err(why) => return doubt(format!("{id}: {why}")),
        };
        match &found {
            Some(other)
                if (&other.namespace, &other.name, other.port)
                    != (&own.namespace, &own.name, own.port) =>
            {
                return doubt(format!(
                    "several onboardings claim {database}, with different endpoints"
                ));
            }
            _ => found = Some(own),
        }
    }
    match found {
        Some(endpoint) => Ok(endpoint),
        None => doubt(match claimants.not_all() {
            Some(why) => why.clause(),
            None => format!("no onboarding claims {database}"),
        }),
    }
}

fn installed(claimant: &Claimant, database: &DatabaseName) -> Result<Endpoint, String> {
    if claimant.is_remote {
        return Err(
            "its release is on another cluster (spec.kubeConfig), whose policies count".to_owned(),
        );
    }
    let installed = match &claimant.installed {
        Read::Seen(installed) => installed,
        Read::Absent => return Err("nothing is installed".to_owned()),
        Read::Unknown(why) => return Err(format!("its release was not read: {}", why.clause())),
    };
    if installed.status != "deployed" {
        let status = crate::text::one_line(&installed.status);
        return Err(format!("its newest revision is {status:?}, not deployed"));
    }
    if installed.database.as_deref() != Some(database.as_str()) {
        return Err(format!(
            "what is installed is not known to be for {database}"
        ));
    }
    let url = installed.endpoint.as_deref().unwrap_or_default();
    let endpoint = of_url(url, "", "the notes").filter(|endpoint| is_plain(url, endpoint));
    endpoint
        .ok_or_else(|| "its notes name no endpoint http://SERVICE.NAMESPACE.svc:PORT".to_owned())
}

/// Whether a URL is a Service's and nothing else: another scheme or a path would be another request.
fn is_plain(url: &str, endpoint: &Endpoint) -> bool {
    let Endpoint {
        namespace,
        name,
        port: Some(port),
        ..
    } = endpoint
    else {
        return false;
    };
    let url = url.strip_suffix('/').unwrap_or(url);
    let domains = ["", ".svc", ".svc.cluster.local"];
    let mut all = domains
        .iter()
        .map(|domain| format!("http://{name}.{namespace}{domain}:{port}"));
    all.any(|plain| plain == url)
}

/// Judges.
pub fn judge(facts: &Facts) -> Judgement {
    proof::judge(facts)
}
