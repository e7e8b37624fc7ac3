//! Protocols of offices and data centres.

pub mod dhcp;
pub mod dhcpv6;
pub mod dns;
pub mod http;
pub mod icmp;
pub mod mime;
pub mod ntp;
pub mod rdp;
pub mod ssdp;
pub mod ssh;
pub mod syslog;
pub mod tls;
pub mod vnc;
pub mod x509;
