//! HSRP: Cisco's way to give several routers one address (RFC 2281 version 1; version 2 is a list of TLVs).
//!
//! ```text
//! 1: 0 | opcode u8 | state u8 | hello, s, u8 | hold, s, u8 | priority u8 | group u8 | 0 | authentication 8 | address 4 | TLVs
//!    opcode 3: 0 | 3 | type u16 | length u16 | state u8 ...
//! 2: type u8 | length u8 | value
//!    1 group state: 2 | opcode u8 | state u8 | IP version u8 | group u16 | MAC 6 | priority u32 | hello, ms, u32 | hold u32 | address 16
//!    2 interface state, 3 text authentication, 4 MD5 authentication
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pcapper_schema::Mac;
use pcapper_schema::tables::Hsrp;

use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict, secrets};
use crate::wire::{Reader, Wire};

/// HSRP, on its own ports only: its header is a few small numbers.
pub static PROTOCOL: Protocol = Protocol {
    name: "hsrp",
    group: Group::It,
    ports: &[1985, 2029],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Messages>::default() }),
    ..Protocol::NONE
};

/// Opcode of version 1's advertisement.
const ADVERTISE: u8 = 3;
const TEXT: u8 = 3;
const MD5: u8 = 4;

fn probe(offer: &Offer<'_>) -> Verdict {
    if offer.usual_port && version(offer.current()).is_some() { Verdict::Yes } else { Verdict::No }
}

/// The version, by what the first octets can be.
fn version(payload: &[u8]) -> Option<u8> {
    match payload {
        [0, 0..=2, state, ..] if payload.len() >= 20 && state_1(*state).is_some() => Some(1),
        [0, 3, 0, 1, ..] if payload.len() >= 16 => Some(1),
        [1, 40..=255, 2, ..] | [2, 4..=255, ..] if payload.len() >= 6 => Some(2),
        _ => None,
    }
}

/// One group state or advertisement.
#[derive(Default, PartialEq, Debug)]
struct State {
    version: u8,
    /// What version 2 tells of an interface bears none.
    opcode: Option<u8>,
    state: Option<u8>,
    group: Option<u16>,
    priority: Option<u32>,
    hello_ms: Option<u32>,
    hold_ms: Option<u32>,
    virtual_ip: Option<IpAddr>,
    identifier: Option<Mac>,
}

/// What a packet proves itself with.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
struct Proof<'a> {
    text: Option<&'a [u8]>,
    md5: bool,
}

#[derive(Default)]
struct Messages {
    /// The password last written to `credentials`.
    told: secrets::Repeated,
}

impl DatagramDissector for Messages {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let (mut states, mut proof) = (Vec::new(), Proof::default());
        let whole = match version(payload) {
            Some(1) => read_1(payload, &mut states, &mut proof),
            Some(_) => read_2(payload, &mut states, &mut proof),
            None => return Outcome::NotMine,
        };
        let text = proof.text.map(String::from_utf8_lossy);
        for state in &states {
            let virtual_ip = state.virtual_ip.map(|ip| ip.to_string());
            let identifier = state.identifier.map(|mac| mac.to_string());
            cx.emit(Hsrp {
                version: Some(state.version),
                opcode: state.opcode,
                opcode_name: opcode(state.opcode.unwrap_or(ADVERTISE)),
                state: state.state,
                state_name: state.state.and_then(|code| match (state.version, state.opcode) {
                    (1, Some(ADVERTISE)) => None,
                    (1, _) => state_1(code),
                    _ => state_2(code),
                }),
                group: state.group,
                priority: state.priority,
                hello_s: state.hello_ms.map(|ms| f64::from(ms) / 1000.0),
                hold_s: state.hold_ms.map(|ms| f64::from(ms) / 1000.0),
                virtual_ip: virtual_ip.as_deref(),
                auth: if proof.md5 { Some("md5") } else { proof.text.map(|_| "text") },
                auth_text: text.as_deref(),
                identifier: identifier.as_deref(),
            });
        }
        if let (Some(secret), Some(text)) = (proof.text, text) {
            self.told.tell(cx, "hsrp", secret, &text);
        }
        if whole.is_err() {
            cx.anomaly("hsrp", "bad_length", "a TLV reaches beyond the packet, or is shorter than its fields");
        }
        Outcome::Decoded
    }
}

fn read_1<'a>(payload: &'a [u8], states: &mut Vec<State>, proof: &mut Proof<'a>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    wire.skip(1)?;
    let opcode = wire.u8()?;
    if opcode == ADVERTISE {
        states.push(State { version: 1, opcode: Some(opcode), ..State::default() });
        return Ok(());
    }
    let state = wire.u8()?;
    let (hello, hold) = (wire.u8()?, wire.u8()?);
    let (priority, group) = (wire.u8()?, wire.u8()?);
    wire.skip(1)?;
    let text = printed(wire.take(8)?);
    let virtual_ip = Ipv4Addr::from(wire.array::<4>()?);
    states.push(State {
        version: 1,
        opcode: Some(opcode),
        state: Some(state),
        group: Some(group.into()),
        priority: Some(priority.into()),
        hello_ms: Some(u32::from(hello) * 1000),
        hold_ms: Some(u32::from(hold) * 1000),
        virtual_ip: Some(virtual_ip.into()),
        identifier: None,
    });
    // The TLV of the digest may stand behind; then the field before is not a password.
    while let Ok(kind) = wire.u8() {
        let length = usize::from(wire.u8()?);
        wire.skip(length)?;
        proof.md5 |= kind == MD5;
    }
    proof.text = text.filter(|_| !proof.md5);
    Ok(())
}

fn read_2<'a>(payload: &'a [u8], states: &mut Vec<State>, proof: &mut Proof<'a>) -> Wire<()> {
    let mut wire = Reader::new(payload);
    while let Ok(kind) = wire.u8() {
        let length = usize::from(wire.u8()?);
        let mut value = wire.sub(length)?;
        match kind {
            1 => {
                value.skip(1)?;
                let (opcode, state, family) = (value.u8()?, value.u8()?, value.u8()?);
                let (group, identifier) = (value.be_u16()?, Mac(value.array()?));
                let (priority, hello, hold) = (value.be_u32()?, value.be_u32()?, value.be_u32()?);
                let address = value.array::<16>()?;
                let [a, b, c, d, ..] = address;
                states.push(State {
                    version: 2,
                    opcode: Some(opcode),
                    state: Some(state),
                    group: Some(group),
                    priority: Some(priority),
                    hello_ms: Some(hello),
                    hold_ms: Some(hold),
                    virtual_ip: Some(if family == 6 { Ipv6Addr::from(address).into() } else { Ipv4Addr::new(a, b, c, d).into() }),
                    identifier: Some(identifier),
                });
            }
            // How many groups the interface is active in: version 1's advertisement.
            2 => states.push(State { version: 2, ..State::default() }),
            TEXT => proof.text = printed(value.rest()),
            MD5 => proof.md5 = true,
            _ => {}
        }
    }
    Ok(())
}

/// A password, NULs behind it left out.
fn printed(field: &[u8]) -> Option<&[u8]> {
    field.split(|&byte| byte == 0).next().filter(|text| !text.is_empty())
}

fn opcode(code: u8) -> Option<&'static str> {
    ["hello", "coup", "resign", "advertise"].get(usize::from(code)).copied()
}

/// States of version 1 (RFC 2281 5.1).
fn state_1(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "initial",
        1 => "learn",
        2 => "listen",
        4 => "speak",
        8 => "standby",
        16 => "active",
        _ => return None,
    })
}

/// States of version 2.
fn state_2(code: u8) -> Option<&'static str> {
    ["initial", "learn", "listen", "speak", "standby", "active"].get(usize::from(code.checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1() {
        let bytes = [0, 0, 16, 3, 10, 200, 1, 0, b'c', b'i', b's', b'c', b'o', 0, 0, 0, 192, 168, 0, 1];
        let (mut states, mut proof) = (Vec::new(), Proof::default());
        assert_eq!(version(&bytes), Some(1));
        assert!(read_1(&bytes, &mut states, &mut proof).is_ok());
        let state = &states[0];
        assert_eq!((state.group, state.priority, state.hold_ms), (Some(1), Some(200), Some(10_000)));
        assert_eq!((state.virtual_ip, proof.text), ("192.168.0.1".parse().ok(), Some(&b"cisco"[..])));
        assert_eq!(state_1(16), Some("active"));
    }

    #[test]
    fn version_2() {
        let mut bytes = vec![1, 40, 2, 0, 6, 4, 1, 2, 0, 1, 2, 3, 4, 5, 0, 0, 0, 110, 0, 0, 11, 184, 0, 0, 39, 16, 10, 0, 0, 1];
        bytes.extend([0; 12]);
        bytes.extend([3, 8, b'x', 0, 0, 0, 0, 0, 0, 0]);
        let (mut states, mut proof) = (Vec::new(), Proof::default());
        assert_eq!(version(&bytes), Some(2));
        assert!(read_2(&bytes, &mut states, &mut proof).is_ok());
        let state = &states[0];
        assert_eq!((state.group, state.priority, state.hello_ms, state.hold_ms), (Some(258), Some(110), Some(3000), Some(10_000)));
        assert_eq!((state.virtual_ip, proof.text, state_2(6)), ("10.0.0.1".parse().ok(), Some(&b"x"[..]), Some("active")));
        assert!(read_2(&bytes[..30], &mut Vec::new(), &mut Proof::default()).is_err());
        let mut states = Vec::new();
        assert!(read_2(&[2, 4, 0, 0, 0, 1], &mut states, &mut proof).is_ok());
        assert_eq!(states, [State { version: 2, ..State::default() }]);
    }
}
