//! Runs the examples that every rule and except carries.
