//! Checks of the number itself: ranges, layouts, check digits. One file a check.
//!
//! A check raises a hit or lowers it. It never drops a labelled number: of the social security numbers in clinicians'
//! test posts nearly all were never issued, and each was meant as one.

mod aba;
mod dea;
mod iban;
mod imei;
mod ip;
mod luhn;
mod mbi;
mod nanp;
mod npi;
mod ssn_area;
mod vin;

use crate::rules::Validator;

/// Whether a hit, as it stands in the folded view, passes a check.
pub(super) fn passes(validator: Validator, hit: &str) -> bool {
    match validator {
        Validator::SsnArea => ssn_area::passes(hit),
        Validator::Luhn => luhn::passes(hit),
        Validator::Npi => npi::passes(hit),
        Validator::Dea => dea::passes(hit),
        Validator::Mbi => mbi::passes(hit),
        Validator::Vin => vin::passes(hit),
        Validator::Nanp => nanp::passes(hit),
        Validator::Ip => ip::passes(hit),
        Validator::Imei => imei::passes(hit),
        Validator::Aba => aba::passes(hit),
        Validator::Iban => iban::passes(hit),
    }
}

/// The digits of a hit, whatever stands between them.
fn digits(hit: &str) -> Vec<u32> {
    hit.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// The letters and digits of a hit.
fn alphanumerics(hit: &str) -> Vec<u8> {
    hit.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

#[cfg(test)]
#[track_caller]
fn check(passes: fn(&str) -> bool, cases: &[(&str, bool)]) {
    for (hit, want) in cases {
        assert_eq!(passes(hit), *want, "{hit}");
    }
}
