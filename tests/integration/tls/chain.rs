//! Chains of certificates and lists of revoked ones, made when a test wants them, sound or wrong in just one way.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

/// The host that leaves are for, if a case does not say otherwise.
pub(super) const PLATFORM: &str = "localhost";

/// One that signs.
pub(super) type Signer = CertifiedIssuer<'static, KeyPair>;

/// A leaf with its key and what is shown behind it.
pub(super) struct Shown {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: KeyPair,
}

/// A certificate valid now, for this host.
pub(super) fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new([PLATFORM.to_owned()]).unwrap();
    dated(&mut params, 2020, 2100);
    params.distinguished_name.push(DnType::CommonName, "a platform");
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.serial_number = Some(SerialNumber::from(7_u64));
    params
}

/// A certificate that may sign others.
pub(super) fn signing(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    dated(&mut params, 2020, 2100);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(8_u64));
    params
}

/// Sets the years of a certificate.
pub(super) fn dated(params: &mut CertificateParams, from: i32, to: i32) {
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
}

/// Permits names below one other host only.
pub(super) fn constrained(mut params: CertificateParams) -> CertificateParams {
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("elsewhere.example".into())],
        excluded_subtrees: Vec::new(),
    });
    params
}

/// A root of its own.
pub(super) fn root(name: &str) -> Signer {
    CertifiedIssuer::self_signed(signing(name), KeyPair::generate().unwrap()).unwrap()
}

/// One that a root, or another, lets sign.
pub(super) fn below(params: CertificateParams, signer: &Signer) -> Signer {
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), signer).unwrap()
}

/// A leaf signed by one signer, shown with these behind it.
pub(super) fn shown(params: &CertificateParams, signer: &Signer, behind: &[&Signer]) -> Shown {
    let key = KeyPair::generate().unwrap();
    let mut chain = vec![params.signed_by(&key, signer).unwrap().der().clone()];
    chain.extend(behind.iter().map(|signer| signer.der().clone()));
    Shown { chain, key }
}

/// A list that a signer publishes, with the serial numbers it takes back, good until a year.
pub(super) fn list(signer: &Signer, revoked: &[u64], until: i32) -> String {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2021, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2021, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(signer).unwrap().pem().unwrap()
}
