//! Exit codes, in one table: scripts depend on them, so `--help` and a test print the very same rows.

use std::fmt::Write as _;
use std::process::ExitCode;

use crate::policy::Action;

/// How a command ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "an exit that is dropped tells no script anything"]
pub enum Exit {
    /// All is well.
    Fine,
    /// The work could not be done, or what was checked does not hold.
    Failed,
    /// The command line cannot be understood.
    WrongUsage,
    /// A file somebody wrote for us cannot be used.
    BadFiles,
    /// `scan --exit-code`: something was found, and the policy lets it pass.
    WouldLog,
    /// `scan --exit-code`: a post would be redacted, none blocked.
    WouldRedact,
    /// `scan --exit-code`: a post would be blocked.
    WouldBlock,
}

impl Exit {
    /// Every exit, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Fine,
        Self::Failed,
        Self::WrongUsage,
        Self::BadFiles,
        Self::WouldLog,
        Self::WouldRedact,
        Self::WouldBlock,
    ];

    /// The number a script sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::WrongUsage => 2,
            Self::BadFiles => 3,
            Self::WouldLog => 10,
            Self::WouldRedact => 11,
            Self::WouldBlock => 12,
        }
    }

    /// What the number says.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Failed => "failed",
            Self::WrongUsage => "wrong usage",
            Self::BadFiles => "bad config, rules or policy",
            Self::WouldLog => "scan --exit-code: something would be logged",
            Self::WouldRedact => "scan --exit-code: a post would be redacted",
            Self::WouldBlock => "scan --exit-code: a post would be blocked",
        }
    }

    /// The exit of `scan --exit-code` for the strictest action over all posts.
    pub const fn of_action(strictest: Option<Action>) -> Self {
        match strictest {
            None => Self::Fine,
            Some(Action::Log) => Self::WouldLog,
            Some(Action::Redact) => Self::WouldRedact,
            Some(Action::Block) => Self::WouldBlock,
        }
    }

    /// The table for `--help`.
    pub fn table() -> String {
        let mut table = String::from("Exit codes:\n");
        for exit in Self::ALL {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "  {:>2}  {}", exit.code(), exit.meaning());
        }
        table
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_table_is_the_contract() {
        insta::assert_snapshot!(Exit::table(), @r"
        Exit codes:
           0  fine
           1  failed
           2  wrong usage
           3  bad config, rules or policy
          10  scan --exit-code: something would be logged
          11  scan --exit-code: a post would be redacted
          12  scan --exit-code: a post would be blocked
        ");
    }
}
