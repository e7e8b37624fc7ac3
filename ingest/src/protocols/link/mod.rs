//! Protocols below IP.
mod announcements;

pub mod arp;
pub mod cdp;
pub mod lldp;
pub mod stp;
