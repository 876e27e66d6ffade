//! TLS with the API server: which certificate of its is trusted, and which one of ours is shown.
//!
//! Go's rules where rustls is stricter than needed: a key is taken for what it is, whatever its PEM label says, and a certificate that
//! is itself listed as an authority is trusted. What the library cannot do is said in words, with the way out.

use super::cause::chain;
use crate::error::{Error, Result, io_words};
use crate::text::line;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, ResolveServerName,
};
use kube::client::ConfigExt;
use kube::config::{AuthInfo, Config};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// A client certificate and its key, as PEM.
pub(super) struct Identity {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Identity {
    /// Takes the client certificate and its key out of `user`.
    ///
    /// # Errors
    /// A file that cannot be read, or one of the two alone.
    pub(super) fn take(user: &mut AuthInfo) -> Result<Option<Self>> {
        let key = user.client_key_data.take();
        let key = key.as_ref().map(|k| k.expose_secret());
        let certificate = load(
            CERTIFICATE,
            user.client_certificate_data.take().as_deref(),
            user.client_certificate.take(),
        )?;
        let key = load(KEY, key, user.client_key.take())?;
        match (certificate, key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (Some(_), None) => Err(wrong("the client certificate has no client key")),
            (None, Some(_)) => Err(wrong("the client key has no client certificate")),
        }
    }

    fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&format!("{CERTIFICATE}: {e}")))?;
        if chain.is_empty() {
            return Err(wrong(&format!("{CERTIFICATE}: it holds no certificate")));
        }
        let der = private_key(&self.key)?;
        let on_p521 = der.windows(P521.len()).any(|w| w == P521);
        // By what it is: the label may name another form.
        let key = PrivateKeyDer::try_from(der).map_err(|_| unusable("of an unknown form"))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|e| match e {
            rustls::Error::InconsistentKeys(_) => {
                wrong("the client key does not belong to the client certificate")
            }
            _ if on_p521 => unusable("on the curve P-521"),
            _ => unusable("of a kind or size"),
        })
    }
}

const CERTIFICATE: &str = "client certificate";
const KEY: &str = "client key";
/// The curve's object identifier, 1.3.132.0.35, in DER.
const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];

fn wrong(why: &str) -> Error {
    Error::new(format!("kubeconfig: {why}"))
}

fn unusable(how: &str) -> Error {
    wrong(&format!(
        "the client key is {how} that this program cannot use; kubectl may"
    ))
    .hint(
        "use a key on P-256 or P-384, an Ed25519 key, an RSA key of at least 2048 bits, or a token",
    )
}

/// The data, base64, or what the file holds.
fn load(what: &str, data: Option<&str>, file: Option<String>) -> Result<Option<Vec<u8>>> {
    if let Some(data) = data.filter(|d| !d.is_empty()) {
        let data = STANDARD.decode(data);
        return data
            .map(Some)
            .map_err(|_| wrong(&format!("{what}: its data is not base64")));
    }
    let Some(file) = file.filter(|f| !f.is_empty()) else {
        return Ok(None);
    };
    let read = std::fs::read(&file);
    read.map(Some)
        .map_err(|e| wrong(&format!("{what} {}: {}", line(&file), io_words(&e))))
}

/// The first private key of a PEM file, whatever its label.
fn private_key(text: &[u8]) -> Result<Vec<u8>> {
    let mut rest = std::io::Cursor::new(text);
    loop {
        match pem::from_buf(&mut rest) {
            Ok(Some((
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey,
                der,
            ))) => return Ok(der),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(e) => return Err(wrong(&format!("{KEY}: {e}"))),
        }
    }
    let encrypted = text.windows(9).any(|w| w == b"ENCRYPTED");
    Err(wrong(&if encrypted {
        format!("{KEY}: it is encrypted")
    } else {
        format!("{KEY}: it holds no private key")
    }))
}

/// Returns how TLS is spoken with the server of `config`.
///
/// # Errors
/// A certificate or key that cannot be used, in words.
pub(super) fn client_config(config: &Config, identity: Option<Identity>) -> Result<ClientConfig> {
    if config.root_cert.as_ref().is_some_and(Vec::is_empty) {
        return Err(wrong("certificate authority: it holds no certificate"));
    }
    let mut tls = config.rustls_client_config().map_err(|e| match e {
        kube::Error::RustlsTls(e) => wrong(&chain(&e)),
        other => wrong(&chain(&other)),
    })?;
    if let Some(identity) = identity {
        let certified = identity.certified(tls.crypto_provider())?;
        tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    }
    // In a cluster kube reads the authority again and again.
    if let (Some(authorities), None, false) = (
        &config.root_cert,
        &config.root_cert_file,
        config.accept_invalid_certs,
    ) {
        let provider = Arc::clone(tls.crypto_provider());
        let verifier = Verifier::new(authorities, provider)?;
        tls.dangerous().set_certificate_verifier(Arc::new(verifier));
    }
    Ok(tls)
}

/// TLS over whatever connection is given.
#[derive(Clone)]
pub(super) struct TlsConnector {
    config: Arc<ClientConfig>,
    names: Arc<dyn ResolveServerName + Send + Sync>,
}

impl TlsConnector {
    /// `name` is checked in place of the server's host.
    ///
    /// # Errors
    /// A name that is not one.
    pub(super) fn new(config: ClientConfig, name: Option<&str>) -> Result<Self> {
        let names: Arc<dyn ResolveServerName + Send + Sync> = match name.filter(|n| !n.is_empty()) {
            None => Arc::new(DefaultServerNameResolver::default()),
            Some(name) => {
                let parsed = name.to_owned().try_into();
                let parsed = parsed.map_err(|_| {
                    Error::new(format!(
                        "tls-server-name {:?} is not a host name",
                        line(name)
                    ))
                })?;
                Arc::new(FixedServerNameResolver::new(parsed))
            }
        };
        Ok(Self {
            config: Arc::new(config),
            names,
        })
    }

    pub(super) fn over<T>(&self, connection: T) -> HttpsConnector<T> {
        HttpsConnector::new(
            connection,
            Arc::clone(&self.config),
            false,
            Arc::clone(&self.names),
        )
    }
}

/// The library's check, and Go's exception to it: a certificate that is listed as an authority needs no other one to sign it.
#[derive(Debug)]
struct Verifier {
    chain: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(authorities: &[Vec<u8>], provider: Arc<CryptoProvider>) -> Result<Self> {
        let listed: Vec<_> = authorities
            .iter()
            .cloned()
            .map(CertificateDer::from)
            .collect();
        let mut roots = RootCertStore::empty();
        for certificate in &listed {
            let added = roots.add(certificate.clone());
            added.map_err(|e| wrong(&format!("certificate authority: {e}")))?;
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let chain = chain.map_err(|e| wrong(&format!("certificate authority: {e}")))?;
        Ok(Self { chain, listed })
    }
}

/// Whether nothing but the chain is wrong: nobody signed the certificate, an authority of its issuer's name did not, or it is an
/// authority itself. The library judges the certificate's time before it says any of them.
fn only_unchained(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chained = self.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match chained {
            Err(error) if only_unchained(&error) && self.listed.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests;
