//! PROFINET IO (IEC 61158-5-10 and -6-10, IEC 61784-2): configuration by DCP, cyclic data and alarms in frames of their own
//! EtherType, and context management in connectionless DCE/RPC.

pub mod cm;
mod dcp;
mod rt;

use crate::packet::Packet;
use crate::protocols::{Cx, FrameDissector, FrameKind, Group, Outcome, Protocol};
use crate::wire::Reader;

/// Frames of PROFINET's EtherType.
pub static PROTOCOL: Protocol = Protocol {
    name: "profinet",
    group: Group::Ot,
    frame: Some(FrameKind { claims: |packet| packet.ether_type == Some(ETHER_TYPE), start: || Box::<Dissector>::default() }),
    ..Protocol::NONE
};

const ETHER_TYPE: u16 = 0x8892;

#[derive(Default)]
struct Dissector {
    requests: dcp::Requests,
}

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let mut reader = Reader::new(packet.payload);
        let Ok(frame_id) = reader.be_u16() else { return Outcome::NotMine };
        if matches!(frame_id, 0xfefc..=0xfeff) {
            dcp::frame(cx, &mut self.requests, packet, frame_id, reader.rest());
        } else {
            rt::frame(cx, packet, frame_id, reader.rest());
        }
        Outcome::Decoded
    }
}

/// The name of an alarm (IEC 61158-6-10, coding of AlarmType).
fn alarm_name(code: u16) -> Option<&'static str> {
    Some(match code {
        0x01 => "diagnosis",
        0x02 => "process",
        0x03 => "pull",
        0x04 => "plug",
        0x05 => "status",
        0x06 => "update",
        0x07 => "redundancy",
        0x08 => "controlled_by_supervisor",
        0x09 => "released",
        0x0a => "plug_wrong_submodule",
        0x0b => "return_of_submodule",
        0x0c => "diagnosis_disappears",
        0x0d => "multicast_mismatch",
        0x0e => "port_data_change",
        0x0f => "sync_data_changed",
        0x10 => "isochronous_mode_problem",
        0x11 => "network_component_problem",
        0x12 => "time_data_changed",
        0x1e => "upload_and_retrieval",
        0x1f => "pull_module",
        _ => return None,
    })
}
