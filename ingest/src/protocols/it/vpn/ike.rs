//! IKE: version 1 (RFC 2408, 2409) and version 2 (RFC 7296), on UDP 500 and beside ESP on 4500 (RFC 3948). What is not
//! encrypted is read: the negotiation of the key exchange itself.

use std::borrow::Cow;

use pcapper_schema::tables::Vpn;

use super::esp::{self, Associations};
use super::{Tally, note};
use crate::protocols::hex::hex;
use crate::protocols::{Cx, DatagramDissector, DatagramKind, Group, Offer, Outcome, Protocol, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// IKE on any port; 500 and 4500 are its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "ike",
    group: Group::It,
    ports: &[500, 4500],
    datagram: Some(DatagramKind { ip_protos: &[17], probe, start: || Box::<Exchanges>::default() }),
    ..Protocol::NONE
};

/// Port on which IKE is marked by four zero octets, for everything else is ESP.
const NAT_PORT: u16 = 4500;
/// Security associations of one pair of ports that are followed.
const MAX_ASSOCIATIONS: usize = 64;
/// Payloads, proposals and transforms of one message that are read.
const MAX_PARTS: usize = 256;
/// Values of each kind that a row keeps.
const MAX_VALUES: usize = 32;

/// A message's header (RFC 7296, 3.1).
#[derive(Clone, Copy, Debug)]
struct Header {
    initiator: [u8; 8],
    responder: [u8; 8],
    first_payload: u8,
    version: u8,
    exchange: u8,
    flags: u8,
    length: usize,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        let (initiator, responder) = (reader.array()?, reader.array()?);
        let (first_payload, version, exchange, flags) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        reader.skip(4)?;
        let length = reader.be_u32()? as usize;
        let header = Self { initiator, responder, first_payload, version, exchange, flags, length };
        let known = exchange_name(version, exchange).is_some();
        if length < 28 || !known { Err(Malformed) } else { Ok(header) }
    }
}

fn exchange_name(version: u8, exchange: u8) -> Option<&'static str> {
    Some(match (version >> 4, exchange) {
        (1, 1) => "base",
        (1, 2) => "identity_protection",
        (1, 3) => "authentication_only",
        (1, 4) => "aggressive",
        (1, 5) => "informational",
        (1, 6) => "transaction",
        (1, 32) => "quick_mode",
        (1, 33) => "new_group",
        (2, 34) => "ike_sa_init",
        (2, 35) => "ike_auth",
        (2, 36) => "create_child_sa",
        (2, 37) => "informational",
        (2, 38) => "session_resume",
        (2, 39) => "gsa_auth",
        (2, 40) => "gsa_registration",
        (2, 41) => "gsa_rekey",
        (2, 43) => "ike_intermediate",
        _ => return None,
    })
}

/// Diffie-Hellman groups (IANA, Transform Type 4).
fn group_name(group: u16) -> Option<&'static str> {
    Some(match group {
        1 => "modp768",
        2 => "modp1024",
        5 => "modp1536",
        14 => "modp2048",
        15 => "modp3072",
        16 => "modp4096",
        17 => "modp6144",
        18 => "modp8192",
        19 => "ecp256",
        20 => "ecp384",
        21 => "ecp521",
        22 => "modp1024s160",
        23 => "modp2048s224",
        24 => "modp2048s256",
        25 => "ecp192",
        26 => "ecp224",
        27 => "brainpool224",
        28 => "brainpool256",
        29 => "brainpool384",
        30 => "brainpool512",
        31 => "curve25519",
        32 => "curve448",
        _ => return None,
    })
}

/// Ciphers of version 1 (IANA, IPsec registry, Encryption Algorithm).
fn cipher_v1(code: u16) -> &'static str {
    match code {
        1 => "des_cbc",
        2 => "idea_cbc",
        3 => "blowfish_cbc",
        4 => "rc5_cbc",
        5 => "3des_cbc",
        6 => "cast_cbc",
        7 => "aes_cbc",
        8 => "camellia_cbc",
        _ => "",
    }
}

/// Ciphers of version 2 (IANA, Transform Type 1).
fn cipher_v2(code: u16) -> &'static str {
    match code {
        1 => "des_iv64",
        2 => "des_cbc",
        3 => "3des_cbc",
        4 => "rc5_cbc",
        5 => "idea_cbc",
        6 => "cast_cbc",
        7 => "blowfish_cbc",
        11 => "null",
        12 => "aes_cbc",
        13 => "aes_ctr",
        14 => "aes_ccm_8",
        15 => "aes_ccm_12",
        16 => "aes_ccm_16",
        18 => "aes_gcm_8",
        19 => "aes_gcm_12",
        20 => "aes_gcm_16",
        23 => "camellia_cbc",
        28 => "chacha20_poly1305",
        _ => "",
    }
}

/// Hashes of version 1.
fn hash_v1(code: u16) -> &'static str {
    match code {
        1 => "md5",
        2 => "sha1",
        3 => "tiger",
        4 => "sha2_256",
        5 => "sha2_384",
        6 => "sha2_512",
        _ => "",
    }
}

/// Pseudo-random functions of version 2 (IANA, Transform Type 2).
fn prf(code: u16) -> &'static str {
    match code {
        1 => "hmac_md5",
        2 => "hmac_sha1",
        3 => "hmac_tiger",
        4 => "aes128_xcbc",
        5 => "hmac_sha2_256",
        6 => "hmac_sha2_384",
        7 => "hmac_sha2_512",
        8 => "aes128_cmac",
        _ => "",
    }
}

/// Integrity algorithms of version 2 (IANA, Transform Type 3).
fn integrity(code: u16) -> &'static str {
    match code {
        0 => "none",
        1 => "hmac_md5_96",
        2 => "hmac_sha1_96",
        3 => "des_mac",
        4 => "kpdk_md5",
        5 => "aes_xcbc_96",
        6 => "hmac_md5_128",
        7 => "hmac_sha1_160",
        8 => "aes_cmac_96",
        9 => "aes_128_gmac",
        10 => "aes_192_gmac",
        11 => "aes_256_gmac",
        12 => "hmac_sha2_256_128",
        13 => "hmac_sha2_384_192",
        14 => "hmac_sha2_512_256",
        _ => "",
    }
}

/// Authentication methods of version 1.
fn authentication(code: u16) -> &'static str {
    match code {
        1 => "psk",
        2 => "dss",
        3 => "rsa",
        4 => "rsa_encryption",
        5 => "rsa_revised_encryption",
        9..=11 => "ecdsa",
        64221..=64224 => "hybrid",
        65001..=65010 => "xauth",
        _ => "",
    }
}

/// Vendor ids that tell something, by their first octets. Most are the MD5 of a text (RFC 2408, 3.16), and bear its name.
static VENDORS: &[(&str, &str)] = &[
    ("4a131c81070358455c5728f20e95452f", "RFC 3947 Negotiation of NAT-Traversal in the IKE"),
    ("4485152d18b6bbcd0be8a8469579ddcc", "draft-ietf-ipsec-nat-t-ike-00"),
    ("16f6ca16e4a4066d83821a0f0aeaa862", "draft-ietf-ipsec-nat-t-ike-01"),
    ("cd60464335df21f87cfdb2fc68b6a448", "draft-ietf-ipsec-nat-t-ike-02"),
    // With the line feed that an early program hashed along.
    ("90cb80913ebb696e086381b5ec427b1f", "draft-ietf-ipsec-nat-t-ike-02\\n"),
    ("7d9419a65310ca6f2c179d9215529d56", "draft-ietf-ipsec-nat-t-ike-03"),
    ("9909b64eed937c6573de52ace952fa6b", "draft-ietf-ipsec-nat-t-ike-04"),
    ("80d0bb3def54565ee84645d4c85ce3ee", "draft-ietf-ipsec-nat-t-ike-05"),
    ("4d1e0e136deafa34c4f3ea9f02ec7285", "draft-ietf-ipsec-nat-t-ike-06"),
    ("439b59f8ba676c4c7737ae22eab8f582", "draft-ietf-ipsec-nat-t-ike-07"),
    ("8f8d83826d246b6fc7a8a6a428c11de8", "draft-ietf-ipsec-nat-t-ike-08"),
    ("4df37928e9fc4fd1b3262170d515c662", "draft-ietf-ipsec-nat-t-ike"),
    ("afcad71368a1f1c96b8696fc7757", "RFC 3706 DPD (Dead Peer Detection)"),
    ("09002689dfd6b712", "XAUTH"),
    ("12f5f28c457168a9702d9fe274cc", "CISCO-UNITY"),
    ("434953434f2d44454c4554452d524541534f4e", "Cisco Delete Reason Supported"),
    ("434953434f2d44594e414d49432d524f555445", "Cisco Dynamic Route Supported"),
    ("434953434f56504e2d5245562d3032", "Cisco VPN Revision 2"),
    ("464c455856504e2d535550504f52544544", "Cisco FlexVPN Supported"),
    ("4048b7d56ebce88525e7de7f00d6c2d3", "FRAGMENTATION"),
    ("1e2b516905991c7d7c96fcbfb587e461", "MS NT5 ISAKMPOAKLEY"),
    ("fb1de3cdf341b7ea16b7e5be0855f120", "MS-Negotiation Discovery Capable"),
    ("26244d38eddb61b3172a36e3d0cfb819", "Vid-Initial-Contact"),
    ("e3a5966a76379fe707228231e5ce8652", "IKE CGA version 1"),
    ("882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan"),
];

fn vendor(id: &[u8]) -> Cow<'static, str> {
    let id = hex(id.get(..64).unwrap_or(id));
    match VENDORS.iter().find(|(start, _)| id.starts_with(start)) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(id),
    }
}

/// What one proposal's transforms say.
#[derive(Clone, Default)]
struct Suite {
    cipher: Option<String>,
    integrity: Option<&'static str>,
    prf: Option<&'static str>,
    group: Option<u16>,
    authentication: Option<&'static str>,
    lifetime_s: Option<u32>,
}

/// A security association that two ends negotiate.
#[derive(Default)]
struct Association {
    initiator: [u8; 8],
    responder: [u8; 8],
    version: u8,
    exchanges: Vec<u8>,
    ciphers: Vec<String>,
    groups: Vec<u16>,
    chosen: Option<Suite>,
    authentication: Option<&'static str>,
    identity: Option<String>,
    vendors: Vec<Cow<'static, str>>,
    notifies: Vec<u16>,
    lifetime_s: Option<u32>,
    tally: Tally,
}

impl Association {
    /// Reads the payloads of a message in clear.
    fn payloads(&mut self, header: &Header, mut reader: Reader<'_>) -> Wire<()> {
        let two = header.version >> 4 == 2;
        // Version 1 encrypts whole messages (RFC 2408, 3.1); version 2 has a payload for it.
        if !two && header.flags & 1 != 0 {
            return Ok(());
        }
        // The responder's messages bear its flag (version 2), or both cookies and the accepted proposal (version 1).
        let answers = if two { header.flags & 0x20 != 0 } else { header.responder != [0; 8] };
        let mut kind = header.first_payload;
        for _ in 0..MAX_PARTS {
            if kind == 0 || kind == 46 || kind == 53 {
                return Ok(());
            }
            let next = reader.u8()?;
            reader.skip(1)?;
            let length = usize::from(reader.be_u16()?).checked_sub(4).ok_or(Malformed)?;
            let mut body = reader.sub(length)?;
            match kind {
                1 if !two => {
                    body.skip(8)?;
                    self.proposals(body, false, answers)?;
                }
                33 if two => self.proposals(body, true, answers)?,
                34 if two => {
                    let group = body.be_u16()?;
                    if self.chosen.is_none() && answers {
                        self.chosen = Some(Suite { group: Some(group), ..Suite::default() });
                    }
                }
                5 if !two => self.identity = self.identity.take().or(identity(body)?),
                11 if !two => {
                    body.skip(6)?;
                    note(&mut self.notifies, body.be_u16()?, MAX_VALUES);
                }
                41 if two => {
                    body.skip(2)?;
                    note(&mut self.notifies, body.be_u16()?, MAX_VALUES);
                }
                13 | 43 => note(&mut self.vendors, vendor(body.rest()), MAX_VALUES),
                _ => {}
            }
            kind = next;
        }
        Ok(())
    }

    /// Proposals of an SA payload (RFC 2408, 3.5; RFC 7296, 3.3).
    fn proposals(&mut self, mut reader: Reader<'_>, two: bool, answers: bool) -> Wire<()> {
        for _ in 0..MAX_PARTS {
            if reader.is_empty() {
                break;
            }
            reader.skip(2)?;
            let length = usize::from(reader.be_u16()?).checked_sub(4).ok_or(Malformed)?;
            let mut proposal = reader.sub(length)?;
            proposal.skip(2)?;
            let spi = usize::from(proposal.u8()?);
            proposal.skip(1)?;
            proposal.skip(spi)?;
            let mut suite = Suite::default();
            for _ in 0..MAX_PARTS {
                if proposal.is_empty() {
                    break;
                }
                proposal.skip(2)?;
                let length = usize::from(proposal.be_u16()?).checked_sub(4).ok_or(Malformed)?;
                let mut transform = proposal.sub(length)?;
                if two {
                    transform_v2(&mut transform, &mut suite)?
                } else {
                    suite = transform_v1(&mut transform)?
                }
                if let Some(cipher) = &suite.cipher {
                    note(&mut self.ciphers, cipher.clone(), MAX_VALUES);
                }
                if let Some(group) = suite.group {
                    note(&mut self.groups, group, MAX_VALUES);
                }
                self.lifetime_s = self.lifetime_s.or(suite.lifetime_s);
                self.authentication = self.authentication.or(suite.authentication);
            }
            if answers {
                self.chosen = Some(suite);
                return Ok(());
            }
        }
        Ok(())
    }

    fn emit(self, cx: &mut Cx<'_>, encapsulation: &str) {
        let first = self.exchanges.first().copied();
        let version = format!("{}.{}", self.version >> 4, self.version & 15);
        let initiator = (self.initiator != [0; 8]).then(|| hex(&self.initiator));
        let responder = (self.responder != [0; 8]).then(|| hex(&self.responder));
        let names: Vec<Cow<'_, str>> =
            self.exchanges.iter().filter_map(|&exchange| exchange_name(self.version, exchange)).map(Cow::Borrowed).collect();
        let ciphers: Vec<Cow<'_, str>> = self.ciphers.iter().map(|cipher| Cow::Borrowed(cipher.as_str())).collect();
        let chosen = self.chosen.unwrap_or_default();
        self.tally.emit(
            cx,
            Vpn {
                kind: Some("ike"),
                version: Some(&version),
                encapsulation: Some(encapsulation),
                initiator_spi: initiator.as_deref(),
                responder_spi: responder.as_deref(),
                exchange_code: first,
                exchange_types: Some(&self.exchanges),
                exchange: first.and_then(|exchange| exchange_name(self.version, exchange)),
                exchanges: Some(&names),
                encryption: (!ciphers.is_empty()).then_some(&ciphers),
                encryption_chosen: chosen.cipher.as_deref(),
                integrity_chosen: chosen.integrity,
                prf_chosen: chosen.prf,
                dh_group_codes: (!self.groups.is_empty()).then_some(&self.groups),
                dh_group_code: chosen.group,
                dh_group: chosen.group.and_then(group_name),
                auth_method: chosen.authentication.or(self.authentication),
                identity: self.identity.as_deref(),
                vendor_ids: (!self.vendors.is_empty()).then_some(&self.vendors),
                notify_types: (!self.notifies.is_empty()).then_some(&self.notifies),
                lifetime_s: chosen.lifetime_s.or(self.lifetime_s),
                confirmed: Some(self.responder != [0; 8]),
                ..Vpn::default()
            },
        );
    }
}

/// A name, with the key length where there is one.
fn keyed(name: &str, code: u16, bits: Option<u16>) -> String {
    match (name, bits) {
        ("", _) => format!("unknown_{code}"),
        (name, Some(bits)) => format!("{name}_{bits}"),
        (name, None) => name.to_owned(),
    }
}

/// A transform of version 1: a whole suite in attributes (RFC 2409, appendix A).
fn transform_v1(reader: &mut Reader<'_>) -> Wire<Suite> {
    reader.skip(4)?;
    let mut suite = Suite::default();
    let (mut cipher, mut bits, mut in_seconds) = (None, None, true);
    for _ in 0..MAX_PARTS {
        if reader.is_empty() {
            break;
        }
        let kind = reader.be_u16()?;
        let value = if kind & 0x8000 != 0 {
            u32::from(reader.be_u16()?)
        } else {
            let length = usize::from(reader.be_u16()?);
            let bytes = reader.take(length)?;
            bytes.iter().take(4).fold(0, |value, &octet| value << 8 | u32::from(octet))
        };
        let code = u16::try_from(value).unwrap_or(u16::MAX);
        match kind & 0x7fff {
            1 => cipher = Some(code),
            2 => suite.integrity = Some(hash_v1(code)).filter(|name| !name.is_empty()),
            3 => suite.authentication = Some(authentication(code)).filter(|name| !name.is_empty()),
            4 => suite.group = Some(code),
            11 => in_seconds = code == 1,
            12 if in_seconds => suite.lifetime_s = Some(value),
            14 => bits = Some(code),
            _ => {}
        }
    }
    suite.cipher = cipher.map(|code| keyed(cipher_v1(code), code, bits));
    Ok(suite)
}

/// A transform of version 2: one algorithm (RFC 7296, 3.3.2).
fn transform_v2(reader: &mut Reader<'_>, suite: &mut Suite) -> Wire<()> {
    let kind = reader.u8()?;
    reader.skip(1)?;
    let code = reader.be_u16()?;
    match kind {
        1 => {
            // The key length is the only attribute there is (3.3.5).
            let bits = match (reader.be_u16(), reader.be_u16()) {
                (Ok(0x800e), Ok(bits)) => Some(bits),
                _ => None,
            };
            suite.cipher = Some(keyed(cipher_v2(code), code, bits));
        }
        2 => suite.prf = Some(prf(code)).filter(|name| !name.is_empty()),
        3 => suite.integrity = Some(integrity(code)).filter(|name| !name.is_empty()),
        4 => suite.group = Some(code),
        _ => {}
    }
    Ok(())
}

/// An identification payload in clear (RFC 2407, 4.6.2).
fn identity(mut body: Reader<'_>) -> Wire<Option<String>> {
    let kind = body.u8()?;
    body.skip(3)?;
    let value = body.rest();
    Ok(match (kind, value) {
        (1, &[a, b, c, d]) => Some(format!("{a}.{b}.{c}.{d}")),
        (2 | 3, text) => Some(String::from_utf8_lossy(text).into_owned()),
        (5, _) => value.try_into().ok().map(|octets: [u8; 16]| std::net::Ipv6Addr::from(octets).to_string()),
        (9..=11, other) => Some(hex(other)),
        _ => None,
    })
}

/// The message, past the marker of port 4500.
fn unmarked(offer_port: bool, bytes: &[u8]) -> &[u8] {
    if offer_port { bytes.strip_prefix(&[0; 4]).unwrap_or(bytes) } else { bytes }
}

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let nat = offer.has_port(NAT_PORT);
    if nat && (bytes == [0xff] || bytes.first().is_some_and(|&first| first != 0) && bytes.len() > 16 && esp::header(bytes).is_ok()) {
        return Verdict::Yes;
    }
    let message = unmarked(nat, bytes);
    match Header::read(&mut Reader::new(message)) {
        // Reserved flags are zero, and the length is that of the datagram.
        Ok(header) if header.length == message.len() && header.flags & 0xc0 == 0 && header.initiator != [0; 8] => Verdict::Yes,
        // Errors may come without any SPI; elsewhere zeros say too little.
        Ok(_) if offer.usual_port => Verdict::Yes,
        _ => Verdict::No,
    }
}

#[derive(Default)]
struct Exchanges {
    associations: Vec<Association>,
    esp: Associations,
}

impl DatagramDissector for Exchanges {
    fn datagram(&mut self, cx: &mut Cx<'_>, payload: &[u8]) -> Outcome {
        let nat = cx.ends.iter().any(|end| end.port == Some(NAT_PORT));
        if nat && payload == [0xff] {
            // A keep-alive.
            return Outcome::Decoded;
        }
        if nat && !payload.starts_with(&[0; 4]) {
            let Ok((spi, sequence)) = esp::header(payload) else { return Outcome::NotMine };
            self.esp.packet(cx, spi, sequence, payload.len());
            return Outcome::Decoded;
        }
        let mut reader = Reader::new(unmarked(nat, payload));
        let Ok(header) = Header::read(&mut reader) else { return Outcome::NotMine };
        let found = self.associations.iter().position(|one| one.initiator == header.initiator);
        let at = found.unwrap_or(self.associations.len());
        if found.is_none() {
            if at >= MAX_ASSOCIATIONS {
                return Outcome::Decoded;
            }
            self.associations.push(Association { initiator: header.initiator, version: header.version, ..Association::default() });
        }
        let Some(association) = self.associations.get_mut(at) else { return Outcome::Decoded };
        if header.responder != [0; 8] {
            association.responder = header.responder;
        }
        note(&mut association.exchanges, header.exchange, MAX_VALUES);
        // The set-up: version 1's first phase, version 2's first two exchanges.
        let setup = matches!(header.exchange, 1..=4 | 34 | 35 | 43);
        association.tally.packet(cx, payload.len(), setup);
        if association.payloads(&header, reader).is_err() {
            cx.anomaly("ike", "bad_length", "a payload ends beyond the message");
        }
        Outcome::Decoded
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        let ports = cx.ends.map(|end| end.port);
        let encapsulation = match () {
            () if ports.contains(&Some(NAT_PORT)) => "udp_4500",
            () if ports.contains(&Some(500)) => "udp_500",
            () => "udp_other",
        };
        for association in self.associations.drain(..) {
            association.emit(cx, encapsulation);
        }
        self.esp.emit(cx, "esp", encapsulation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_answer() {
        // Version 2, IKE_SA_INIT, response: AES-CBC-128, HMAC-SHA1, SHA1-96, group 2.
        let mut message = vec![1; 16];
        message.extend([33, 0x20, 34, 0x20, 0, 0, 0, 0, 0, 0, 0, 76]);
        message.extend([0, 0, 0, 48, 0, 0, 0, 44, 1, 1, 0, 4]);
        message.extend([3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 0, 128]);
        message.extend([3, 0, 0, 8, 2, 0, 0, 2, 3, 0, 0, 8, 3, 0, 0, 2, 0, 0, 0, 8, 4, 0, 0, 2]);
        assert_eq!(message.len(), 76);
        let mut reader = Reader::new(&message);
        let header = Header::read(&mut reader).unwrap();
        let mut association = Association::default();
        association.payloads(&header, reader).unwrap();
        let chosen = association.chosen.unwrap();
        assert_eq!(
            (chosen.cipher.as_deref(), chosen.integrity, chosen.prf, chosen.group.and_then(group_name)),
            (Some("aes_cbc_128"), Some("hmac_sha1_96"), Some("hmac_sha1"), Some("modp1024"))
        );
        assert!(Header::read(&mut Reader::new(&message[..27])).is_err());
    }

    #[test]
    fn vendors_by_name_or_hex() {
        assert_eq!(vendor(&[0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12]), "XAUTH");
        assert_eq!(vendor(&[1, 2]), "0102");
    }
}
