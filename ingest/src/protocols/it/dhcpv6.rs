//! dhcpv6.

use crate::protocols::Protocol;

/// Declaration.
pub static PROTOCOL: Protocol = Protocol { name: "dhcpv6", ..Protocol::NONE };
