//! http.

use crate::protocols::Protocol;

/// Declaration.
pub static PROTOCOL: Protocol = Protocol { name: "http", ..Protocol::NONE };
