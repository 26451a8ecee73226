//! A certificate authority of a home server's own, and a certificate by it for loopback.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;

/// How the mail server is spoken to, as `SMTP_TLS` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    None,
    Starttls,
    Implicit,
}

impl SmtpTls {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Starttls => "starttls",
            Self::Implicit => "implicit",
        }
    }
}

/// Made anew for every sandbox that wants one: no key lies about in the repository.
pub struct Authority {
    /// The authority's certificate, for `CA_FILE`.
    pub pem: String,
    /// For servers at `localhost` and 127.0.0.1.
    pub server: Arc<ServerConfig>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::named("Sandbox Authority")
    }
}

impl Authority {
    /// Two authorities must have different names, or a certificate of the one is a forgery to the other.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();

        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        Self { pem: authority.pem(), server: Arc::new(server) }
    }
}
