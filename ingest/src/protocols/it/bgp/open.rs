//! Open messages and capabilities (RFC 4271 4.2, RFC 5492).

use std::borrow::Cow;

use super::update::family;
use crate::wire::{Reader, Wire};

/// What a speaker says of itself.
#[derive(Default)]
pub struct Open {
    pub version: Option<u8>,
    pub my_as: Option<u32>,
    pub hold_time_s: Option<u16>,
    pub id: Option<[u8; 4]>,
    pub capabilities: Vec<Cow<'static, str>>,
    pub hostname: Option<String>,
    pub role: Option<&'static str>,
    /// Has AS numbers of four octets.
    pub wide: bool,
    pub receives_ids: Vec<(u16, u8)>,
    pub sends_ids: Vec<(u16, u8)>,
}

impl Open {
    /// Reads the body of an open message.
    pub fn read(&mut self, body: &[u8]) -> Wire<()> {
        let mut wire = Reader::new(body);
        self.version = Some(wire.u8()?);
        self.my_as = Some(wire.be_u16()?.into());
        self.hold_time_s = Some(wire.be_u16()?);
        self.id = Some(wire.array()?);
        let length = wire.u8()?;
        // RFC 9072: 255 twice, and then lengths have two octets.
        let long = matches!(wire.peek(), [255, ..]) && length == 255;
        let length = if long {
            wire.skip(1)?;
            wire.be_u16()?.into()
        } else {
            usize::from(length)
        };
        let mut parameters = wire.sub(length)?;
        while !parameters.is_empty() {
            let kind = parameters.u8()?;
            let length = if long { parameters.be_u16()?.into() } else { usize::from(parameters.u8()?) };
            let mut value = parameters.sub(length)?;
            while kind == 2 && !value.is_empty() {
                let (code, length) = (value.u8()?, value.u8()?);
                let capability = value.sub(length.into())?;
                self.capability(code, capability)?;
            }
        }
        Ok(())
    }

    fn capability(&mut self, code: u8, mut value: Reader<'_>) -> Wire<()> {
        let name = match code {
            1 => {
                let afi = value.be_u16()?;
                value.skip(1)?;
                Cow::Owned(format!("multiprotocol {}", family(afi, value.u8()?)))
            }
            65 => {
                self.my_as = Some(value.be_u32()?);
                self.wide = true;
                Cow::Borrowed("four_octet_as")
            }
            69 => {
                while !value.is_empty() {
                    let (afi, safi, mode) = (value.be_u16()?, value.u8()?, value.u8()?);
                    if mode & 1 != 0 {
                        self.receives_ids.push((afi, safi));
                    }
                    if mode & 2 != 0 {
                        self.sends_ids.push((afi, safi));
                    }
                }
                Cow::Borrowed("add_path")
            }
            73 => {
                let length = value.u8()?;
                let host = String::from_utf8_lossy(value.take(length.into())?).into_owned();
                let length = value.u8()?;
                let domain = String::from_utf8_lossy(value.take(length.into())?);
                self.hostname = Some(if domain.is_empty() { host } else { format!("{host}.{domain}") });
                Cow::Borrowed("fqdn")
            }
            9 => {
                self.role = ["provider", "route_server", "route_server_client", "customer", "peer"].get(usize::from(value.u8()?)).copied();
                Cow::Borrowed("role")
            }
            2 => Cow::Borrowed("route_refresh"),
            3 => Cow::Borrowed("outbound_route_filtering"),
            5 => Cow::Borrowed("extended_next_hop"),
            6 => Cow::Borrowed("extended_message"),
            7 => Cow::Borrowed("bgpsec"),
            8 => Cow::Borrowed("multiple_labels"),
            64 => Cow::Borrowed("graceful_restart"),
            67 => Cow::Borrowed("dynamic"),
            70 => Cow::Borrowed("enhanced_route_refresh"),
            71 => Cow::Borrowed("long_lived_graceful_restart"),
            128 => Cow::Borrowed("route_refresh_cisco"),
            130 => Cow::Borrowed("outbound_route_filtering_cisco"),
            code => Cow::Owned(code.to_string()),
        };
        self.capabilities.push(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_as_number() {
        let body = [4, 0x5b, 0xa0, 0, 180, 10, 0, 0, 1, 14, 2, 12, 65, 4, 0xa4, 0xc3, 1, 0x12, 1, 4, 0, 2, 0, 1];
        let mut open = Open::default();
        assert!(open.read(&body).is_ok());
        assert_eq!((open.my_as, open.hold_time_s, open.wide), (Some(0xa4c3_0112), Some(180), true));
        assert_eq!(open.capabilities, ["four_octet_as", "multiprotocol ipv6/unicast"]);
        assert!(Open::default().read(&body[..20]).is_err());
    }
}
