//! The requests that using a database takes: a service account, the methods of CouchDB's API, the database and everything below it.

use super::super::lookup::can_be_an_object;
use super::super::names::is_namespace_name;
use std::fmt;

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub namespace: String,
    pub name: String,
}

impl Account {
    /// Reads `NAMESPACE/NAME`.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (namespace, name) = text
            .split_once('/')
            .ok_or("not NAMESPACE/NAME, such as pds/pds")?;
        if !is_namespace_name(namespace) {
            return Err("not the name of a namespace before the /");
        }
        if !can_be_an_object(name) {
            return Err("not the name of a service account behind the /");
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The identity that mutual TLS proves: `cluster.local/ns/pds/sa/pds`.
    pub fn principal(&self, trust_domain: &str) -> String {
        format!("{trust_domain}/ns/{}/sa/{}", self.namespace, self.name)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/db` itself.
    Database,
    /// Every path below it: `/db/…`.
    Below,
}

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: &'static str,
    pub place: Place,
}

/// Reading and writing documents. To create or delete the database itself is not part of using it.
pub const USE: [Asked; 8] = [
    asked("GET", Place::Database),
    asked("GET", Place::Below),
    asked("HEAD", Place::Database),
    asked("HEAD", Place::Below),
    asked("POST", Place::Database),
    asked("POST", Place::Below),
    asked("PUT", Place::Below),
    asked("DELETE", Place::Below),
];

const fn asked(method: &'static str, place: Place) -> Asked {
    Asked { method, place }
}

/// Who asks what of which pod.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    pub account: &'r Account,
    pub trust_domain: &'r str,
    pub database: &'r str,
    /// The pod's port, not the Service's.
    pub port: u16,
    pub asked: Asked,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_namespace_and_a_name() {
        let account = Account::parse("pds/pds.batch-1").unwrap();
        assert_eq!(account.to_string(), "pds/pds.batch-1");
        assert_eq!(
            account.principal("cluster.local"),
            "cluster.local/ns/pds/sa/pds.batch-1"
        );
        for odd in [
            "pds", "/pds", "pds/", "pds/a/b", "Pds/pds", "pds/*", "a b/c", "*/pds",
        ] {
            assert!(Account::parse(odd).is_err(), "{odd}");
        }
    }
}
