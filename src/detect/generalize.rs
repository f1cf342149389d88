//! The form of an identifier that Safe Harbor allows, where a pattern alone knows it.

use std::sync::OnceLock;

use crate::rules::{Category, ZIP3_RESTRICTED};

/// The allowed form of a hit, as it stands in the folded view. Dates and ages are the composers' matter.
pub(super) fn generalized(category: Category, hit: &str) -> Option<String> {
    (category == Category::Zip).then(|| zip3(hit)).flatten()
}

/// The first three digits of a ZIP, or 000 where 20,000 people or fewer share them.
fn zip3(hit: &str) -> Option<String> {
    let mut digits = hit.chars().filter(char::is_ascii_digit);
    let prefix: String = digits.by_ref().take(3).collect();
    (digits.count() >= 2).then(|| if is_restricted(&prefix) { "000".to_owned() } else { prefix })
}

fn is_restricted(prefix: &str) -> bool {
    static RESTRICTED: OnceLock<Vec<&'static str>> = OnceLock::new();
    let list = RESTRICTED
        .get_or_init(|| ZIP3_RESTRICTED.lines().filter(|line| !line.starts_with('#')).collect());
    list.binary_search(&prefix).is_ok()
}

#[cfg(test)]
mod tests {
    use super::generalized;
    use crate::rules::{Category, ZIP3_RESTRICTED};

    #[test]
    fn a_zip_keeps_three_digits_unless_few_live_there() {
        for (hit, want) in [
            ("14604", Some("146")),
            ("14604-1234", Some("146")),
            ("03602", Some("000")),
            ("89301", Some("000")),
            ("146", None),
        ] {
            assert_eq!(generalized(Category::Zip, hit).as_deref(), want, "{hit}");
        }
        assert_eq!(generalized(Category::Mrn, "14604"), None);
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(ZIP3_RESTRICTED.lines().filter(|line| !line.starts_with('#')).is_sorted());
    }
}
