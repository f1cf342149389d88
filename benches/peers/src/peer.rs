//! The peer: `dd-sensitive-data-scanner` with the patterns of our rules.
//!
//! Patterns are handed over as they are written, without regard to case, since ours are run over folded text.

use dd_sds::{RegexRuleConfig, RootRuleConfig, RuleMatch, Scanner};
use postward::rules::{Matcher, RuleSet};

/// How far from a keyword a hit may stand, in characters, as in our rules.
const REACH: usize = 50;

/// A scanner and how much of our rules it took.
pub struct Peer {
    scanner: Scanner,
    pub n_patterns: usize,
    pub n_taken: usize,
}

impl Peer {
    /// Loads every pattern that the peer can take. `keyed`: those of our rules that need a keyword need it here, too.
    pub fn build(rules: &RuleSet, keyed: bool) -> Result<Self, String> {
        let mut n_patterns = 0;
        let mut taken = Vec::new();
        for rule in &rules.rules {
            let Matcher::Pattern(pattern) = &rule.matcher else { continue };
            n_patterns += 1;
            let mut config = RegexRuleConfig::new(&format!("(?i){}", pattern.as_str()));
            if let Some(keywords) =
                rule.keywords.as_ref().filter(|_| keyed && rule.confidence.is_none())
            {
                config = config.with_proximity_keywords(dd_sds::ProximityKeywordsConfig {
                    look_ahead_character_count: REACH,
                    included_keywords: keywords.words.clone(),
                    excluded_keywords: Vec::new(),
                });
            }
            let rule = RootRuleConfig::new(config.build());
            if Scanner::builder(std::slice::from_ref(&rule)).build().is_ok() {
                taken.push(rule);
            }
        }
        let scanner = Scanner::builder(&taken).build().map_err(|error| format!("{error:?}"))?;
        Ok(Self { scanner, n_patterns, n_taken: taken.len() })
    }

    /// Every match in a text. The text stays as it is: no rule has an action.
    pub fn scan(&self, text: &mut String) -> Vec<RuleMatch> {
        self.scanner.scan(text).unwrap_or_default()
    }
}
