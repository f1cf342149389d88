//! FHIR: patients of a Bulk Data export (`Patient.ndjson`, a resource on each line), of a Bundle, or one by one; with
//! `Encounter.ndjson`, `Location.ndjson` and `RelatedPerson.ndjson` for where they lie and who belongs to them. R4, and
//! what R5 writes otherwise of these.

mod patient;
mod resource;
mod source;
mod stay;
#[cfg(test)]
mod tests;

pub use source::FhirSource;
pub use stay::Stays;
