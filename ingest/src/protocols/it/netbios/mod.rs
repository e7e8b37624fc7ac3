//! NetBIOS over TCP/IP (RFC 1001, RFC 1002): the name service, datagrams with what browsers and logon servers say in them
//! (MS-BRWS, MS-ADTS 6.3.5), and the control messages of sessions.

mod datagrams;
mod names;
mod nbname;
pub mod sessions;

use crate::protocols::{DatagramKind, Group, Protocol, StreamKind};

/// The name service; 137 is its port.
pub static NAMES: Protocol = Protocol {
    name: "nbns",
    group: Group::It,
    ports: &[137],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: names::probe, start: || Box::new(names::Names) }),
    ..Protocol::NONE
};

/// The datagram service; 138 is its port.
pub static DATAGRAMS: Protocol = Protocol {
    name: "nbdgm",
    group: Group::It,
    ports: &[138],
    datagram: Some(DatagramKind { ip_protos: &[17], probe: datagrams::probe, start: || Box::new(datagrams::Datagrams) }),
    ..Protocol::NONE
};

/// The start of sessions; 139 is their port.
pub static SESSIONS: Protocol = Protocol {
    name: "nbss",
    group: Group::It,
    ports: &[139],
    stream: Some(StreamKind { probe: sessions::probe, start: || Box::new(sessions::Sessions) }),
    ..Protocol::NONE
};
