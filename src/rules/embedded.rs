//! The rule files and lists that ship inside the program.

/// Each shipped rule file by its name in `rules/`; a test sees to it that none is left out.
pub const FILES: &[(&str, &str)] = &[
    ("ssn.toml", include_str!("../../rules/ssn.toml")),
    ("mrn.toml", include_str!("../../rules/mrn.toml")),
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
