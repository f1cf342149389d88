//! Word lists that ship with the rules: names, common words, places. Built by `tools/lexicons.py`.

/// The shipped word lists, parsed once.
#[derive(Debug, Default)]
pub struct Lexicons {
    _private: (),
}
