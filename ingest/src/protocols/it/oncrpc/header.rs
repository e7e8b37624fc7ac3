//! Headers of calls and replies (RFC 5531, section 9).

use super::xdr::{opaque, string};
use crate::wire::{Malformed, Reader, Wire};

/// Call and reply.
pub const CALL: u32 = 0;
pub const REPLY: u32 = 1;
/// Longest body of a credential or verifier (section 8.2).
const MAX_AUTH: usize = 400;
/// Flavors of credentials (section 8.1; RFC 2203; RFC 9289).
pub const AUTH_NONE: u32 = 0;
pub const AUTH_SYS: u32 = 1;
pub const RPCSEC_GSS: u32 = 6;
pub const AUTH_TLS: u32 = 7;

/// What a server says that goes on with TLS (RFC 9289, section 4.1), in a verifier that has no body otherwise.
pub const STARTTLS: &[u8] = b"STARTTLS";

/// Name of a flavor.
pub fn flavor_name(flavor: u32) -> Option<&'static str> {
    Some(match flavor {
        AUTH_NONE => "AUTH_NONE",
        AUTH_SYS => "AUTH_SYS",
        2 => "AUTH_SHORT",
        3 => "AUTH_DH",
        4 => "AUTH_KERB4",
        5 => "AUTH_RSA",
        RPCSEC_GSS => "RPCSEC_GSS",
        AUTH_TLS => "AUTH_TLS",
        _ => return None,
    })
}

/// Who calls, as AUTH_SYS tells (RFC 5531, appendix A).
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Sys {
    pub machine: String,
    pub uid: u32,
    pub gid: u32,
    pub gids: Vec<u32>,
}

/// What a credential of RPCSEC_GSS tells (RFC 2203, section 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gss {
    pub procedure: u32,
    pub service: u32,
}

/// A call's header, without its arguments.
#[derive(Clone, Default, Debug)]
pub struct Head {
    pub xid: u32,
    pub program: u32,
    pub version: u32,
    pub procedure: u32,
    pub flavor: Option<u32>,
    pub sys: Option<Sys>,
    pub gss: Option<Gss>,
    /// The credential contradicts itself.
    pub bad_credential: bool,
}

impl Head {
    /// Reads the header of a call, up to its arguments.
    pub fn parse(reader: &mut Reader<'_>) -> Wire<Self> {
        let xid = reader.be_u32()?;
        if reader.be_u32()? != CALL || reader.be_u32()? != 2 {
            return Err(Malformed);
        }
        let mut head = Self { xid, program: reader.be_u32()?, version: reader.be_u32()?, procedure: reader.be_u32()?, ..Self::default() };
        let flavor = reader.be_u32()?;
        head.flavor = Some(flavor);
        let body = opaque(reader)?;
        match flavor {
            AUTH_SYS => {
                head.sys = sys(body).ok();
                head.bad_credential = head.sys.is_none();
            }
            RPCSEC_GSS => {
                head.gss = gss(body).ok();
                head.bad_credential = head.gss.is_none();
            }
            _ => {}
        }
        // The verifier.
        reader.be_u32()?;
        opaque(reader)?;
        Ok(head)
    }
}

fn sys(body: &[u8]) -> Wire<Sys> {
    let mut reader = Reader::new(body);
    reader.be_u32()?;
    let machine = string(&mut reader)?.into_owned();
    let (uid, gid) = (reader.be_u32()?, reader.be_u32()?);
    let mut gids = Vec::new();
    for _ in 0..reader.be_u32()? {
        gids.push(reader.be_u32()?);
    }
    Ok(Sys { machine, uid, gid, gids })
}

fn gss(body: &[u8]) -> Wire<Gss> {
    let mut reader = Reader::new(body);
    reader.be_u32()?;
    let procedure = reader.be_u32()?;
    reader.be_u32()?;
    Ok(Gss { procedure, service: reader.be_u32()? })
}

/// The outcome of a call, and whether results follow.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Answer<'a> {
    pub status: Option<&'static str>,
    pub success: bool,
    pub verifier: &'a [u8],
}

/// Reads a reply behind its xid and type.
pub fn answer<'a>(reader: &mut Reader<'a>) -> Wire<Answer<'a>> {
    if reader.be_u32()? != 0 {
        let status = match reader.be_u32()? {
            0 => Some("rpc_mismatch"),
            1 => Some("auth_error"),
            _ => None,
        };
        return Ok(Answer { status, success: false, verifier: &[] });
    }
    reader.be_u32()?;
    let verifier = opaque(reader)?;
    let code = reader.be_u32()?;
    let status = match code {
        0 => Some("success"),
        1 => Some("prog_unavail"),
        2 => Some("prog_mismatch"),
        3 => Some("proc_unavail"),
        4 => Some("garbage_args"),
        5 => Some("system_err"),
        _ => None,
    };
    Ok(Answer { status, success: code == 0, verifier })
}

/// Arguments or results as their procedure has them, out of what RPCSEC_GSS wraps them in (RFC 2203, section 5.3.3); `None`
/// where they are encrypted.
pub fn unwrapped<'a>(gss: Option<Gss>, mut reader: Reader<'a>) -> Option<Reader<'a>> {
    match gss {
        None | Some(Gss { procedure: 0, service: 1 }) => Some(reader),
        Some(Gss { procedure: 0, service: 2 }) => {
            let mut body = Reader::new(opaque(&mut reader).ok()?);
            body.be_u32().ok()?;
            Some(body)
        }
        _ => None,
    }
}

/// What the first octets of a message look like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Looks {
    /// A call of this program.
    Call(u32),
    Reply,
    /// Too few octets to tell.
    Open,
    Other,
}

/// Whether a message is ONC RPC, by the parts of its header that are fixed.
pub fn looks(bytes: &[u8]) -> Looks {
    let mut reader = Reader::new(bytes);
    let judge = |reader: &mut Reader<'_>| -> Wire<Looks> {
        reader.be_u32()?;
        let auth = |reader: &mut Reader<'_>| -> Wire<bool> {
            let flavor = reader.be_u32()?;
            let length = usize::try_from(reader.be_u32()?).map_err(|_| Malformed)?;
            if (flavor > 7 && flavor & 0xffff_fff0 != 390_000) || length > MAX_AUTH {
                return Ok(false);
            }
            let body = reader.take(length.next_multiple_of(4))?;
            Ok(flavor != AUTH_NONE || body.is_empty() || body == STARTTLS)
        };
        match reader.be_u32()? {
            CALL => {
                if reader.be_u32()? != 2 {
                    return Ok(Looks::Other);
                }
                let program = reader.be_u32()?;
                // Assigned, user's and transient numbers (RFC 5531, section 8.4), and what versions and procedures there are.
                if !(100_000..0x6000_0000).contains(&program) || reader.be_u32()? > 0xff || reader.be_u32()? > 0x3ff {
                    return Ok(Looks::Other);
                }
                Ok(if auth(reader)? && auth(reader)? { Looks::Call(program) } else { Looks::Other })
            }
            REPLY => match reader.be_u32()? {
                0 => Ok(if auth(reader)? && reader.be_u32()? <= 5 { Looks::Reply } else { Looks::Other }),
                1 => match reader.be_u32()? {
                    0 => Ok(if reader.be_u32()? == 2 && reader.be_u32()? == 2 { Looks::Reply } else { Looks::Other }),
                    1 => Ok(if (1..=14).contains(&reader.be_u32()?) { Looks::Reply } else { Looks::Other }),
                    _ => Ok(Looks::Other),
                },
                _ => Ok(Looks::Other),
            },
            _ => Ok(Looks::Other),
        }
    };
    judge(&mut reader).unwrap_or(Looks::Open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(flavor: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [7_u32, 0, 2, 100_003, 3, 1, flavor, u32::try_from(body.len()).unwrap()].iter().flat_map(|n| n.to_be_bytes()).collect();
        bytes.extend_from_slice(body);
        bytes.extend([0; 8]);
        bytes
    }

    #[test]
    fn a_call_of_auth_sys() {
        let body: Vec<u8> = [1_u32, 2, 0x6869_0000, 1000, 100, 2, 4, 24].iter().flat_map(|n| n.to_be_bytes()).collect();
        let bytes = call(AUTH_SYS, &body);
        assert_eq!(looks(&bytes), Looks::Call(100_003));
        let mut reader = Reader::new(&bytes);
        let head = Head::parse(&mut reader).unwrap();
        assert!(reader.is_empty());
        assert_eq!((head.xid, head.program, head.version, head.procedure), (7, 100_003, 3, 1));
        assert_eq!(head.sys, Some(Sys { machine: "hi".into(), uid: 1000, gid: 100, gids: vec![4, 24] }));
        for end in 0..bytes.len() {
            assert_eq!(looks(&bytes[..end]), Looks::Open, "{end}");
        }
    }

    #[test]
    fn replies() {
        let accepted = [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(looks(&accepted), Looks::Reply);
        assert_eq!(answer(&mut Reader::new(&accepted[8..])).unwrap().status, Some("prog_unavail"));
        let denied = [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5];
        assert_eq!(looks(&denied), Looks::Reply);
        assert_eq!(answer(&mut Reader::new(&denied[8..])).unwrap().status, Some("auth_error"));
        let tls = [0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, b'S', b'T', b'A', b'R', b'T', b'T', b'L', b'S', 0, 0, 0, 0];
        assert_eq!(looks(&tls), Looks::Reply);
        assert_eq!(answer(&mut Reader::new(&tls[8..])).unwrap().verifier, STARTTLS);
        assert_eq!(looks(b"GET / HTTP/1.1\r\n"), Looks::Other);
    }

    #[test]
    fn wrapped_for_integrity() {
        let wrapped = [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0];
        let body = unwrapped(Some(Gss { procedure: 0, service: 2 }), Reader::new(&wrapped)).unwrap();
        assert_eq!(body.peek(), [0, 0, 0, 9]);
        assert!(unwrapped(Some(Gss { procedure: 0, service: 3 }), Reader::new(&wrapped)).is_none());
    }
}
