//! Certificates of one run: a CA that lives in memory, the servers' leaf, and client certificates for users.
//!
//! The CA and the leaf are apart on purpose: rustls refuses a certificate that is its own CA.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use crate::error::{Error, Result};

/// X.520 organisation, which Kubernetes reads as a group. rcgen holds one value for each kind of attribute, so the second group needs
/// the same attribute under its number.
const ORGANIZATION: &[u64] = &[2, 5, 4, 10];

/// A certificate and its key, both PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// The CA that the run's servers and clients trust.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("testbed-ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
        })
    }

    /// The CA's certificate, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// For every server of the run.
    pub(crate) fn server(&self) -> Result<Identity> {
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut params = CertificateParams::new(names).map_err(failed)?;
        params.distinguished_name = named("testbed");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    /// For a user in at most two groups.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Result<Identity> {
        let mut name = named(user);
        match groups {
            [] => {}
            [one] => name.push(DnType::OrganizationName, *one),
            [one, two] => {
                name.push(DnType::OrganizationName, *one);
                name.push(DnType::CustomDnType(ORGANIZATION.to_vec()), *two);
            }
            _ => {
                return Err(Error::Other(format!(
                    "user {user}: at most two groups are supported"
                )));
            }
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Result<Identity> {
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A new key pair, private and public PEM, for service account tokens.
pub(crate) fn signing_key() -> Result<(String, String)> {
    let key = new_key()?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate().map_err(failed)
}

fn failed(error: rcgen::Error) -> Error {
    Error::Other(format!("make a certificate: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_groups_are_refused() {
        let error = Authority::new()
            .unwrap()
            .client("u", &["a", "b", "c"])
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "user u: at most two groups are supported"
        );
    }

    #[test]
    fn a_leaf_is_not_its_ca() {
        let authority = Authority::new().unwrap();
        let leaf = authority.server().unwrap();
        assert_ne!(leaf.certificate, authority.certificate());
        assert!(leaf.key.starts_with("-----BEGIN PRIVATE KEY-----"));
    }
}
