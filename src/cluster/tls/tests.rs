//! Keys and certificates that Go takes, made here but for those that the generator cannot make.

use super::*;
use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConnection, ServerConfig, ServerConnection};
use std::time::Duration;

const RSA: &str = "-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQChbALtN9VtIcL/
QUvhdWe1v6YuyWEWPwvheE97aI8fnmxI+ScfQmRc6l6hOZfGf2p+9B4IY1Q8a3lF
lDyCTl3w50d05BqrWTdHmzlCM+NZulhIs3dykp4okCLzP9XtiGi0jTnX0VN3iRdH
Ko00UyfwIWYURO4yJUMDnRIwzjY9k1pTWxnd3n3hXH+K97EkZc5YGG5fAFGh7DC2
inVX/OKoAgg2n64unvbEMu4bj/qb6d6dHRaGyvNta+o46IRBKqIXbVQUPeCeU9kh
1RZ39TLFPX1do5vj8ojSRIxqhpXNj8r7ggIA1hc00T9oZSTkBfqg7bA7GJVXBDWi
8sweemwxAgMBAAECggEAHhcMypxsT+4Js9w/oVTp0rLZbwJB80woUkzDgC0i9NFq
vQWYudZ97+YOYr5iIPHSb7zgtk6RvruH/STfTKkAEO6D3vHAWO2GBPaV61XRzQGU
AGVX4EcdbVFE+pQNNDyHzBRBUo4mIXOwH6d6b+UKXlRTe3bH8hgJEGzgnbFq4fpA
RzMSFWBINqhTZkjzxjThrUkbbx6Uwp2IaWxzXmBmBX2UvSOoCc7EQ9fxV8psccmj
cZZMoCGua8HAEX8tk+nyj2u4bXtiuCxwl11ry8ojAM4JtWEMc1qJRSTbKse1dN7Z
+cfUw5686H9i0sM7U4WzaFo43YyBBnTRbf3uCAtLOQKBgQDcB7d+EpFvb4WJj/W9
k3QEd6X89my3nK+45f8H15wTRUYajef42WvhYF9RE0V2YZ28krhT5DrWlNdk1F/i
XNZSz/JT3D1rsOIhVubPrKCYUYEEwQOF1LcUIAxb4c0cUhGtVyVFxHYVnSjgFd8q
HWBJZ0zUJ5zFmMpR7JVvz3TsFQKBgQC7z4jiejT6GTAHr3TebfIoYalncISvG5mM
/ada4DjRsW3wQ2wLrgMVgL2TNb95MLrFnNhIP0qaW98tiFdSteRV9Mur2+2ie6de
S/52C0GEdfTkledee6JVR8un3xgf4EKTGqCZFZuU2cFCrxI12qCkvsEi/leu3XaW
vLeSj/narQKBgGxH7+k/QgtRGqqECi9tbV71ct52dzI1DdU0erllRg3FvaY7x7kT
Zp/XSZEgpsKHb5Tpr4S5gKsxPH8GdNl1TpQaeesDK8bfmalGlvgEwFO1aITqZ81o
zWA+FVbyXHpfeQuRI2qeMG6alQ8SNG0JX+U/zPNrOx+S/Z4ri68mrSexAoGASMrK
WkVVbS4AAKqPmHpyphYcK5xfwOLoo83YZI+NVjD31Gy9XtWGGnp4f6sQWG97pIYD
ChWF28gJ+0Lh3YvkQTCNFEI8m4Jjv1ei+6unLCjvzv0O3P78TyNxmtIMLqakBxIF
9u96CrpPfoIOg9MF+nR4tRBxebQad5gTannlNE0CgYB2aZJYUMMhaVsC0nHYYYzI
3O3lNt0El5a/+0pMJP7JZQfryS28NTo9GDZSbTLX+iNeS8iuEJni4hMOf0AzjEx9
c1ZIjaTd58+/BTomm4mJTDs3iqExoqlHbVNv0zYd5gGF3lrjXoaC8RNkb2rBPHCL
NQZjdz497V6gZeWitnfgfQ==
-----END PRIVATE KEY-----
";
const P521: &str = "-----BEGIN PRIVATE KEY-----
MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIArPX2CCRVHS2Sh8aw
7hPUAlbb9A4DwVDHB/qR1b+meT4uU0tc8GfZt8gH9LyCWKrc4tGlemijiP6+zEO2
6wjCMRShgYkDgYYABAHMj2uMkJEUxMQYMnRmqFWX+KXKJAjgYiVz2hrdDFDSbRDq
LReb0Ses69K9GroVdSTxTjmBpArvQFTL4Uxu5W/ajgHXbYMi0u6cheMbIv/p483X
IN9qw+qHQtTuFWP94FYX7pwdLdk5IaIHC4quNpa6geCe/wuZdXPz7NoHvFRR7YBS
GQ==
-----END PRIVATE KEY-----
";
const P521_SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MIHcAgEBBEIArPX2CCRVHS2Sh8aw7hPUAlbb9A4DwVDHB/qR1b+meT4uU0tc8GfZ
t8gH9LyCWKrc4tGlemijiP6+zEO26wjCMRSgBwYFK4EEACOhgYkDgYYABAHMj2uM
kJEUxMQYMnRmqFWX+KXKJAjgYiVz2hrdDFDSbRDqLReb0Ses69K9GroVdSTxTjmB
pArvQFTL4Uxu5W/ajgHXbYMi0u6cheMbIv/p483XIN9qw+qHQtTuFWP94FYX7pwd
Ldk5IaIHC4quNpa6geCe/wuZdXPz7NoHvFRR7YBSGQ==
-----END EC PRIVATE KEY-----
";

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
}

fn certified(certificate: &str, key: Vec<u8>) -> Result<CertifiedKey> {
    let identity = Identity {
        certificate: certificate.as_bytes().to_vec(),
        key,
    };
    identity.certified(&rustls::crypto::ring::default_provider())
}

/// A certificate for `host`, by these parameters.
fn params(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

#[test]
fn a_key_is_taken_for_what_it_is_whatever_its_label() {
    let ec = KeyPair::generate().unwrap();
    let rsa = KeyPair::from_pem(RSA).unwrap();
    for (key, inner) in [(ec, 29), (rsa, 26)] {
        let certificate = params("jane").self_signed(&key).unwrap().pem();
        let pkcs8 = key.serialize_der();
        // What the PKCS#8 wraps: SEC1 or PKCS#1.
        for der in [&pkcs8[..], &pkcs8[inner..]] {
            for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
                let key = certified(&certificate, pem(label, der));
                assert!(key.is_ok(), "{label} {inner}: {}", key.unwrap_err());
            }
        }
    }
}

#[test]
fn a_key_that_cannot_be_used_is_told_in_words() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("jane").self_signed(&key).unwrap().pem();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let on_p521 = "kubeconfig: the client key is on the curve P-521 that this program cannot use; kubectl may";
    for (key, said) in [
        (P521, on_p521),
        (P521_SEC1, on_p521),
        (
            &other,
            "kubeconfig: the client key does not belong to the client certificate",
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "kubeconfig: client key: it is encrypted",
        ),
        ("", "kubeconfig: client key: it holds no private key"),
        (
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
            "kubeconfig: the client key is of an unknown form that this program cannot use; kubectl may",
        ),
    ] {
        let error = certified(&certificate, key.as_bytes().to_vec()).unwrap_err();
        assert_eq!(error.message(), said);
    }
    let error = certified("", P521.as_bytes().to_vec()).unwrap_err();
    assert_eq!(
        error.message(),
        "kubeconfig: client certificate: it holds no certificate"
    );
}

/// Shakes hands with a server that shows this certificate.
fn handshake(
    client: &ClientConfig,
    host: &str,
    shown: &rcgen::Certificate,
    key: &KeyPair,
) -> Result<(), rustls::Error> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![shown.der().clone()], key)
        .unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client.clone()), name).unwrap();
    while client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        let mut rest = &wire[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

fn trusting(authority: &rcgen::Certificate) -> ClientConfig {
    let mut config = Config::new("https://kube.corp".parse().unwrap());
    config.root_cert = Some(vec![authority.der().to_vec()]);
    client_config(&config, None).unwrap()
}

/// Go's `Verify`: a certificate among the roots is its own chain; time and name are checked all the same.
#[test]
fn a_certificate_that_is_listed_as_authority_is_trusted() {
    let (ca_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = params("ca.corp");
    ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    // The generator gives all of them one name; of a leaf with its issuer's name the library says another error.
    let other_name = |mut p: CertificateParams| {
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CommonName, "kube.corp");
        p.distinguished_name = name;
        p
    };
    let issuer = Issuer::new(ca, ca_key);
    let signed = |p: CertificateParams| p.signed_by(&key, &issuer).unwrap();
    let namesake = signed(params("kube.corp"));
    let leaf = signed(other_name(params("kube.corp")));
    let mut own = params("kube.corp");
    own.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = own.self_signed(&key).unwrap();
    let old = |mut p: CertificateParams| {
        p.not_before = rcgen::date_time_ymd(2001, 1, 1);
        p.not_after = rcgen::date_time_ymd(2002, 1, 1);
        p
    };
    let mut old_own = old(params("kube.corp"));
    old_own.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let old_own = old_own.self_signed(&key).unwrap();
    let old_leaf = signed(old(params("kube.corp")));
    for shown in [&leaf, &namesake, &own] {
        let client = trusting(shown);
        assert_eq!(handshake(&client, "kube.corp", shown, &key), Ok(()));
        let elsewhere = handshake(&client, "other.corp", shown, &key).unwrap_err();
        assert!(
            elsewhere.to_string().contains("not valid for name"),
            "{elsewhere}"
        );
    }
    for shown in [&old_leaf, &old_own] {
        let late = handshake(&trusting(shown), "kube.corp", shown, &key).unwrap_err();
        assert!(late.to_string().contains("expired"), "{late}");
    }
    // Another certificate of the same server is not the one that is listed.
    let other = signed(params("kube.corp"));
    for (listed, shown) in [
        (&leaf, &other),
        (&other, &leaf),
        (&leaf, &own),
        (&namesake, &other),
    ] {
        let error = handshake(&trusting(listed), "kube.corp", shown, &key).unwrap_err();
        assert!(
            error.to_string().contains("invalid peer certificate"),
            "{error}"
        );
    }
}

/// The exception counts on the library's order: it judges the time before the chain.
#[test]
fn the_time_is_judged_first() {
    let key = KeyPair::generate().unwrap();
    let shown = params("kube.corp").self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let other = params("x")
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap();
    let roots = [other.der().to_vec()];
    let mut verifier = Verifier::new(&roots, provider).unwrap();
    verifier.listed.push(shown.der().clone());
    let name = ServerName::try_from("kube.corp").unwrap();
    let at = |year: u64| {
        let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952));
        verifier.verify_server_cert(shown.der(), &[], &name, &[], now)
    };
    assert!(at(2026).is_ok());
    for year in [1971, 4097] {
        let error = at(year).unwrap_err().to_string();
        assert!(
            error.contains("expired") || error.contains("not valid yet"),
            "{error}"
        );
    }
}

#[test]
fn an_authority_without_a_certificate_is_an_error() {
    let mut config = Config::new("https://kube.corp".parse().unwrap());
    config.root_cert = Some(Vec::new());
    let error = client_config(&config, None).unwrap_err();
    assert_eq!(
        error.message(),
        "kubeconfig: certificate authority: it holds no certificate"
    );
}
