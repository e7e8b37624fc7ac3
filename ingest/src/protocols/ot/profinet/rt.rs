//! Cyclic data, alarms and time synchronisation (IEC 61158-6-10, sections 4.7 to 4.12).
//!
//! ```text
//! cyclic   data  cycle counter:2  data status:1  transfer status:1
//! alarm    destination:2 source:2 type:1 flags:1 send:2 ack:2 length:2   block type:2 length:2 version:2 alarm:2 API:4 slot:2 subslot:2
//! ```

use pcapper_schema::tables::ProfinetRt;

use super::alarm_name;
use crate::packet::Packet;
use crate::protocols::Cx;
use crate::wire::{Reader, Wire};

/// Octets of data that are kept.
const MAX_DATA: usize = 64;
/// Kind of alarm PDU that carries a notification.
const DATA: u8 = 1;

/// What a frame id is for.
fn class(frame_id: u16) -> &'static str {
    match frame_id {
        0x0020..=0x0082 => "ptcp_sync",
        0x0100..=0x0fff => "rtc3",
        0x8000..=0xbbff => "rtc1_2_unicast",
        0xbc00..=0xbfff => "rtc1_multicast",
        0xc000..=0xf7ff => "rtc_udp_unicast",
        0xf800..=0xfbff => "rtc_udp_multicast",
        0xfc01 => "alarm_high",
        0xfe01 => "alarm_low",
        0xff20 | 0xff21 => "ptcp_follow_up",
        0xff40..=0xff43 => "ptcp_delay",
        0xff80..=0xff8f => "fragment",
        _ => "reserved",
    }
}

/// Alarm, slot and subslot of a notification.
fn notification(bytes: &[u8]) -> Wire<Option<(u16, u16, u16)>> {
    let mut reader = Reader::new(bytes);
    reader.skip(4)?;
    let kind = reader.u8()? & 0x0f;
    reader.skip(7)?;
    if kind != DATA || !matches!(reader.be_u16()?, 1 | 2) {
        return Ok(None);
    }
    reader.skip(4)?;
    let alarm = reader.be_u16()?;
    reader.skip(4)?;
    Ok(Some((alarm, reader.be_u16()?, reader.be_u16()?)))
}

/// Takes a frame behind its frame id.
pub fn frame(cx: &mut Cx<'_>, packet: &Packet<'_>, frame_id: u16, bytes: &[u8]) {
    let class = class(frame_id);
    let base = ProfinetRt {
        vlan_id: packet.vlan_id,
        priority: packet.vlan_priority,
        frame_id: Some(frame_id),
        frame_class: Some(class),
        ..ProfinetRt::default()
    };
    let is_cut = packet.payload.len() < packet.payload_len as usize;
    match class {
        "alarm_high" | "alarm_low" => match notification(bytes) {
            Ok(alarm) => cx.emit(ProfinetRt {
                alarm_type: alarm.map(|(alarm, ..)| alarm),
                alarm_type_name: alarm.and_then(|(alarm, ..)| alarm_name(alarm)),
                alarm_slot: alarm.map(|(_, slot, _)| slot),
                alarm_subslot: alarm.map(|(.., subslot)| subslot),
                ..base
            }),
            Err(_) => {
                cx.anomaly("profinet_rt", "bad_length", "an alarm ends within its notification");
                cx.emit(base);
            }
        },
        "rtc3" | "rtc1_2_unicast" | "rtc1_multicast" | "rtc_udp_unicast" | "rtc_udp_multicast" if !is_cut => {
            let Some((data, [high, low, status, transfer])) = bytes.split_last_chunk::<4>() else { return cx.emit(base) };
            cx.emit(ProfinetRt {
                cycle_counter: Some(u16::from_be_bytes([*high, *low])),
                data_status: Some(*status),
                ds_primary: Some(status & 0x01 != 0),
                ds_valid: Some(status & 0x04 != 0),
                ds_run: Some(status & 0x10 != 0),
                ds_ok: Some(status & 0x20 != 0),
                transfer_status: Some(*transfer),
                data: data.get(..MAX_DATA.min(data.len())).filter(|data| !data.is_empty()),
                data_len: u16::try_from(data.len()).ok(),
                ..base
            });
        }
        _ => cx.emit(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_name_their_place() {
        let mut alarm = vec![0, 1, 0, 2, 0x11, 0, 0, 0, 0, 0, 0, 26, 0, 2, 0, 22, 1, 0];
        alarm.extend([0, 3, 0, 0, 0, 0, 0, 2, 0, 1]);
        assert_eq!(notification(&alarm), Ok(Some((3, 2, 1))));
        assert_eq!(alarm_name(3), Some("pull"));
        assert!(notification(&alarm[..20]).is_err());
        assert_eq!((class(0x8000), class(0xfe01), class(0xfefe)), ("rtc1_2_unicast", "alarm_low", "reserved"));
    }
}
