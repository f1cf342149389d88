//! A rule file as written.
