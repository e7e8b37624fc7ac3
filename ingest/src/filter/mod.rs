//! Packet filters in the language of pcap-filter(7), evaluated over captured frames.
//!
//! [`Filter::parse`] reads an expression once ([`lexer`], [`grammar`]); what it asks of a frame depends on the frame's link
//! type, for which it is compiled ([`compile`]) on first use and then evaluated ([`program`]). As in libpcap, an expression
//! that looks at a byte which was not captured does not match, whatever stands around it.

mod compile;
mod grammar;
mod lexer;
mod program;
mod wlan;
mod words;

use std::path::Path;

use rustc_hash::FxHashMap;

use crate::capture::{CaptureReader, Chunk, FrameMeta, OpenError};
use program::{Frame, Node};

/// What is wrong with an expression, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} (position {position})")]
pub struct FilterError {
    pub message: String,
    /// Character of the expression, counted from 1.
    pub position: usize,
}

/// Why a capture could not be filtered.
#[derive(Debug, thiserror::Error)]
pub enum MatchError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Filter(#[from] FilterError),
}

/// An expression that was understood.
#[derive(Clone, Debug)]
pub struct Filter {
    expression: Option<grammar::Expr>,
}

impl Filter {
    /// Reads an expression; an empty one matches every frame.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { expression: grammar::parse(text)? })
    }

    /// The filter for frames of one link type (LINKTYPE_ number), or why it makes no sense there.
    fn program(&self, link_type: u16) -> Result<Node, FilterError> {
        match &self.expression {
            Some(expression) => compile::compile(expression, link_type),
            None => Ok(Node::Const(true)),
        }
    }
}

/// A filter at work on the frames of a capture.
pub struct Matcher<'f> {
    filter: &'f Filter,
    programs: FxHashMap<u16, Node>,
}

impl<'f> Matcher<'f> {
    pub fn new(filter: &'f Filter) -> Self {
        Self { filter, programs: FxHashMap::default() }
    }

    /// Whether a frame matches; an error if the expression is not valid for its link type.
    pub fn matches(&mut self, meta: &FrameMeta, bytes: &[u8]) -> Result<bool, FilterError> {
        let program = match self.programs.entry(meta.link_type) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(self.filter.program(meta.link_type)?),
        };
        Ok(program.matches(Frame { bytes, wire_len: meta.frame_len }))
    }
}

/// Numbers of the frames of a capture that match, in order.
pub fn matching(path: &Path, filter: &Filter) -> Result<Vec<u64>, MatchError> {
    let mut reader = CaptureReader::open(path)?;
    let mut matcher = Matcher::new(filter);
    let mut chunk = Chunk::default();
    let mut found = Vec::new();
    while reader.next_chunk(&mut chunk) {
        for meta in &chunk.frames {
            if matcher.matches(meta, chunk.bytes(meta))? {
                found.push(meta.number);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
