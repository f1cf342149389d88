//! Texts that stand in many strings of a body and are one to whoever reads them. A closed list that the files name.
//!
//! Rich text is a tree of nodes, cut wherever a writer made a word bold; so is a name.

use crate::body::{Path, Step};

/// How the strings of one field make one text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Split {
    /// Strings in elements of one list run on (`c[0].t`, `c[1].t`); those of other lists begin a new line.
    Runs,
    /// Every string is a line of its own: a paragraph, a list item.
    Lines,
}

/// What stands between two strings that are read as one text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Join {
    /// Nothing: one runs on in the other.
    Run,
    /// Something that is no text, such as an emoji or a mention: a blank.
    Gap,
    /// A new line.
    Line,
}

impl Split {
    pub(super) const NAMES: &[(&str, Self)] = &[("runs", Self::Runs), ("lines", Self::Lines)];

    /// What stands between a string and the next of its field.
    pub fn join(self, before: &Path, after: &Path) -> Join {
        if self == Self::Lines {
            return Join::Line;
        }
        let (before_steps, after_steps) = (before.steps(), after.steps());
        let common = before_steps
            .iter()
            .zip(&after_steps[..])
            .take_while(|(one, other)| one == other)
            .count();
        match (before_steps.get(common), after_steps.get(common)) {
            (Some(Step::Index(one)), Some(Step::Index(other))) => {
                // An element that holds its string itself is a run of words; one that holds a list may be a paragraph.
                let is_run = |path: &Path| path.n_steps() == common + 2;
                match other.checked_sub(*one) {
                    Some(1) if is_run(before) || is_run(after) => Join::Run,
                    Some(_) if is_run(before) || is_run(after) => Join::Gap,
                    _ => Join::Line,
                }
            }
            _ => Join::Line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Join, Split};
    use crate::body::{Path, Step};

    fn path(written: &str) -> Path {
        let step = |step: &str| step.parse().map_or_else(|_| Step::Key(step.into()), Step::Index);
        written.split('.').map(step).collect()
    }

    #[test]
    fn runs_of_one_list_are_one_line() {
        for (before, after, want) in [
            ("document.0.c.0.t", "document.0.c.1.t", Join::Run),
            ("document.0.c.0.t", "document.0.c.2.t", Join::Gap),
            ("document.0.c.0.t", "document.1.c.0.t", Join::Line),
            ("document.0.c.0.t", "document.0.c.1.c.0.t", Join::Run),
            ("document.0.c.1.c.1.t", "document.0.c.2.t", Join::Run),
            ("document.0.c.0.c.0.t", "document.0.c.1.c.0.t", Join::Line),
            ("document.0.c.0.t", "document.0.c.0.t", Join::Line),
            ("a.t", "b.t", Join::Line),
        ] {
            assert_eq!(Split::Runs.join(&path(before), &path(after)), want, "{before} {after}");
            assert_eq!(Split::Lines.join(&path(before), &path(after)), Join::Line);
        }
    }
}
