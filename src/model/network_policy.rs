//! NetworkPolicies: which pods they isolate, and whether any rule lets a connection through all the same.
//!
//! Policies are additive: a pod that one of them selects is isolated in its direction, and reaches what any rule of any of them allows. Each
//! answer is `None` where it is not known: only where every rule surely does not allow a connection does none allow it. What the network
//! plugin makes of a policy is not said here.

mod address;

use self::address::Cidr;
use super::field::{Entries, Field, Fields, Meta, Parsed};
use super::label_selector::LabelSelector;
use super::pod::Pod;
use serde::Deserialize;
use serde_json::Value;
use std::net::IpAddr;

/// Where the cluster's DNS runs, unless the distribution has another namespace for it.
pub const DNS_NAMESPACE: &str = "kube-system";
/// The port of DNS.
pub const DNS_PORT: u16 = 53;
/// OpenShift's DNS, whose pods listen on another port than the Service.
const OTHER_DNS: (&str, u16) = ("openshift-dns", 5353);
/// The label of the pods of kube-dns and CoreDNS.
const DNS_LABEL: (&str, &str) = ("k8s-app", "kube-dns");
/// The label that the API server gives to each namespace.
const NAME: &str = "kubernetes.io/metadata.name";

/// Which connections of a pod are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ingress,
    Egress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A policy, as far as it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    pub meta: Meta,
    selector: Field<LabelSelector>,
    types: Entries<String>,
    ingress: Entries<Rule>,
    egress: Entries<Rule>,
}

/// What it allows: a connection with any of the peers, on any of the ports. A list without entries allows all.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Rule {
    from: Entries<Peer>,
    to: Entries<Peer>,
    ports: Entries<Port>,
}

/// A field that is not known may narrow it down, so that such an entry counts as malformed.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Peer {
    pod_selector: Field<LabelSelector>,
    namespace_selector: Field<LabelSelector>,
    ip_block: Field<IpBlock>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct IpBlock {
    cidr: Cidr,
    #[serde(default)]
    except: Entries<Cidr>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Port {
    protocol: Field<String>,
    port: Field<Number>,
    end_port: Field<u16>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Number {
    Number(u16),
    /// Of a port of the pod's container.
    Name(String),
}

/// The other end of a connection over TCP: pods, of which any will do.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    pub namespace: &'a str,
    /// The namespace itself, where all of its labels were read.
    pub labels: Option<&'a Meta>,
    /// Empty where none is known.
    pub pods: &'a [&'a Pod],
    /// The address of the Service before them, for what a plugin judges before it is translated.
    pub service: Option<IpAddr>,
    pub port: u16,
}

impl NetworkPolicy {
    /// Reads one object.
    pub fn from_value(object: &Value) -> Self {
        let mut fields = Fields::new(object);
        Self {
            selector: fields.at("/spec/podSelector"),
            types: fields.list("/spec/policyTypes"),
            ingress: fields.list("/spec/ingress"),
            egress: fields.list("/spec/egress"),
            meta: fields.meta("NetworkPolicy"),
        }
    }

    /// Whether it isolates the pod in this direction.
    pub fn isolates(&self, pod: &Meta, direction: Direction) -> Option<bool> {
        let selects = match &self.selector {
            _ if self.meta.namespace != pod.namespace => Some(false),
            Field::Absent => Some(true),
            Field::Malformed => None,
            Field::Set(selector) => of_pod(selector, pod),
        };
        both(selects, self.is_of(direction))
    }

    /// Without types it is about ingress, and about egress where it has a rule of it.
    fn is_of(&self, direction: Direction) -> Option<bool> {
        let types = &self.types;
        let name = match direction {
            Direction::Ingress => "Ingress",
            Direction::Egress => "Egress",
        };
        match (types.is_empty(), direction) {
            (true, Direction::Ingress) => Some(true),
            (true, Direction::Egress) if self.egress.known.is_empty() => {
                self.egress.all.then_some(false)
            }
            (true, Direction::Egress) => Some(true),
            (false, _) if types.known.iter().any(|own| own == name) => Some(true),
            (false, _) => types.all.then_some(false),
        }
    }

    fn rules(&self, direction: Direction) -> &Entries<Rule> {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }

    /// Whether a rule tells namespaces apart by labels beyond their names.
    pub fn asks_for_labels(&self) -> bool {
        let rules = self.ingress.known.iter().chain(&self.egress.known);
        let peers = rules.flat_map(|rule| rule.from.known.iter().chain(&rule.to.known));
        let mut selectors = peers.filter_map(|peer| peer.namespace_selector.set());
        selectors.any(|selector| selector.keys().any(|key| key != NAME))
    }

    /// Surely no rule of this direction.
    pub fn has_no_rule(&self, direction: Direction) -> bool {
        self.rules(direction).is_empty()
    }

    /// The addresses to which alone it lets pods out, `0.0.0.0/0 except 10.0.0.0/8`; `None` where it names others than addresses.
    pub fn only_addresses(&self) -> Option<String> {
        let rules = Some(&self.egress).filter(|rules| rules.all && !rules.known.is_empty())?;
        let mut blocks: Vec<String> = Vec::new();
        for rule in &rules.known {
            let peers = Some(&rule.to).filter(|peers| peers.all && !peers.known.is_empty())?;
            for peer in &peers.known {
                let block = peer.ip_block.set().filter(|block| block.except.all)?;
                let said = block.to_string();
                if !blocks.contains(&said) {
                    blocks.push(said);
                }
            }
        }
        Some(blocks.join(", "))
    }
}

/// Whether the policies of the pod's namespace let it connect (egress), or be connected to (ingress), by what the rules say. All of the
/// namespace have to be given.
pub fn allow(
    policies: &[NetworkPolicy],
    pod: &Meta,
    direction: Direction,
    other: &End<'_>,
) -> Option<bool> {
    through(policies, pod, direction, |policy, rule| {
        let peers = match direction {
            Direction::Ingress => &rule.from,
            Direction::Egress => &rule.to,
        };
        both(
            any_of(peers, |peer| peer.is(&policy.meta.namespace, other)),
            any_of(&rule.ports, |port| port.opens(Protocol::Tcp, other.port)),
        )
    })
}

/// Whether they let the pod ask the cluster's DNS. Where that runs is not read: `inside` are addresses of the cluster's pods and Services, and a
/// rule that lets the pod reach none of them by its address is taken not to lead to DNS either. A rule for the port of DNS elsewhere may.
/// `namespace` is [`DNS_NAMESPACE`], where all of its labels were read.
pub fn allow_dns(
    policies: &[NetworkPolicy],
    pod: &Meta,
    protocol: Protocol,
    inside: &[IpAddr],
    namespace: Option<&Meta>,
) -> Option<bool> {
    through(policies, pod, Direction::Egress, |policy, rule| {
        let is_dns = |peer: &Peer| peer.is_dns(&policy.meta.namespace, inside, namespace);
        rule.lets_dns(&policy.meta.namespace, protocol, is_dns)
    })
}

fn through(
    policies: &[NetworkPolicy],
    pod: &Meta,
    direction: Direction,
    lets: impl Fn(&NetworkPolicy, &Rule) -> Option<bool>,
) -> Option<bool> {
    let isolated = policies.iter().map(|p| p.isolates(pod, direction));
    let isolated = any(isolated);
    let allowed = policies.iter().map(|policy| {
        let rules = policy.rules(direction);
        let each = rules.known.iter().map(|rule| lets(policy, rule));
        let unknown = (!rules.all).then_some(None);
        both(policy.isolates(pod, direction), any(each.chain(unknown)))
    });
    match (isolated, any(allowed)) {
        (Some(false), _) | (_, Some(true)) => Some(true),
        (Some(true), Some(false)) => Some(false),
        _ => None,
    }
}

impl Rule {
    fn lets_dns(
        &self,
        own: &str,
        protocol: Protocol,
        is_dns: impl Fn(&Peer) -> Option<bool>,
    ) -> Option<bool> {
        let opens = |port: u16| any_of(&self.ports, |own| own.opens_dns(protocol, port));
        let (opens, opens_other) = (opens(DNS_PORT), opens(OTHER_DNS.1));
        let is_named = !self.ports.is_empty();
        let leads = any_of(&self.to, |peer| {
            let is_other = || peer.may_be_other_dns(own);
            match is_dns(peer) {
                // DNS may be there: the rule opens its port.
                Some(false) if is_named && opens != Some(false) => None,
                Some(false) if opens_other != Some(false) && is_other() => None,
                leads => leads,
            }
        });
        let opens = match opens {
            Some(false) if opens_other != Some(false) => None,
            opens => opens,
        };
        both(leads, opens)
    }
}

impl Peer {
    /// Whether it takes one of these pods; `own` is the policy's namespace.
    fn is(&self, own: &str, other: &End<'_>) -> Option<bool> {
        match &self.ip_block {
            Field::Malformed => return None,
            Field::Set(block) => {
                return block.takes(other);
            }
            Field::Absent => {}
        }
        let namespace = self.is_of_namespace(own, other.namespace, other.labels);
        let pods = match &self.pod_selector {
            Field::Absent => Some(true),
            Field::Malformed => None,
            Field::Set(selector) if other.pods.is_empty() => selector.takes(|_| None),
            Field::Set(selector) => any(other.pods.iter().map(|pod| of_pod(selector, &pod.meta))),
        };
        both(namespace, pods)
    }

    fn is_of_namespace(&self, own: &str, name: &str, labels: Option<&Meta>) -> Option<bool> {
        match &self.namespace_selector {
            // Neither a selector nor a block: the API server accepts no such peer.
            Field::Absent if self.pod_selector.is_absent() => None,
            Field::Absent => Some(own == name),
            Field::Malformed => None,
            Field::Set(selector) => selector.takes(|key| match labels {
                _ if key == NAME => Some(Some(name)),
                Some(namespace) => known(namespace, key),
                None => None,
            }),
        }
    }

    /// Whether it may take OpenShift's DNS, whose namespace is not read.
    fn may_be_other_dns(&self, own: &str) -> bool {
        match self.is_of_namespace(own, OTHER_DNS.0, None) {
            _ if !self.ip_block.is_absent() => false,
            Some(is) => is,
            None => match &self.namespace_selector {
                Field::Set(selector) => selector.asked().any(|(_, value)| value.contains("dns")),
                Field::Absent | Field::Malformed => true,
            },
        }
    }

    fn is_dns(&self, own: &str, inside: &[IpAddr], namespace: Option<&Meta>) -> Option<bool> {
        match &self.ip_block {
            Field::Malformed => return None,
            Field::Set(block) => return block.leads_inside(inside),
            Field::Absent => {}
        }
        let (key, value) = DNS_LABEL;
        let pods = match &self.pod_selector {
            Field::Absent => Some(true),
            Field::Malformed => None,
            // Other labels than the usual one are not known, and that one is not sure.
            Field::Set(selector) => {
                let takes = selector.takes(|own| (own == key).then_some(Some(value)));
                takes.filter(|takes| *takes)
            }
        };
        both(self.is_of_namespace(own, DNS_NAMESPACE, namespace), pods)
    }
}

impl IpBlock {
    fn is_everything(&self) -> bool {
        self.cidr.is_everything() && self.except.is_empty()
    }

    /// Whether it takes an address; `None` where what it excepts is not known.
    fn has(&self, address: IpAddr) -> Option<bool> {
        if !self.cidr.has(address) {
            return Some(false);
        }
        let is_excepted = self.except.known.iter().any(|cidr| cidr.has(address));
        match is_excepted {
            true => Some(false),
            false => self.except.all.then_some(true),
        }
    }

    /// Addresses of another family than the block's say nothing of it.
    fn takes_any(&self, addresses: impl Iterator<Item = IpAddr>) -> Option<bool> {
        let mut own = addresses
            .filter(|address| self.cidr.is_of_family(*address))
            .peekable();
        own.peek()?;
        any(own.map(|address| self.has(address)))
    }

    fn takes(&self, other: &End<'_>) -> Option<bool> {
        if self.is_everything() {
            return Some(true);
        }
        let pods = other.pods.iter().flat_map(|pod| pod.addresses());
        let takes = self.takes_any(pods);
        // A plugin may judge before the Service's address is translated.
        match other.service.map(|service| self.has(service)) {
            Some(Some(true) | None) if takes == Some(false) => None,
            _ => takes,
        }
    }

    /// Whether it takes the address of DNS, which is one of the cluster as these are.
    fn leads_inside(&self, inside: &[IpAddr]) -> Option<bool> {
        if self.is_everything() {
            return Some(true);
        }
        let mut own = inside
            .iter()
            .filter(|address| self.cidr.is_of_family(**address))
            .peekable();
        own.peek()?;
        let is_excepted = |address: &IpAddr| self.except.known.iter().any(|e| e.has(*address));
        // A block of private addresses may be that of DNS, and not of the others.
        let is_outside = |address: &IpAddr| !self.cidr.has(*address) && !self.cidr.is_private();
        own.all(|address| is_excepted(address) || is_outside(address))
            .then_some(false)
    }
}

impl std::fmt::Display for IpBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.cidr)?;
        let except: Vec<String> = self.except.known.iter().map(Cidr::to_string).collect();
        match except.is_empty() {
            true => Ok(()),
            false => write!(f, " except {}", except.join(" and ")),
        }
    }
}

impl Port {
    /// The same of a port of DNS, which no other name than its own is that of.
    fn opens_dns(&self, protocol: Protocol, wanted: u16) -> Option<bool> {
        let is_other = match &self.port {
            Field::Set(Number::Name(name)) => !name.contains("dns") && !name.contains("domain"),
            _ => false,
        };
        match is_other {
            true => Some(false),
            false => self.opens(protocol, wanted),
        }
    }

    /// Whether it opens this port; a name is that of a port of the pods, which are not asked for it.
    fn opens(&self, protocol: Protocol, wanted: u16) -> Option<bool> {
        let own = match &self.protocol {
            Field::Absent => Some(Protocol::Tcp),
            Field::Malformed => return None,
            Field::Set(name) => match name.as_str() {
                "TCP" => Some(Protocol::Tcp),
                "UDP" => Some(Protocol::Udp),
                _ => None,
            },
        };
        if own != Some(protocol) {
            return Some(false);
        }
        match (&self.port, &self.end_port) {
            (Field::Absent, Field::Absent) => Some(true),
            (Field::Set(Number::Number(first)), Field::Absent) => Some(*first == wanted),
            (Field::Set(Number::Number(first)), Field::Set(last)) => {
                Some((*first..=*last).contains(&wanted))
            }
            _ => None,
        }
    }
}

/// Any entry; a list without entries takes all.
fn any_of<T>(list: &Entries<T>, is: impl Fn(&T) -> Option<bool>) -> Option<bool> {
    if list.is_empty() {
        return Some(true);
    }
    let unknown = (!list.all).then_some(None);
    any(list.known.iter().map(is).chain(unknown))
}

fn any(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut is_known = true;
    for one in each {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn of_pod(selector: &LabelSelector, pod: &Meta) -> Option<bool> {
    selector.takes(|key| known(pod, key))
}

fn known<'m>(meta: &'m Meta, key: &str) -> super::label_selector::Value<'m> {
    match meta.label(key) {
        Field::Set(value) => Some(Some(value)),
        Field::Absent => Some(None),
        Field::Malformed => None,
    }
}

impl Parsed for NetworkPolicy {
    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests;
