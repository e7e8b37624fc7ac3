//! The header of a message (RFC 5322) and of a part (RFC 2045).

use super::params::Value;
use super::words::decoded;

/// Addresses of a field that are kept: some mails go to hundreds.
const MAX_ADDRESSES: usize = 2048;
/// Received fields that are kept.
const MAX_RECEIVED: usize = 256;
/// Longest Received or Authentication-Results field that is kept, bytes.
const MAX_TRACE: usize = 4 << 10;

/// What is read of a message's header.
#[derive(Clone, Default, Debug)]
pub struct Fields {
    pub from: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub reply_to: Option<String>,
    pub sender: Option<String>,
    pub return_path: Option<String>,
    pub subject: Option<String>,
    pub message_id: Option<String>,
    pub in_reply_to: Option<String>,
    pub date: Option<String>,
    /// X-Mailer or User-Agent.
    pub agent: Option<String>,
    pub originating: Option<String>,
    /// Received fields, newest first.
    pub received: Vec<String>,
    /// Addresses of hosts in them.
    pub hops: Vec<String>,
    /// Authentication-Results, newest first, one a line.
    pub auth_results: Option<String>,
    pub dkim_domain: Option<String>,
    /// A list's or a mass mailing's.
    pub bulk: bool,
    /// At least one field was there.
    pub any: bool,
}

/// What a header says of the content below it.
#[derive(Default, Debug)]
pub struct Content {
    pub kind: Option<Value>,
    pub disposition: Option<Value>,
    pub encoding: String,
}

/// The unfolded lines of a header: name in lower case, and value.
fn each_field(header: &[u8], mut take: impl FnMut(&str, &str)) {
    let text = String::from_utf8_lossy(header);
    let mut field = String::new();
    let mut tell = |field: &str| {
        if let Some((name, value)) = field.split_once(':') {
            let (name, value) = (name.trim_end(), value.trim());
            // A name has neither blanks nor control characters (RFC 5322, 2.2).
            if !name.is_empty() && !value.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()) {
                take(&name.to_ascii_lowercase(), value);
            }
        }
    };
    for line in text.lines() {
        // Folded lines go on with a blank (RFC 5322, 2.2.3).
        if line.starts_with([' ', '\t']) && !field.is_empty() {
            field.push(' ');
            field.push_str(line.trim());
        } else {
            tell(&field);
            field.clear();
            field.push_str(line);
        }
    }
    tell(&field);
}

impl Content {
    fn field(&mut self, name: &str, value: &str) {
        match name {
            "content-type" if self.kind.is_none() => self.kind = Some(Value::read(value)),
            "content-disposition" if self.disposition.is_none() => self.disposition = Some(Value::read(value)),
            "content-transfer-encoding" if self.encoding.is_empty() => self.encoding = value.to_owned(),
            _ => {}
        }
    }

    /// Reads a part's header.
    pub fn read(header: &[u8]) -> Self {
        let mut content = Self::default();
        each_field(header, |name, value| content.field(name, value));
        content
    }

    /// Name of the file that the part is, if it has one.
    pub fn file_name(&self) -> Option<String> {
        let named = |value: &Option<Value>, parameter| value.as_ref().and_then(|value| value.parameter(parameter));
        named(&self.disposition, "filename").or_else(|| named(&self.kind, "name"))
    }
}

impl Fields {
    /// Reads a message's header.
    pub fn read(header: &[u8]) -> (Self, Content) {
        let (mut fields, mut content) = (Self::default(), Content::default());
        each_field(header, |name, value| {
            fields.any = true;
            fields.field(name, value);
            content.field(name, value);
        });
        (fields, content)
    }

    fn field(&mut self, name: &str, value: &str) {
        let set = |slot: &mut Option<String>| {
            slot.get_or_insert_with(|| decoded(value));
        };
        match name {
            "from" => set(&mut self.from),
            "reply-to" => set(&mut self.reply_to),
            "sender" => set(&mut self.sender),
            "return-path" => set(&mut self.return_path),
            "subject" => set(&mut self.subject),
            "message-id" => set(&mut self.message_id),
            "in-reply-to" => set(&mut self.in_reply_to),
            "date" => set(&mut self.date),
            "x-mailer" | "user-agent" => set(&mut self.agent),
            "to" => addresses(value, &mut self.to),
            "cc" => addresses(value, &mut self.cc),
            "x-originating-ip" if self.originating.is_none() => {
                let value = value.trim_matches(['[', ']']);
                self.originating = value.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string());
            }
            "received" if self.received.len() < MAX_RECEIVED => {
                self.received.push(shortened(value).to_owned());
                self.hops.extend(hop(value));
            }
            "authentication-results" => match &mut self.auth_results {
                Some(known) if known.len() < MAX_TRACE => {
                    known.push('\n');
                    known.push_str(shortened(value));
                }
                Some(_) => {}
                None => self.auth_results = Some(shortened(value).to_owned()),
            },
            "dkim-signature" if self.dkim_domain.is_none() => self.dkim_domain = tag(value, "d").map(|domain| domain.to_ascii_lowercase()),
            "list-id" | "list-unsubscribe" | "list-post" => self.bulk = true,
            "precedence" => self.bulk |= ["bulk", "list", "junk"].iter().any(|word| value.eq_ignore_ascii_case(word)),
            _ => {}
        }
    }
}

fn shortened(value: &str) -> &str {
    let mut end = value.len().min(MAX_TRACE);
    while !value.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    value.get(..end).unwrap_or_default()
}

/// A tag of `v=1; d=example.org; s=x` (RFC 6376, 3.2).
fn tag<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    list.split(';').find_map(|pair| pair.split_once('=').filter(|(known, _)| known.trim() == name)).map(|(_, value)| value.trim())
}

/// The addresses of a list, without names, comments and groups (RFC 5322, 3.4).
fn addresses(value: &str, found: &mut Vec<String>) {
    let mut one = String::new();
    let mut angle: Option<String> = None;
    let mut comment = 0_u32;
    let mut quoted = false;
    let mut tell = |one: &mut String, angle: &mut Option<String>| {
        let address = angle.take().unwrap_or_else(|| std::mem::take(one));
        one.clear();
        // A route before the address is long out of use (RFC 5322, 4.4).
        let address = address.rsplit_once(':').map_or(&*address, |(_, address)| address).trim();
        if !address.is_empty() && found.len() < MAX_ADDRESSES {
            found.push(address.to_owned());
        }
    };
    let mut in_angle = false;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted || comment > 0 => {
                if let Some(next) = letters.next().filter(|_| comment == 0) {
                    one.push('\\');
                    one.push(next);
                }
            }
            '"' if comment == 0 => {
                quoted = !quoted;
                if in_angle { angle.get_or_insert_default().push('"') } else { one.push('"') }
            }
            '(' if !quoted && !in_angle => comment += 1,
            ')' if !quoted && comment > 0 => comment -= 1,
            _ if comment > 0 => {}
            '<' if !quoted => {
                in_angle = true;
                angle = Some(String::new());
            }
            '>' if in_angle && !quoted => in_angle = false,
            _ if in_angle => angle.get_or_insert_default().push(letter),
            // The name of a group ends here.
            ':' if !quoted => one.clear(),
            ',' | ';' if !quoted => tell(&mut one, &mut angle),
            _ => one.push(letter),
        }
    }
    tell(&mut one, &mut angle);
}

/// The address that the message came from, in `from name (host [10.0.0.1]) by ..`: the last one of that clause that is not what
/// the client called itself.
fn hop(value: &str) -> Option<String> {
    let value = value.get(5..).filter(|_| value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("from ")))?;
    let clause = value.split(" by ").next()?;
    let mut before = "";
    let mut found = None;
    for word in clause.split([' ', '[', ']', '(', ')', ';']).filter(|word| !word.is_empty()) {
        let called =
            before.len() >= 4 && before.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("helo") || start.eq_ignore_ascii_case("ehlo"));
        let address = word.strip_prefix("IPv6:").unwrap_or(word);
        if let Some(ip) = address.parse::<std::net::IpAddr>().ok().filter(|_| !called) {
            found = Some(ip.to_string());
        }
        before = word;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let (fields, content) = Fields::read(
            b"Received: from x ([10.1.2.3]) by y\r\nFrom: \"A\" <a@x>\r\nTo: b@x,\r\n C <c@x>\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\n =?utf-8?B?IG5vaXI=?= end\r\n\
              Cc: \"Test Group\":d@x, <e@x>,\r\n\t\"F, G\" <f@x>;, g@x (G)\r\nDKIM-Signature: v=1; d=Example.org; s=a\r\nAuthentication-Results: m; spf=fail\r\n\
              Content-Type: text/plain; charset=x\r\nList-Id: <l>\r\nnot a field\r\n",
        );
        assert_eq!(fields.from.as_deref(), Some("\"A\" <a@x>"));
        assert_eq!(fields.to, ["b@x", "c@x"]);
        assert_eq!(fields.cc, ["d@x", "e@x", "f@x", "g@x"]);
        assert_eq!(fields.subject.as_deref(), Some("café noir end"));
        assert_eq!(fields.hops, ["10.1.2.3"]);
        assert_eq!((fields.dkim_domain.as_deref(), fields.auth_results.as_deref(), fields.bulk), (Some("example.org"), Some("m; spf=fail"), true));
        assert_eq!(content.kind.map(|kind| kind.main).as_deref(), Some("text/plain"));
    }

    #[test]
    fn hops() {
        assert_eq!(hop("from a.example (b.example [192.0.2.1]) by c.example ([10.0.0.9])").as_deref(), Some("192.0.2.1"));
        assert_eq!(hop("from [192.0.2.1] (helo=[192.168.0.5]) by c").as_deref(), Some("192.0.2.1"));
        assert_eq!(hop("from unknown (HELO 10.0.0.1) (192.0.2.1) by c").as_deref(), Some("192.0.2.1"));
        assert_eq!(hop("from RDC.local (192.0.2.7) by D.example (10.174.65.73) with SMTP").as_deref(), Some("192.0.2.7"));
        assert_eq!(hop("from x ([IPv6:2001:db8::1]) by y").as_deref(), Some("2001:db8::1"));
        assert_eq!(hop("by mail.example (10.0.0.9) with ESMTP"), None);
    }

    #[test]
    fn file_names() {
        let content = Content::read(b"Content-Type: image/png; name=\"b.png\"\nContent-Disposition: inline;\n filename=a.png\n");
        assert_eq!(content.file_name().as_deref(), Some("a.png"));
    }
}
