//! Links in text and in HTML, found as the text arrives.

use crate::protocols::it::dns::registered_domain;

/// Links of a message that are kept.
const MAX_LINKS: usize = 256;
/// Longest link that is kept, bytes.
const MAX_LINK: usize = 2 << 10;
/// Longest tag of HTML that is read.
const MAX_TAG: usize = 8 << 10;
/// Text of a link that is read.
const MAX_SHOWN: usize = 256;

const SCHEMES: [&str; 3] = ["http://", "https://", "ftp://"];

/// Links of a message.
#[derive(Default, Debug)]
pub struct Links {
    pub urls: Vec<String>,
    /// Those that show an address elsewhere.
    pub deceptive: Vec<String>,
}

impl Links {
    fn add(&mut self, url: &str) {
        let long_enough = SCHEMES.iter().any(|scheme| url.len() > scheme.len() && has_start(url, scheme));
        if long_enough && url.len() <= MAX_LINK && self.urls.len() < MAX_LINKS && !self.urls.iter().any(|known| known == url) {
            self.urls.push(url.to_owned());
        }
    }

    /// A link and what it shows.
    fn anchor(&mut self, target: &str, shown: &str) {
        let (Some(target_host), Some(shown_host)) = (host(target), shown_host(shown)) else { return };
        let registered = |host: &str| {
            let mut domain = String::new();
            if registered_domain(host, &mut domain) { domain } else { host.to_ascii_lowercase() }
        };
        if registered(target_host) != registered(shown_host)
            && target.len() <= MAX_LINK
            && self.deceptive.len() < MAX_LINKS
            && !self.deceptive.iter().any(|known| known == target)
        {
            self.deceptive.push(target.to_owned());
        }
    }
}

fn has_start(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Host of an absolute link.
fn host(url: &str) -> Option<&str> {
    let scheme = SCHEMES.iter().find(|scheme| has_start(url, scheme))?;
    let authority = url.get(scheme.len()..)?.split(['/', '?', '#', '\\']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = authority.split_once(':').map_or(authority, |(host, _)| host).trim_end_matches('.');
    let plain = host.contains('.') && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_'));
    plain.then_some(host)
}

/// Host that a link's text shows: the text must be nothing but an address.
fn shown_host(shown: &str) -> Option<&str> {
    let shown = shown.trim();
    if shown.contains(char::is_whitespace) {
        return None;
    }
    if let Some(host) = host(shown) {
        return Some(host);
    }
    let host = shown.split(['/', '?', '#', ':']).next().filter(|host| has_start(host, "www."))?;
    host.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-')).then_some(host)
}

/// Finds links in running text.
#[derive(Default, Debug)]
pub struct Plain {
    /// A word that may go on.
    word: Vec<u8>,
    /// It is too long; the rest of it is passed over.
    passing: bool,
}

impl Plain {
    /// Takes the next octets.
    pub fn push(&mut self, octets: &[u8], links: &mut Links) {
        let mut rest = octets;
        while !rest.is_empty() && links.urls.len() < MAX_LINKS {
            let end = rest.iter().position(|octet| octet.is_ascii_whitespace() || matches!(octet, b'<' | b'>' | b'"'));
            let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
            if !self.passing {
                let room = (MAX_LINK + 64).saturating_sub(self.word.len());
                self.passing = word.len() > room;
                self.word.extend(word.iter().take(room));
            }
            if end.is_some() {
                self.end(links);
            }
            rest = after.get(1..).unwrap_or_default();
        }
    }

    /// The word ends.
    pub fn end(&mut self, links: &mut Links) {
        let word = std::mem::take(&mut self.word);
        if std::mem::take(&mut self.passing) || !word.windows(3).any(|window| window == b"://") {
            return;
        }
        let text = String::from_utf8_lossy(&word);
        let lower = text.to_ascii_lowercase();
        let Some(start) = SCHEMES.iter().filter_map(|scheme| lower.find(scheme)).min() else { return };
        let url = text.get(start..).unwrap_or_default();
        let url = url.split(['\'', '`', '|', '{', '}', '[', ']']).next().unwrap_or_default();
        let mut url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_']);
        // A closing parenthesis belongs to the text around, unless the link opened it.
        while let Some(shorter) = url.strip_suffix(')').filter(|shorter| !shorter.contains('(')) {
            url = shorter.trim_end_matches(['.', ',', ';']);
        }
        links.add(url);
    }
}

/// Where in HTML the next octet stands.
#[derive(Default, PartialEq, Eq, Debug)]
enum Place {
    #[default]
    Text,
    Tag,
    Comment,
    /// In a script or a style sheet, until its end tag.
    Raw,
}

/// Reads HTML for its links and its text.
#[derive(Default, Debug)]
pub struct Html {
    place: Place,
    /// The tag so far, or the end of a comment.
    tag: Vec<u8>,
    quote: Option<u8>,
    /// Name of the element whose text is no text.
    raw: Vec<u8>,
    anchor: Option<(String, Vec<u8>)>,
    plain: Plain,
}

impl Html {
    /// Takes the next octets; the text without markup is appended to `text`.
    pub fn push(&mut self, octets: &[u8], text: &mut Vec<u8>, room: usize, links: &mut Links) {
        let mut rest = octets;
        while let Some(&first) = rest.first() {
            if matches!(self.place, Place::Text | Place::Raw) {
                let end = rest.iter().position(|octet| *octet == b'<');
                let (run, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
                if self.place == Place::Text {
                    self.text(run, text, room, links);
                }
                if end.is_some() {
                    self.place = Place::Tag;
                    self.tag.clear();
                    self.quote = None;
                }
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            rest = rest.get(1..).unwrap_or_default();
            if self.place == Place::Comment {
                if first == b'>' && self.tag.ends_with(b"--") {
                    self.place = Place::Text;
                }
                if self.tag.len() >= 2 {
                    self.tag.drain(..self.tag.len() - 1);
                }
                self.tag.push(first);
                continue;
            }
            if self.tag.is_empty() && !first.is_ascii_alphabetic() && !matches!(first, b'/' | b'!' | b'?') {
                // `<` before anything else is a letter like others.
                self.place = if self.raw.is_empty() { Place::Text } else { Place::Raw };
                if self.place == Place::Text {
                    self.text(b"<", text, room, links);
                }
                if first == b'<' {
                    self.place = Place::Tag;
                } else if self.place == Place::Text {
                    self.text(&[first], text, room, links);
                }
                continue;
            }
            match (first, self.quote) {
                (b'>', None) => self.tag_ended(text, room, links),
                (b'"' | b'\'', None) => {
                    // A quote opens a value only behind `=`; an apostrophe elsewhere is a letter.
                    if self.tag.trim_ascii_end().ends_with(b"=") {
                        self.quote = Some(first);
                    }
                    self.keep(first);
                }
                (_, Some(quote)) if first == quote => {
                    self.quote = None;
                    self.keep(first);
                }
                _ => self.keep(first),
            }
            if self.place == Place::Tag && self.tag == b"!--" && self.raw.is_empty() {
                self.place = Place::Comment;
                self.tag.clear();
            }
        }
    }

    /// The text ends.
    pub fn end(&mut self, links: &mut Links) {
        self.plain.end(links);
    }

    fn keep(&mut self, octet: u8) {
        if self.tag.len() < MAX_TAG {
            self.tag.push(octet);
        }
    }

    fn text(&mut self, run: &[u8], text: &mut Vec<u8>, room: usize, links: &mut Links) {
        let left = room.saturating_sub(text.len());
        text.extend(run.iter().take(left));
        match &mut self.anchor {
            Some((_, shown)) => {
                let left = MAX_SHOWN.saturating_sub(shown.len());
                shown.extend(run.iter().take(left));
            }
            None => self.plain.push(run, links),
        }
    }

    fn tag_ended(&mut self, text: &mut Vec<u8>, room: usize, links: &mut Links) {
        self.place = Place::Text;
        let tag = std::mem::take(&mut self.tag);
        let closing = tag.first() == Some(&b'/');
        let body = tag.strip_prefix(b"/").unwrap_or(&tag);
        let name_end = body.iter().position(|octet| !octet.is_ascii_alphanumeric() && *octet != b'!').unwrap_or(body.len());
        let (name, attributes) = body.split_at_checked(name_end).unwrap_or((body, &[]));
        let name = name.to_ascii_lowercase();
        if !self.raw.is_empty() {
            if closing && name == self.raw {
                self.raw.clear();
            } else {
                self.place = Place::Raw;
            }
            return;
        }
        // Blocks part words; what is within a line does not.
        let within = [&b"a"[..], b"b", b"i", b"u", b"em", b"strong", b"span", b"font", b"small", b"big", b"sup", b"sub", b"code"].contains(&&*name);
        if !within {
            self.plain.end(links);
            if text.len() < room && text.last().is_some_and(|last| !last.is_ascii_whitespace()) {
                text.push(b'\n');
            }
        }
        if name == b"a" {
            self.anchor_ended(links);
        }
        if closing {
            return;
        }
        let mut target = None;
        each_attribute(attributes, |attribute, value| {
            let linking = [&b"href"[..], b"src", b"action", b"formaction", b"background"].iter().any(|known| attribute.eq_ignore_ascii_case(known));
            if linking && name != b"base" {
                let value = String::from_utf8_lossy(value);
                let url = unescaped(value.trim());
                links.add(&url);
                if attribute.eq_ignore_ascii_case(b"href") {
                    target = Some(url);
                }
            }
        });
        if name == b"a" {
            self.anchor = target.map(|target| (target, Vec::new()));
        }
        if matches!(&*name, b"script" | b"style" | b"title") && !tag.ends_with(b"/") {
            self.raw = name;
            self.place = Place::Raw;
        }
    }

    fn anchor_ended(&mut self, links: &mut Links) {
        if let Some((target, shown)) = self.anchor.take().filter(|(_, shown)| shown.len() < MAX_SHOWN) {
            links.anchor(&target, &unescaped(&String::from_utf8_lossy(&shown)));
        }
    }
}

/// The attributes of a tag, behind its name.
fn each_attribute(text: &[u8], mut take: impl FnMut(&[u8], &[u8])) {
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start();
        let Some(end) = rest.iter().position(|octet| *octet == b'=' || octet.is_ascii_whitespace()) else { return };
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let Some(value) = after.trim_ascii_start().strip_prefix(b"=") else {
            rest = after;
            continue;
        };
        let value = value.trim_ascii_start();
        let (value, after) = match value.first() {
            Some(quote @ (b'"' | b'\'')) => {
                let value = value.get(1..).unwrap_or_default();
                let end = value.iter().position(|octet| octet == quote).unwrap_or(value.len());
                (value.get(..end).unwrap_or_default(), value.get(end + 1..).unwrap_or_default())
            }
            _ => value.split_at_checked(value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len())).unwrap_or((value, &[])),
        };
        take(name, value);
        rest = after;
    }
}

/// Text with the common character references read (HTML, 13.1.4).
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let end = after.bytes().take(10).position(|octet| octet == b';');
        let letter = end.and_then(|end| after.get(..end)).and_then(reference);
        match (letter, end) {
            (Some(letter), Some(end)) => {
                out.push(letter);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_text() {
        let mut links = Links::default();
        let mut plain = Plain::default();
        for piece in [&b"see htt"[..], b"ps://a.example/x?y=1. (HTTP://b.example/) <ftp://c", b"> http:// x://y http://b.example/q_(z)"] {
            plain.push(piece, &mut links);
        }
        plain.end(&mut links);
        assert_eq!(links.urls, ["https://a.example/x?y=1", "HTTP://b.example/", "ftp://c", "http://b.example/q_(z)"]);
    }

    #[test]
    fn in_html() {
        let page = b"<!DOCTYPE html PUBLIC \"x\" \"http://www.w3.org/TR\"><!-- http://no.example > --><html xmlns='http://no.example'><style>a>b{}</style>\
            <a class=x href=\"http://evil.example.net/?a=1&amp;b\"><b>https://bank.example.com/</b></a> it's http://t.example/ <img src=https://i.example.org/p.gif>\
            <a href='https://www.shop.com/'>shop.shop.com</a><a href=https://click.shop.com>www.shop.com</a><p>A &lt; B << C < 3</p>";
        let (mut whole, mut cut) = (Links::default(), Links::default());
        let (mut text, mut other) = (Vec::new(), Vec::new());
        let mut html = Html::default();
        html.push(page, &mut text, 1000, &mut whole);
        html.end(&mut whole);
        let mut html = Html::default();
        for octet in page {
            html.push(&[*octet], &mut other, 1000, &mut cut);
        }
        html.end(&mut cut);
        assert_eq!(
            whole.urls,
            ["http://evil.example.net/?a=1&b", "http://t.example/", "https://i.example.org/p.gif", "https://www.shop.com/", "https://click.shop.com"]
        );
        assert_eq!(whole.deceptive, ["http://evil.example.net/?a=1&b"]);
        assert_eq!((&whole.urls, &whole.deceptive, &text), (&cut.urls, &cut.deceptive, &other));
        assert_eq!(String::from_utf8_lossy(&text), "https://bank.example.com/ it's http://t.example/ shop.shop.comwww.shop.com\nA &lt; B << C < 3\n");
    }
}
