//! Protocols below IP.

pub mod arp;
pub mod lldp;
