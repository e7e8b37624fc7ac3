//! Exit status that scripts can trust.

use std::process::ExitCode;

/// How a run went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Status {
    /// Everything asked for was done.
    #[default]
    Done,
    /// Something asked for was not done, the rest was.
    Partly,
    /// Nothing was done.
    NothingDone,
    /// The reader of our output went away.
    ReaderGone,
    /// The user, or the system, ended the run.
    Interrupted,
}

impl Status {
    /// The process's exit status.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Partly => 1,
            Self::NothingDone => 2,
            Self::ReaderGone => 141,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two.
    pub fn worse(self, other: Self) -> Self {
        self.max(other)
    }
}
