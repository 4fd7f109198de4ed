//! Certificates (RFC 5280) in words.

use x509_cert::{
    certificate::{CertificateInner, Raw, Version},
    der::Decode,
    time::Time,
};

/// Also one that RFC 5280 does not allow: there are servers with a serial number of more than 20 bytes.
type Certificate = CertificateInner<Raw>;

/// What is said about a certificate.
pub(super) struct Facts {
    pub subject: String,
    pub issuer: String,
    pub not_before: String,
    pub not_after: String,
    /// Seconds since 1970.
    pub valid: std::ops::RangeInclusive<u64>,
}

impl Facts {
    /// Reads a certificate; `None` where it is too odd.
    pub fn read(der: &[u8]) -> Option<Facts> {
        let certificate = Certificate::from_der(der).ok()?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        let seconds = |time: &Time| time.to_unix_duration().as_secs();
        Some(Facts {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            not_before: validity.not_before.to_date_time().to_string(),
            not_after: validity.not_after.to_date_time().to_string(),
            valid: seconds(&validity.not_before)..=seconds(&validity.not_after),
        })
    }

    /// Whether it has signed itself, as far as names tell.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Subject, issuer and end date, a line each.
pub(crate) fn describe(der: &[u8]) -> String {
    match Facts::read(der) {
        Some(facts) => format!(
            "subject: {}\nissuer: {}\nexpires: {}",
            facts.subject, facts.issuer, facts.not_after
        ),
        None => String::new(),
    }
}

/// Whether it is a certificate of the first version, without extensions.
pub(super) fn is_version_1(der: &[u8]) -> bool {
    Certificate::from_der(der)
        .is_ok_and(|certificate| certificate.tbs_certificate().version() == Version::V1)
}
