//! Logins of PPP inside a tunnel: PAP (RFC 1334), CHAP (RFC 1994) and MS-CHAPv2 (RFC 2759).

use pcapper_schema::tables::Credentials;
use sha1::{Digest, Sha1};

use crate::protocols::hex::hex;
use crate::protocols::{Cx, secrets};
use crate::wire::{Malformed, Reader, Wire};

/// PPP protocol numbers (RFC 1661, IANA).
const PAP: u16 = 0xc023;
const CHAP: u16 = 0xc223;

/// What the login told so far.
#[derive(Default)]
pub struct Login {
    challenge: Option<Vec<u8>>,
    pub username: Option<String>,
    /// PAP's password.
    pub password: Option<String>,
    /// Challenge and response, hexadecimal.
    pub exchange: Option<String>,
}

impl Login {
    /// Takes a PPP frame, address and control octets or not; false if it is none.
    pub fn frame(&mut self, cx: &mut Cx<'_>, kind: &'static str, bytes: &[u8]) -> bool {
        let bytes = bytes.strip_prefix(&[0xff, 3]).unwrap_or(bytes);
        let Some((protocol, rest)) = bytes.split_first_chunk::<2>() else { return false };
        match u16::from_be_bytes(*protocol) {
            PAP => self.pap(cx, kind, rest).is_ok(),
            CHAP => self.chap(cx, kind, rest).is_ok(),
            // Other control protocols: LCP, IPCP, CCP ...
            0x8000..=0xcfff => true,
            _ => false,
        }
    }

    /// RFC 1334, 2.2.
    fn pap(&mut self, cx: &mut Cx<'_>, kind: &'static str, bytes: &[u8]) -> Wire<()> {
        let (code, _, mut body) = packet(bytes)?;
        if code != 1 {
            return Ok(());
        }
        let length = usize::from(body.u8()?);
        let user = String::from_utf8_lossy(body.take(length)?).into_owned();
        let length = usize::from(body.u8()?);
        let secret = body.take(length)?;
        let password = String::from_utf8_lossy(secret).into_owned();
        let id = secrets::id(secret);
        cx.emit(Credentials {
            protocol: Some(kind),
            kind: Some("password"),
            username: Some(&user),
            secret: Some(&password),
            secret_id: id.as_deref(),
            secret_length: u32::try_from(password.chars().count()).ok(),
            encrypted: Some(false),
            outcome: Some("unknown"),
            field: Some("PAP"),
            ..Credentials::default()
        });
        (self.username, self.password) = (Some(user), Some(password));
        Ok(())
    }

    /// RFC 1994, 4.1: challenge 1, response 2, success 3, failure 4.
    fn chap(&mut self, cx: &mut Cx<'_>, kind: &'static str, bytes: &[u8]) -> Wire<()> {
        let (code, id, mut body) = packet(bytes)?;
        if !matches!(code, 1 | 2) {
            return Ok(());
        }
        let length = usize::from(body.u8()?);
        let value = body.take(length)?;
        if code == 1 {
            self.challenge = Some(value.to_vec());
            return Ok(());
        }
        let user = String::from_utf8_lossy(body.rest()).into_owned();
        if let Some(challenge) = &self.challenge {
            let (line, mode) = match value.len() {
                49 => (ms_chap(&user, challenge, value)?, 5500),
                _ => (format!("{}:{}:{id:02x}", hex(value), hex(challenge)), 4800),
            };
            self.exchange = Some(format!("{}:{}", hex(challenge), hex(value)));
            cx.emit(Credentials {
                protocol: Some(kind),
                kind: Some("hash"),
                username: Some(&user),
                hash_line: Some(&line),
                hashcat_mode: Some(mode),
                encrypted: Some(false),
                outcome: Some("unknown"),
                field: Some(if value.len() == 49 { "MS-CHAPv2" } else { "CHAP" }),
                ..Credentials::default()
            });
        }
        self.username = Some(user);
        Ok(())
    }
}

/// Code, identifier and body.
fn packet(bytes: &[u8]) -> Wire<(u8, u8, Reader<'_>)> {
    let mut reader = Reader::new(bytes);
    let (code, id, length) = (reader.u8()?, reader.u8()?, reader.be_u16()?);
    let body = reader.sub(usize::from(length).checked_sub(4).ok_or(Malformed)?)?;
    Ok((code, id, body))
}

/// The response as NetNTLMv1, which is what it is over a challenge of both ends (RFC 2759, 8.2).
fn ms_chap(user: &str, challenge: &[u8], value: &[u8]) -> Wire<String> {
    let mut reader = Reader::new(value);
    let peer = reader.take(16)?;
    reader.skip(8)?;
    let response = reader.take(24)?;
    // The domain before the name is not part of it.
    let name = user.rsplit('\\').next().unwrap_or(user);
    let mut hash = Sha1::new();
    hash.update(peer);
    hash.update(challenge);
    hash.update(name.as_bytes());
    let both = hash.finalize();
    Ok(format!("{name}::::{}:{}", hex(response), hex(both.get(..8).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of RFC 2759, 9.2.
    #[test]
    fn challenge_of_both_ends() {
        let challenge = [0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28];
        let mut value = vec![0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e];
        value.extend([0; 8]);
        value.extend([7; 24]);
        value.push(0);
        let line = ms_chap("User", &challenge, &value).unwrap();
        assert_eq!(line, format!("User::::{}:d02e4386bce91226", "07".repeat(24)));
    }
}
