use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::Reader;

/// `CA_FILE`: further authorities to trust, on top of the system's.
#[derive(Clone, Debug, Default)]
pub struct ExtraAuthorities {
    /// One DER certificate each; empty if `CA_FILE` is not set.
    pub certificates: Vec<Vec<u8>>,
}

impl ExtraAuthorities {
    pub fn read(r: &mut Reader<'_>) -> Self {
        let Some(file) = r.text("CA_FILE") else { return Self::default() };
        let certificates = read_pem(&file).map_err(|what| format!("the file {file} {what}"));
        Self { certificates: r.accept("CA_FILE", certificates).unwrap_or_default() }
    }
}

fn read_pem(file: &str) -> Result<Vec<Vec<u8>>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("can't be read: {error}"))?;
    let certificates = CertificateDer::pem_slice_iter(&pem).map(|one| one.map(|der| der.to_vec()));
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| format!("is not PEM: {error}"))?;
    match certificates.is_empty() {
        true => Err("holds no certificate (-----BEGIN CERTIFICATE-----)".to_owned()),
        false => Ok(certificates),
    }
}
