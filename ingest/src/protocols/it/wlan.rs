//! IEEE 802.11 management frames and the key frames of its four-way handshake (IEEE 802.11-2020, 9.3.3, 9.4 and 12.7).

use pcapper_schema::tables::Wlan;

use crate::packet::{Packet, WlanHeader};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, FrameDissector, FrameKind, Outcome, Protocol};
use crate::wire::{Malformed, Reader, Wire};

/// Management frames, and EAPOL key frames in data frames.
pub static PROTOCOL: Protocol = Protocol {
    name: "wlan",
    frame: Some(FrameKind {
        claims: |packet| packet.wlan.is_some_and(|header| header.is_management() || packet.ether_type == Some(EAPOL)),
        start: || Box::new(Dissector),
    }),
    ..Protocol::NONE
};

const EAPOL: u16 = 0x888e;
/// Type of EAPOL that carries keys.
const KEY: u8 = 3;
const RSN_OUI: [u8; 3] = [0x00, 0x0f, 0xac];
const MICROSOFT_OUI: [u8; 3] = [0x00, 0x50, 0xf2];

fn subtype_name(type_subtype: u8) -> Option<&'static str> {
    Some(match type_subtype {
        0 => "association_request",
        1 => "association_response",
        2 => "reassociation_request",
        3 => "reassociation_response",
        4 => "probe_request",
        5 => "probe_response",
        6 => "timing_advertisement",
        8 => "beacon",
        9 => "atim",
        10 => "disassociation",
        11 => "authentication",
        12 => "deauthentication",
        13 => "action",
        14 => "action_no_ack",
        _ => return None,
    })
}

/// Reasons of deauthentication and disassociation (table 9-49).
fn reason(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "unspecified",
        2 => "previous authentication no longer valid",
        3 => "station is leaving",
        4 => "inactivity",
        5 => "too many stations",
        6 => "frame of class 2 from a station not authenticated",
        7 => "frame of class 3 from a station not associated",
        8 => "station is leaving the basic service set",
        9 => "not authenticated",
        10 => "power capability not acceptable",
        11 => "supported channels not acceptable",
        12 => "transition to another access point",
        13 => "invalid element",
        14 => "message integrity check failed",
        15 => "four-way handshake timeout",
        16 => "group key handshake timeout",
        17 => "element of the handshake differs",
        18 => "invalid group cipher",
        19 => "invalid pairwise cipher",
        20 => "invalid AKM",
        21 => "unsupported RSN version",
        22 => "invalid RSN capabilities",
        23 => "802.1X authentication failed",
        24 => "cipher rejected by policy",
        32 => "quality of service, unspecified",
        33 => "lack of bandwidth",
        34 => "poor channel conditions",
        35 => "outside the transmission opportunity",
        36 => "station leaves or resets",
        37 => "station does not want the mechanism",
        38 => "mechanism without set-up",
        39 => "timeout",
        45 => "peer does not support the cipher",
        _ => return None,
    })
}

/// A robust security network element, or WPA's of the same form.
#[derive(Clone, Default, Debug)]
struct Suites {
    group: Option<u8>,
    pairwise: Vec<u8>,
    akms: Vec<u8>,
    capabilities: u16,
}

impl Suites {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let mut suites = Self::default();
        reader.skip(2)?;
        // All that follows may be left out from some point on (9.4.2.24.1).
        let _ = suites.fill(reader);
        Ok(suites)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Wire<()> {
        let suite = |reader: &mut Reader<'_>| -> Wire<u8> {
            reader.skip(3)?;
            reader.u8()
        };
        self.group = Some(suite(reader)?);
        for _ in 0..reader.le_u16()? {
            self.pairwise.push(suite(reader)?);
        }
        for _ in 0..reader.le_u16()? {
            self.akms.push(suite(reader)?);
        }
        self.capabilities = reader.le_u16()?;
        Ok(())
    }
}

/// What the elements of a frame say.
#[derive(Default)]
struct Elements<'a> {
    ssid: Option<&'a [u8]>,
    channel: Option<u8>,
    rsn: Option<Suites>,
    wpa: Option<Suites>,
    wps: bool,
}

impl<'a> Elements<'a> {
    fn read(reader: &mut Reader<'a>) -> (Self, bool) {
        let mut elements = Self::default();
        let fits = elements.fill(reader).is_ok();
        (elements, fits)
    }

    fn fill(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        while !reader.is_empty() {
            let (id, length) = (reader.u8()?, reader.u8()?);
            let mut element = reader.sub(usize::from(length))?;
            match id {
                0 if self.ssid.is_none() => self.ssid = Some(element.rest()),
                3 => self.channel = element.u8().ok(),
                // HT operation: the primary channel, where there is no DS element.
                61 if self.channel.is_none() => self.channel = element.u8().ok(),
                48 => self.rsn = Suites::read(&mut element).ok(),
                221 => match element.array::<4>() {
                    Ok([a, b, c, 1]) if [a, b, c] == MICROSOFT_OUI => self.wpa = Suites::read(&mut element).ok(),
                    Ok([a, b, c, 4]) if [a, b, c] == MICROSOFT_OUI => self.wps = true,
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// How a network that announces this is secured.
    fn security(&self, privacy: bool) -> &'static str {
        if let Some(rsn) = &self.rsn {
            let has = |codes: &[u8]| rsn.akms.iter().any(|akm| codes.contains(akm));
            let (sae, psk, eap, suite_b) = (has(&[8, 9, 24, 25]), has(&[2, 4, 6, 19, 20]), has(&[1, 3, 5]), has(&[11, 12, 13]));
            return match (has(&[18]), sae, psk, suite_b, eap) {
                (true, ..) => "owe",
                (_, true, true, ..) => "wpa2_wpa3",
                (_, true, ..) => "wpa3",
                (_, _, true, ..) => "wpa2",
                (_, _, _, true, _) => "wpa3_eap",
                (.., true) => "wpa2_eap",
                _ => "wpa2",
            };
        }
        match &self.wpa {
            Some(wpa) if wpa.akms.contains(&1) => "wpa_eap",
            Some(_) => "wpa",
            None if privacy => "wep",
            None => "open",
        }
    }
}

/// A name that is hidden: empty, or of zeros alone.
fn is_hidden(ssid: &[u8]) -> bool {
    ssid.iter().all(|octet| *octet == 0)
}

/// Fixed fields of a management frame.
#[derive(Default)]
struct Fixed {
    interval: Option<u16>,
    capabilities: Option<u16>,
    algorithm: Option<u16>,
    sequence: Option<u16>,
    status: Option<u16>,
    reason: Option<u16>,
    has_elements: bool,
}

impl Fixed {
    fn read(subtype: u8, reader: &mut Reader<'_>) -> Wire<Self> {
        let mut fixed = Self::default();
        match subtype {
            5 | 8 => {
                reader.skip(8)?;
                fixed.interval = Some(reader.le_u16()?);
                fixed.capabilities = Some(reader.le_u16()?);
                fixed.has_elements = true;
            }
            0 | 2 => {
                fixed.capabilities = Some(reader.le_u16()?);
                reader.skip(if subtype == 2 { 8 } else { 2 })?;
                fixed.has_elements = true;
            }
            1 | 3 => {
                fixed.capabilities = Some(reader.le_u16()?);
                fixed.status = Some(reader.le_u16()?);
                reader.skip(2)?;
                fixed.has_elements = true;
            }
            4 => fixed.has_elements = true,
            11 => {
                fixed.algorithm = Some(reader.le_u16()?);
                fixed.sequence = Some(reader.le_u16()?);
                fixed.status = Some(reader.le_u16()?);
                // What SAE adds is no list of elements.
                fixed.has_elements = fixed.algorithm != Some(3);
            }
            10 | 12 => fixed.reason = Some(reader.le_u16()?),
            _ => {}
        }
        Ok(fixed)
    }
}

/// A key frame (12.7.2): message of the handshake, replay counter, and PMKID.
fn key(payload: &[u8]) -> Wire<Option<(u8, u64, Option<String>)>> {
    let mut reader = Reader::new(payload);
    let (_, kind) = (reader.u8()?, reader.u8()?);
    if kind != KEY {
        return Ok(None);
    }
    reader.skip(2)?;
    let descriptor = reader.u8()?;
    if !matches!(descriptor, 2 | 254) {
        return Err(Malformed);
    }
    let information = reader.be_u16()?;
    reader.skip(2)?;
    let counter = reader.be_u64()?;
    // Nonce, IV, counter, reserved, check.
    reader.skip(32 + 16 + 8 + 8 + 16)?;
    let length = usize::from(reader.be_u16()?);
    let data = reader.take(length.min(reader.len()))?;
    let is_set = |bit: u16| information >> bit & 1 != 0;
    let (pairwise, ack, check, secure) = (is_set(3), is_set(7), is_set(8), is_set(9));
    let message = match (pairwise, ack, check) {
        (false, ..) => 0,
        (_, true, false) => 1,
        (_, true, true) => 3,
        (_, false, true) if secure || length == 0 => 4,
        (_, false, true) => 2,
        (_, false, false) => 0,
    };
    // A key data element of the PMKID (table 12-9).
    let pmkid = match data {
        [0xdd, 20, a, b, c, 4, id @ ..] if [*a, *b, *c] == RSN_OUI && message == 1 => {
            id.get(..16).filter(|id| id.iter().any(|octet| *octet != 0)).map(hex)
        }
        _ => None,
    };
    Ok(Some((message, counter, pmkid)))
}

fn base(header: &WlanHeader) -> Wlan<'static> {
    Wlan {
        type_subtype: Some(header.type_subtype),
        frequency_mhz: header.radio.frequency_mhz,
        signal_dbm: header.radio.signal_dbm.map(i32::from),
        data_rate_mbps: header.radio.rate.filter(|rate| *rate > 0).map(|rate| f64::from(rate) / 2.0),
        retry: Some(header.is_retry()),
        protected: Some(header.is_protected()),
        sequence: Some(header.sequence),
        mac_randomised: Some(header.transmitter.0.first().is_some_and(|first| first & 0x03 == 0x02)),
        ..Wlan::default()
    }
}

struct Dissector;

impl FrameDissector for Dissector {
    fn frame(&mut self, cx: &mut Cx<'_>, packet: &Packet<'_>) -> Outcome {
        let Some(header) = packet.wlan else { return Outcome::NotMine };
        let (bssid, transmitter, receiver) = (header.bssid.map(|mac| mac.to_string()), header.transmitter.to_string(), header.receiver.to_string());
        let base = Wlan { bssid: bssid.as_deref(), transmitter: Some(&transmitter), receiver: Some(&receiver), ..base(&header) };
        if !header.is_management() {
            return match key(packet.payload) {
                Ok(Some((message, counter, pmkid))) => {
                    cx.emit(Wlan {
                        subtype: Some("eapol_key"),
                        eapol_message: Some(message).filter(|message| *message > 0),
                        key_replay_counter: Some(counter),
                        pmkid: pmkid.as_deref(),
                        ..base
                    });
                    Outcome::Decoded
                }
                Ok(None) => Outcome::NotMine,
                Err(Malformed) => {
                    cx.anomaly("wlan", "bad_length", "a key frame ends within its fields");
                    Outcome::NotMine
                }
            };
        }
        let base = Wlan { subtype: subtype_name(header.type_subtype), ..base };
        if header.is_protected() {
            cx.emit(base);
            return Outcome::Decoded;
        }
        let mut reader = Reader::new(packet.payload);
        let Ok(fixed) = Fixed::read(header.type_subtype, &mut reader) else {
            cx.anomaly("wlan", "truncated_header", "a management frame ends within its fixed fields");
            cx.emit(base);
            return Outcome::Decoded;
        };
        let (elements, fits) = if fixed.has_elements { Elements::read(&mut reader) } else { (Elements::default(), true) };
        if !fits && packet.payload.len() >= packet.payload_len as usize {
            cx.anomaly("wlan", "bad_length", "an element of a management frame ends beyond it");
        }
        let privacy = fixed.capabilities.map(|capabilities| capabilities & 0x10 != 0);
        let suites = elements.rsn.as_ref();
        let announces = matches!(header.type_subtype, 5 | 8);
        let ssid = elements.ssid.filter(|ssid| !is_hidden(ssid)).map(String::from_utf8_lossy);
        cx.emit(Wlan {
            ssid: ssid.as_deref(),
            // An empty name in a request asks for any network.
            ssid_hidden: elements.ssid.filter(|_| announces).map(is_hidden),
            channel: elements.channel,
            beacon_interval_tu: fixed.interval,
            privacy,
            security: announces.then(|| elements.security(privacy == Some(true))),
            akm_codes: suites.map(|suites| suites.akms.as_slice()).filter(|akms| !akms.is_empty()),
            pairwise_codes: suites.map(|suites| suites.pairwise.as_slice()).filter(|codes| !codes.is_empty()),
            group_cipher_code: suites.and_then(|suites| suites.group),
            pmf: suites.map(|suites| match suites.capabilities & 0xc0 {
                0 => "none",
                0x80 => "capable",
                _ => "required",
            }),
            wps: fixed.has_elements.then_some(elements.wps),
            auth_algorithm: fixed.algorithm,
            auth_sequence: fixed.sequence,
            status_code: fixed.status,
            reason_code: fixed.reason,
            reason: fixed.reason.and_then(reason),
            ..base
        });
        Outcome::Decoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_their_security() {
        let mut beacon = vec![0; 8];
        beacon.extend([100, 0, 0x11, 0, 0, 5]);
        beacon.extend(b"plant");
        beacon.extend([3, 1, 11, 48, 20, 1, 0, 0, 15, 0xac, 4, 1, 0, 0, 15, 0xac, 4, 1, 0, 0, 15, 0xac, 2, 0x80, 0]);
        let mut reader = Reader::new(&beacon);
        let fixed = Fixed::read(8, &mut reader).unwrap();
        let (elements, fits) = Elements::read(&mut reader);
        assert!(fits);
        assert_eq!((fixed.interval, elements.ssid, elements.channel), (Some(100), Some(&b"plant"[..]), Some(11)));
        assert_eq!((elements.security(true), elements.rsn.as_ref().map(|rsn| rsn.capabilities)), ("wpa2", Some(0x80)));
        assert_eq!(Elements::default().security(true), "wep");
        assert!(is_hidden(&[0, 0]) && is_hidden(&[]) && !is_hidden(b"x"));
        assert!(!Elements::read(&mut Reader::new(&[0, 9, 1])).1);
    }

    #[test]
    fn messages_of_the_handshake() {
        let frame = |information: u16, data: &[u8]| {
            let mut frame = vec![2, 3, 0, 0, 2];
            frame.extend(information.to_be_bytes());
            frame.extend([0, 16, 0, 0, 0, 0, 0, 0, 0, 7]);
            frame.extend([0; 80]);
            frame.extend((data.len() as u16).to_be_bytes());
            frame.extend(data);
            frame
        };
        let mut id = vec![0xdd, 20, 0, 15, 0xac, 4];
        id.extend([0xab; 16]);
        let (message, counter, pmkid) = key(&frame(0x008a, &id)).unwrap().unwrap();
        assert_eq!((message, counter, pmkid.as_deref()), (1, 7, Some("abababababababababababababababab")));
        let number = |information, data: &[u8]| key(&frame(information, data)).unwrap().map(|(message, ..)| message);
        assert_eq!((number(0x010a, &[48, 0]), number(0x13ca, &[1]), number(0x030a, &[])), (Some(2), Some(3), Some(4)));
        assert!(key(&frame(0x008a, &[])[..40]).is_err());
    }
}
