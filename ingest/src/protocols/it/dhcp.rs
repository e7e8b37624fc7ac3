//! dhcp.

use crate::protocols::Protocol;

/// Declaration.
pub static PROTOCOL: Protocol = Protocol { name: "dhcp", ..Protocol::NONE };
