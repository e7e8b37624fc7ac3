//! Protocols below IP.

pub mod arp;
pub mod cdp;
pub mod lldp;
pub mod stp;
