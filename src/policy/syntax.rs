//! A policy file as written.
