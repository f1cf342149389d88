//! The rule files and lists that ship inside the program.

/// Each shipped rule file by its name in `rules/`; a test sees to it that none is left out.
pub const FILES: &[(&str, &str)] = &[
    ("name.toml", include_str!("../../rules/name.toml")),
    ("location.toml", include_str!("../../rules/location.toml")),
    ("date.toml", include_str!("../../rules/date.toml")),
    ("age.toml", include_str!("../../rules/age.toml")),
    ("ssn.toml", include_str!("../../rules/ssn.toml")),
    ("mrn.toml", include_str!("../../rules/mrn.toml")),
    ("health-plan.toml", include_str!("../../rules/health-plan.toml")),
    ("account.toml", include_str!("../../rules/account.toml")),
    ("license.toml", include_str!("../../rules/license.toml")),
    ("vehicle.toml", include_str!("../../rules/vehicle.toml")),
    ("device.toml", include_str!("../../rules/device.toml")),
    ("url.toml", include_str!("../../rules/url.toml")),
    ("ip.toml", include_str!("../../rules/ip.toml")),
    ("phone.toml", include_str!("../../rules/phone.toml")),
    ("fax.toml", include_str!("../../rules/fax.toml")),
    ("email.toml", include_str!("../../rules/email.toml")),
    ("zip.toml", include_str!("../../rules/zip.toml")),
    ("biometric.toml", include_str!("../../rules/biometric.toml")),
    ("photo.toml", include_str!("../../rules/photo.toml")),
    ("other-id.toml", include_str!("../../rules/other-id.toml")),
    ("roster.toml", include_str!("../../rules/roster.toml")),
];

/// Each shipped list that a rule names by `terms = { file = ".." }`.
pub const LISTS: &[(&str, &str)] = &[];

/// The three-digit ZIP prefixes of 20,000 people or fewer, which Safe Harbor turns into `000`: one a line.
pub const ZIP3_RESTRICTED: &str = include_str!("../../rules/lexicons/zip3-restricted.txt");

/// A shipped list by its path relative to `rules/`.
pub(super) fn list(path: &str) -> Result<String, String> {
    let found = LISTS.iter().find(|(name, _)| *name == path);
    found
        .map(|(_, text)| (*text).to_owned())
        .ok_or_else(|| "it is not among the shipped lists".to_owned())
}
