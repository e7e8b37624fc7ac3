//! ntp.

use crate::protocols::Protocol;

/// Declaration.
pub static PROTOCOL: Protocol = Protocol { name: "ntp", ..Protocol::NONE };
