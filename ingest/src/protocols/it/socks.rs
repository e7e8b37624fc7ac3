//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929) on any port: the way through to the protocol inside, which takes over once the
//! proxy has connected. No table of its own.

use pcapper_schema::Common;
use pcapper_schema::tables::Credentials;

use crate::protocols::secrets;
use crate::protocols::{Cx, Dir, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict};
use crate::wire::{Malformed, Reader, Wire};

/// SOCKS on any port; 1080 is its own.
pub static PROTOCOL: Protocol =
    Protocol { name: "socks", ports: &[1080], stream: Some(StreamKind { probe, start: || Box::<Socks>::default() }), ..Protocol::NONE };

const VERSION_4: u8 = 4;
const VERSION_5: u8 = 5;
/// The command that opens a connection; the others open none that the same stream carries at once.
const CONNECT: u8 = 1;
/// SOCKS 5: proof by user name and password (RFC 1929), and its version.
const LOGIN: u8 = 2;
const LOGIN_VERSION: u8 = 1;
/// SOCKS 4: the request is granted.
const GRANTED: u8 = 90;
/// SOCKS 4: longest user id or host name that is waited for.
const MAX_NAME: usize = 512;
/// Longest message before the tunnel.
const MAX_MESSAGE: usize = 1024;

/// Where a direction is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Stage {
    #[default]
    Greeting,
    /// SOCKS 5, the method agreed: a login, or the request.
    Request,
    /// What follows is the tunnel's.
    Through,
}

/// Command in a request of SOCKS 4, and where the request ends; `Err` if it goes on.
fn request_4(bytes: &[u8]) -> Wire<(u8, usize)> {
    let mut reader = Reader::new(bytes);
    let (_, command) = (reader.u8()?, reader.u8()?);
    reader.skip(2)?;
    let address = reader.array::<4>()?;
    let text = |reader: &mut Reader<'_>| {
        let end = reader.peek().iter().take(MAX_NAME).position(|octet| *octet == 0).ok_or(Malformed)?;
        reader.skip(end + 1)
    };
    text(&mut reader)?;
    // 4a: an address that cannot be stands for a name behind the user id.
    if matches!(address, [0, 0, 0, last] if last != 0) {
        text(&mut reader)?;
    }
    Ok((command, bytes.len() - reader.len()))
}

/// Second octet (command or outcome) of a request or reply of SOCKS 5, and its length; `Err` if it goes on.
fn message_5(bytes: &[u8]) -> Wire<(u8, usize)> {
    let mut reader = Reader::new(bytes);
    let (_, what, _) = (reader.u8()?, reader.u8()?, reader.u8()?);
    let address = match reader.u8()? {
        1 => 4,
        3 => usize::from(reader.u8()?),
        _ => 16,
    };
    reader.skip(address + 2)?;
    Ok((what, bytes.len() - reader.len()))
}

/// Length of a user name and password; `Err` if they go on.
fn login(bytes: &[u8]) -> Wire<usize> {
    let mut reader = Reader::new(bytes);
    reader.skip(1)?;
    for _ in 0..2 {
        let length = reader.u8()?;
        reader.skip(length.into())?;
    }
    Ok(bytes.len() - reader.len())
}

/// Both greetings must be there, and the second fit the first.
fn probe(offer: &Offer<'_>) -> Verdict {
    match offer.bytes {
        [[VERSION_5, count, methods @ ..], answer] => {
            let known = |method: &u8| matches!(method, 0..=9 | 0x80..=0xfe);
            if *count == 0 || methods.len() > usize::from(*count) || !methods.iter().all(known) {
                return Verdict::No;
            }
            match answer {
                [] | [VERSION_5] => Verdict::More,
                [VERSION_5, method] if methods.contains(method) && methods.len() == usize::from(*count) => Verdict::Yes,
                _ => Verdict::No,
            }
        }
        [request @ [VERSION_4, CONNECT, ..], answer] => match (request_4(request), answer) {
            (Ok((_, end)), [0, GRANTED, ..]) if end == request.len() && answer.len() == 8 => Verdict::Yes,
            (Ok((_, end)), [] | [0, ..]) if end == request.len() && answer.len() < 8 => Verdict::More,
            (Err(_), []) if request.len() < MAX_NAME => Verdict::More,
            _ => Verdict::No,
        },
        [[VERSION_5] | [VERSION_4], []] => Verdict::More,
        _ => Verdict::No,
    }
}

/// A name and password that wait for the proxy's answer.
struct Login {
    common: Common,
    name: String,
    password: String,
}

impl Login {
    /// Reads a login whose length was found to be right.
    fn read(common: Common, bytes: &[u8]) -> Option<Self> {
        let text = |from: usize| -> Option<(String, usize)> {
            let end = from + 1 + usize::from(*bytes.get(from)?);
            Some((String::from_utf8_lossy(bytes.get(from + 1..end)?).into_owned(), end))
        };
        let (name, end) = text(1)?;
        let (password, _) = text(end)?;
        Some(Self { common, name, password })
    }

    /// Writes its row of `credentials`; `success` is what the proxy answered, if it did.
    fn tell(&self, cx: &mut Cx<'_>, success: Option<bool>) {
        cx.emit_as(
            &self.common,
            Credentials {
                protocol: Some("socks"),
                kind: Some("password"),
                username: Some(&self.name),
                secret: Some(&self.password),
                secret_id: secrets::id(self.password.as_bytes()).as_deref(),
                secret_length: u32::try_from(self.password.chars().count()).ok(),
                encrypted: Some(false),
                outcome: Some(success.map_or("unknown", |success| if success { "success" } else { "failure" })),
                outcome_frame: success.map(|_| cx.frame),
                field: Some("user name and password"),
                ..Credentials::default()
            },
        );
    }
}

/// One connection to a proxy.
#[derive(Default)]
struct Socks {
    stages: [Stage; 2],
    login: Option<Login>,
}

impl Socks {
    /// Takes what the client sends before the tunnel: how many octets, and the stage behind them; `Ok(None)` if it is not to
    /// be followed.
    fn client(stage: Stage, bytes: &[u8]) -> Wire<Option<(usize, Stage)>> {
        match (stage, bytes) {
            (Stage::Greeting, [VERSION_4, ..]) => {
                let (command, end) = request_4(bytes)?;
                Ok((command == CONNECT).then_some((end, Stage::Through)))
            }
            (Stage::Greeting, [VERSION_5, count, methods @ ..]) if methods.len() >= usize::from(*count) => {
                Ok(Some((2 + usize::from(*count), Stage::Request)))
            }
            (Stage::Request, [LOGIN_VERSION, ..]) => Ok(Some((login(bytes)?, Stage::Request))),
            (Stage::Request, [VERSION_5, ..]) => {
                let (command, end) = message_5(bytes)?;
                Ok((command == CONNECT).then_some((end, Stage::Through)))
            }
            (Stage::Greeting, [VERSION_5, ..]) => Err(Malformed),
            _ => Ok(None),
        }
    }

    /// The same of the proxy.
    fn proxy(stage: Stage, bytes: &[u8]) -> Wire<Option<(usize, Stage)>> {
        match (stage, bytes) {
            (Stage::Greeting, [0, outcome, ..]) if bytes.len() >= 8 => Ok((*outcome == GRANTED).then_some((8, Stage::Through))),
            (Stage::Greeting, [VERSION_5, method, ..]) => Ok(matches!(*method, 0 | LOGIN).then_some((2, Stage::Request))),
            (Stage::Request, [LOGIN_VERSION, outcome, ..]) => Ok((*outcome == 0).then_some((2, Stage::Request))),
            (Stage::Request, [VERSION_5, ..]) => {
                let (outcome, end) = message_5(bytes)?;
                Ok((outcome == 0).then_some((end, Stage::Through)))
            }
            (Stage::Greeting, [0 | VERSION_5, ..]) | (Stage::Request, [LOGIN_VERSION]) => Err(Malformed),
            _ => Ok(None),
        }
    }
}

impl StreamDissector for Socks {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let index = cx.dir.index();
        let stage = self.stages[index];
        if stage == Stage::Through {
            // A client may go on before the proxy has answered.
            return if self.stages == [Stage::Through; 2] { Progress::Anew(0) } else { Progress::Consumed(0) };
        }
        let step = if cx.dir == Dir::Orig { Self::client(stage, bytes) } else { Self::proxy(stage, bytes) };
        match (cx.dir, stage, bytes) {
            (Dir::Orig, Stage::Request, [LOGIN_VERSION, ..]) if step.is_ok() => self.login = Login::read(cx.common(cx.dir), bytes),
            (Dir::Resp, Stage::Request, [LOGIN_VERSION, outcome, ..]) => {
                if let Some(login) = self.login.take() {
                    login.tell(cx, Some(*outcome == 0));
                }
            }
            _ => {}
        }
        match step {
            Ok(Some((count, next))) => {
                self.stages[index] = next;
                Progress::Consumed(count)
            }
            Ok(None) => Progress::Stop,
            Err(_) if bytes.len() > MAX_MESSAGE => Progress::Stop,
            Err(_) => Progress::Consumed(0),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(login) = self.login.take() {
            login.tell(cx, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(client: &[u8], proxy: &[u8]) -> Verdict {
        probe(&Offer { bytes: [client, proxy], dir: Dir::Resp, ports: [None, None], usual_port: false, src: None, dst: None })
    }

    #[test]
    fn greetings_must_fit() {
        assert_eq!(verdict(&[5, 1, 0], &[]), Verdict::More);
        assert_eq!(verdict(&[5, 2, 0, 2], &[5, 2]), Verdict::Yes);
        assert_eq!(verdict(&[5, 1, 0], &[5, 2]), Verdict::No);
        assert_eq!(verdict(&[5, 1, 0, 7], &[]), Verdict::No);
        assert_eq!(verdict(b"\x04\x01\x00\x50\x01\x02\x03\x04me\x00", &[0, 90, 0, 0, 0, 0, 0, 0]), Verdict::Yes);
        assert_eq!(verdict(b"\x04\x01\x00\x50\x01\x02\x03\x04me\x00", &[0, 91, 0, 0, 0, 0, 0, 0]), Verdict::No);
    }

    #[test]
    fn requests_of_all_forms() {
        assert_eq!(request_4(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a.example\x00GET"), Ok((1, 19)));
        assert_eq!(message_5(b"\x05\x01\x00\x03\x09a.example\x01\xbbx"), Ok((1, 16)));
        assert_eq!(message_5(&[5, 0, 0, 1, 10, 0, 0, 1, 0, 80]), Ok((0, 10)));
        assert!(message_5(&[5, 0, 0, 1, 10, 0, 0, 1, 0]).is_err());
        assert_eq!(login(b"\x01\x02me\x03pwd"), Ok(8));
    }
}
