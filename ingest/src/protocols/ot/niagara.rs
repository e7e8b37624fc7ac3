//! Niagara Fox: building automation stations of Tridium and those who build on them. The protocol is not published; its text
//! frames show what they hold.
//!
//! ```text
//! fox TYPE NUMBER ANSWERED CHANNEL COMMAND
//! {
//! key=t:value          s text, i integer; b and o: length[octets], which may hold anything
//! };;
//! ```

use std::borrow::Cow;

use pcapper_schema::tables::{Credentials, NiagaraFox};

use crate::protocols::hex::hex;
use crate::protocols::{Cx, Dir, Group, Offer, Progress, Protocol, StreamDissector, StreamKind, Verdict, secrets};

/// Fox on any port; 1911 is its own.
pub static PROTOCOL: Protocol = Protocol {
    name: "niagara_fox",
    group: Group::Ot,
    ports: &[1911],
    stream: Some(StreamKind { probe, start: || Box::<Session>::default() }),
    ..Protocol::NONE
};

/// Longest message that is waited for.
const MAX_MESSAGE: usize = 1 << 20;
/// Fields that a row keeps, and octets of one value.
const MAX_FIELDS: usize = 256;
const MAX_VALUE: usize = 1024;

fn probe(offer: &Offer<'_>) -> Verdict {
    let bytes = offer.current();
    let start = b"fox ";
    if bytes.len() < 5 {
        return if start.starts_with(bytes) || bytes.starts_with(start) { Verdict::More } else { Verdict::No };
    }
    if bytes.starts_with(start) && bytes.get(4).is_some_and(u8::is_ascii_lowercase) && bytes.get(5).is_none_or(|octet| *octet == b' ') {
        // The first line has six words.
        match bytes.iter().position(|octet| *octet == b'\n') {
            Some(end) if bytes.get(..end).is_some_and(|line| line.split(|octet| *octet == b' ').count() == 6) => Verdict::Yes,
            None if bytes.len() < 256 => Verdict::More,
            _ => Verdict::No,
        }
    } else {
        Verdict::No
    }
}

/// One `key=t:value`.
struct Field<'a> {
    key: &'a [u8],
    kind: u8,
    value: &'a [u8],
}

/// What stands at the start of some bytes.
enum Found<'a> {
    /// A message: the words of its first line, its fields, and the octets it takes.
    Message(Vec<&'a [u8]>, Vec<Field<'a>>, usize),
    Part,
    Nothing,
}

/// The line at an offset, without its end, and where the next one starts.
fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|octet| *octet == b'\n')?;
    Some((rest.get(..end)?, at + end + 1))
}

fn find(bytes: &[u8]) -> Found<'_> {
    let Some((first, mut at)) = line(bytes, 0) else { return if bytes.len() < 256 { Found::Part } else { Found::Nothing } };
    let words: Vec<&[u8]> = first.split(|octet| *octet == b' ').collect();
    if words.len() != 6 || words.first() != Some(&&b"fox"[..]) {
        return Found::Nothing;
    }
    match line(bytes, at) {
        Some((b"{", next)) => at = next,
        Some(_) => return Found::Nothing,
        None => return Found::Part,
    }
    let mut fields = Vec::new();
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(b"};;") {
            let end = if rest.get(3) == Some(&b'\n') { at + 4 } else { at + 3 };
            return Found::Message(words, fields, end);
        }
        let Some((text, next)) = line(bytes, at) else { return Found::Part };
        let Some(equals) = text.iter().position(|octet| *octet == b'=') else { return Found::Nothing };
        let (key, value) = (text.get(..equals).unwrap_or_default(), text.get(equals + 1..).unwrap_or_default());
        let [kind, b':', value @ ..] = value else { return Found::Nothing };
        let (mut value, mut next) = (value, next);
        // Octets and objects are counted and stand in brackets: line ends inside are theirs.
        if let Some(bracket) = value.iter().position(|octet| *octet == b'[').filter(|_| matches!(kind, b'b' | b'o')) {
            let digits = value.get(..bracket).unwrap_or_default();
            let digits = std::str::from_utf8(digits).ok().map(|digits| digits.rsplit(' ').next().unwrap_or_default());
            let Some(length) = digits.and_then(|digits| digits.parse::<usize>().ok()).filter(|length| *length <= MAX_MESSAGE) else {
                return Found::Nothing;
            };
            let start = at + equals + 3 + bracket + 1;
            let Some(content) = bytes.get(start..start + length) else { return Found::Part };
            let Some((_, after)) = line(bytes, start + length) else { return Found::Part };
            (value, next) = (content, after);
        }
        if fields.len() < MAX_FIELDS {
            fields.push(Field { key, kind: *kind, value });
        }
        at = next;
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.get(..MAX_VALUE).unwrap_or(bytes))
}

#[derive(Default)]
struct Session {
    /// Where the message at hand was looked through to, so that a long one is not read anew with every segment.
    seen: [usize; 2],
    lost: bool,
}

impl Session {
    fn message(&self, cx: &mut Cx<'_>, words: &[&[u8]], fields: &[Field<'_>], length: usize) {
        let word = |index: usize| words.get(index).map(|word| String::from_utf8_lossy(word));
        let number = |index: usize| word(index).and_then(|word| word.parse::<i32>().ok());
        let field = |key: &[u8]| fields.iter().find(|field| field.key == key).map(|field| text(field.value)).filter(|text| !text.is_empty());
        let shown: Vec<Cow<'_, str>> = fields
            .iter()
            // What proves a login stands in its own column.
            .filter(|field| !matches!(field.key, b"password" | b"response" | b"digest"))
            .map(|field| match field.kind {
                b'b' => format!("{}=b:{}", text(field.key), hex(field.value.get(..MAX_VALUE).unwrap_or(field.value))).into(),
                kind => format!("{}={}:{}", text(field.key), char::from(kind), text(field.value)).into(),
            })
            .collect();
        let (frame_type, channel, command) = (word(1), word(4), word(5));
        let [hostname, host_address, app_name, app_version, station, vm_name, vm_version, os_name, os_version, host_id, brand, method, fox] = [
            "hostName",
            "hostAddress",
            "app.name",
            "app.version",
            "station.name",
            "vm.name",
            "vm.version",
            "os.name",
            "os.version",
            "hostId",
            "brandId",
            "method",
            "fox.version",
        ]
        .map(|key| field(key.as_bytes()));
        let zone = field(b"timeZone").map(|zone| zone.split(';').next().unwrap_or_default().to_owned());
        let nonce = fields.iter().find(|field| field.key == b"nonce").map(|field| hex(field.value));
        let username = field(b"username").or_else(|| field(b"user"));
        let credential = [&b"password"[..], b"response", b"digest"].iter().find_map(|key| field(key).map(|value| (*key == b"password", value)));
        cx.emit(NiagaraFox {
            is_orig: Some(cx.dir == Dir::Orig),
            frame_type: frame_type.as_deref(),
            sequence: number(2),
            reply_to: number(3),
            channel: channel.as_deref(),
            command: command.as_deref(),
            fields: Some(shown.as_slice()).filter(|fields| !fields.is_empty()),
            fox_version: fox.as_deref(),
            hostname: hostname.as_deref(),
            host_address: host_address.as_deref(),
            app_name: app_name.as_deref(),
            app_version: app_version.as_deref(),
            station_name: station.as_deref(),
            vm_name: vm_name.as_deref(),
            vm_version: vm_version.as_deref(),
            os_name: os_name.as_deref(),
            os_version: os_version.as_deref(),
            host_id: host_id.as_deref(),
            brand_id: brand.as_deref(),
            time_zone: zone.as_deref(),
            auth_method: method.as_deref(),
            nonce: nonce.as_deref(),
            username: username.as_deref(),
            credential: credential.as_ref().map(|(_, value)| value.as_ref()),
            message_len: u32::try_from(length).ok(),
        });
        if let Some((is_password, value)) = credential {
            cx.emit(Credentials {
                protocol: Some("niagara_fox"),
                kind: Some(if is_password { "password" } else { "digest" }),
                username: username.as_deref(),
                secret: Some(&value).filter(|_| is_password).map(|value| &**value),
                secret_id: secrets::id(value.as_bytes()).as_deref(),
                secret_length: u32::try_from(value.chars().count()).ok().filter(|_| is_password),
                encrypted: Some(cx.is_decrypted()),
                outcome: Some("unknown"),
                ..Credentials::default()
            });
        }
    }
}

impl StreamDissector for Session {
    fn data(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) -> Progress {
        let index = cx.dir.index();
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if rest.is_empty() {
                return Progress::Consumed(used);
            }
            // A message ends with `};;`: until that has come since the last look, nothing can be complete.
            let from = self.seen[index].saturating_sub(2).min(rest.len());
            let may_end = rest.get(from..).is_some_and(|new| new.windows(3).any(|end| end == b"};;"));
            if !may_end && rest.starts_with(b"fox ") && rest.len() <= MAX_MESSAGE {
                self.seen[index] = rest.len();
                return Progress::Consumed(used);
            }
            match find(rest) {
                Found::Message(words, fields, length) => {
                    self.lost = false;
                    self.message(cx, &words, &fields, length);
                    self.seen[index] = 0;
                    used += length;
                }
                Found::Part if rest.len() <= MAX_MESSAGE => {
                    self.seen[index] = rest.len();
                    return Progress::Consumed(used);
                }
                _ => {
                    self.seen[index] = 0;
                    // A beginning that may still become one.
                    if rest.len() < 4 && b"fox ".starts_with(rest) {
                        return Progress::Consumed(used);
                    }
                    if !self.lost {
                        cx.anomaly("niagara_fox", "unexpected_state", "no message where one should start");
                        self.lost = true;
                    }
                    match rest.windows(5).position(|start| start == b"\nfox ") {
                        Some(at) => used += at + 1,
                        None => return Progress::Consumed(bytes.len()),
                    }
                }
            }
        }
    }

    fn gap(&mut self, _cx: &mut Cx<'_>, _missing: u64) -> bool {
        self.lost = true;
        self.seen = [0; 2];
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_may_hold_anything() {
        let bytes = b"fox a 1 -1 fox challenge\n{\nmethod=s:digest-md5\nnonce=b:5[};;\n\x00]\n};;\nfox";
        let Found::Message(words, fields, length) = find(bytes) else { panic!("no message") };
        assert_eq!((words.len(), fields.len(), length), (6, 2, bytes.len() - 3));
        assert_eq!(fields[1].value, b"};;\n\x00");
        for end in 1..length - 1 {
            assert!(matches!(find(&bytes[..end]), Found::Part), "{end}");
        }
    }

    #[test]
    fn what_is_no_message() {
        for bytes in [
            &b"fox in the box\n"[..],
            b"fox a 1 -1 fox hello\nno\n",
            b"fox a 1 -1 fox hello\n{\nkey\n",
            b"fox a 1 -1 fox hello\n{\nk=b:9999999999[\n",
        ] {
            assert!(matches!(find(bytes), Found::Nothing));
        }
    }
}
