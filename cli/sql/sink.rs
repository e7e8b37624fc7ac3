//! Where an answer goes: standard output, a file, a pager.

use std::io::Write as _;

use crate::export::file::Whole;
use crate::render::Output;

/// Takes an answer piece by piece.
pub trait Sink {
    /// Takes a piece; false when nobody reads on, so that no more need be made.
    fn take(&mut self, bytes: &[u8]) -> Result<bool, String>;
}

impl Sink for Output {
    fn take(&mut self, bytes: &[u8]) -> Result<bool, String> {
        self.show(bytes);
        Ok(!self.is_broken())
    }
}

impl Sink for Whole {
    fn take(&mut self, bytes: &[u8]) -> Result<bool, String> {
        self.write_all(bytes).map(|()| true).map_err(|error| self.fault(&error))
    }
}
