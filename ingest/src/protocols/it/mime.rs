//! What the first bytes of a file say it is.
//!
//! Signatures first, by offset and octets; then forms of text. The names are IANA media types where there is one, else the
//! `x-` name in common use.

/// Octets that are enough for [`sniff`]; more are not looked at.
pub const SNIFF_BYTES: usize = 1024;

/// Signatures: offset, octets, type. The first that fits wins, so the longer stand before the shorter.
static SIGNATURES: &[(usize, &[u8], &str)] = &[
    // Programs.
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"dex\n03", "application/vnd.android.dex"),
    (0, b"\0asm\x01\0\0\0", "application/wasm"),
    (0, b"L\0\0\0\x01\x14\x02\0", "application/x-ms-shortcut"),
    // Documents.
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"ITSF\x03\0\0\0", "application/vnd.ms-htmlhelp"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    // Archives and compressed data.
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"\x04\x22\x4d\x18", "application/x-lz4"),
    (0, b"\x1f\x9d", "application/x-compress"),
    (0, b"!<arch>\ndebian-binary", "application/vnd.debian.binary-package"),
    (0, b"!<arch>\n", "application/x-archive"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (0, b"Cr24", "application/x-chrome-extension"),
    (0, b"xar!", "application/x-xar"),
    (257, b"ustar", "application/x-tar"),
    // Pictures.
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"8BPS\0\x01", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\x01\0\x01\0", "image/vnd.microsoft.icon"),
    (0, b"\0\0\x01\0\x02\0", "image/vnd.microsoft.icon"),
    (0, b"\0\0\x01\0\x03\0", "image/vnd.microsoft.icon"),
    // Sound and film.
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS\0", "application/ogg"),
    (0, b"fLaC\0", "audio/flac"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (0, b"\0\0\x01\xba", "video/mpeg"),
    (0, b"FWS", "application/x-shockwave-flash"),
    (0, b"CWS", "application/x-shockwave-flash"),
    (0, b"ZWS", "application/x-shockwave-flash"),
    // Fonts.
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO\0", "font/otf"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    // Captures, torrents, keys.
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"d8:announce", "application/x-bittorrent"),
];

/// Starts of text documents, after white space, without regard to case.
static MARKUP: &[(&[u8], &str)] = &[
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<title", "text/html"),
    (b"<script", "text/html"),
    (b"<iframe", "text/html"),
    (b"<table", "text/html"),
    (b"<div", "text/html"),
    (b"<h1", "text/html"),
    (b"<?php", "text/x-php"),
    (b"<svg", "image/svg+xml"),
    (b"-----begin pgp ", "application/pgp-encrypted"),
    (b"-----begin ", "application/x-pem-file"),
];

/// Media type of a file that starts with `first` ([`SNIFF_BYTES`] of it, or all if it is shorter); `None` if nothing is known.
pub fn sniff(first: &[u8]) -> Option<&'static str> {
    let first = first.get(..SNIFF_BYTES).unwrap_or(first);
    if first.is_empty() {
        return None;
    }
    binary(first).or_else(|| text(first))
}

fn at(bytes: &[u8], offset: usize, wanted: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(wanted))
}

fn binary(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(b"MZ") {
        return program(first);
    }
    if first.starts_with(b"PK\x03\x04") {
        return Some(zip(first));
    }
    if first.starts_with(b"PK\x05\x06") {
        return Some("application/zip");
    }
    // Java classes and fat Mach-O share a magic; a class file's major version is 45 or more, a fat file has few members.
    if let [0xca, 0xfe, 0xba, 0xbe, _, _, high, low, ..] = *first {
        return Some(if u16::from_be_bytes([high, low]) >= 45 { "application/java-vm" } else { "application/x-mach-binary" });
    }
    if let [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] = first {
        let riff = [(&b"WEBP"[..], "image/webp"), (b"WAVE", "audio/vnd.wave"), (b"AVI ", "video/vnd.avi")];
        return riff.iter().find(|(name, _)| kind.starts_with(name)).map(|(_, mime)| *mime);
    }
    if at(first, 4, b"ftyp") {
        return Some(if at(first, 8, b"heic") || at(first, 8, b"mif1") {
            "image/heic"
        } else if at(first, 8, b"avif") {
            "image/avif"
        } else if at(first, 8, b"qt  ") {
            "video/quicktime"
        } else {
            "video/mp4"
        });
    }
    // Bitmaps: two reserved words of zero, then the offset of the picture.
    if first.starts_with(b"BM") && at(first, 6, &[0; 4]) && at(first, 12, &[0, 0]) {
        return Some("image/bmp");
    }
    // MPEG transport stream: a sync octet every 188.
    if first.first() == Some(&0x47) && first.get(188) == Some(&0x47) && first.get(376) == Some(&0x47) {
        return Some("video/mp2t");
    }
    SIGNATURES.iter().find(|(offset, octets, _)| at(first, *offset, octets)).map(|(_, _, mime)| *mime)
}

/// A DOS or Windows program: the word at 0x3c leads to the header of the latter.
fn program(first: &[u8]) -> Option<&'static str> {
    let dos = "application/x-dosexec";
    let Some(&[a, b, c, d]) = first.get(0x3c..).and_then(|rest| rest.first_chunk::<4>()) else {
        return (first.len() >= 28 && text_share(first) < 90).then_some(dos);
    };
    let header = u32::from_le_bytes([a, b, c, d]) as usize;
    match first.get(header..).map(|rest| rest.get(..4)) {
        Some(Some(b"PE\0\0")) => Some("application/vnd.microsoft.portable-executable"),
        Some(Some(_)) => (text_share(first) < 90).then_some(dos),
        // The header lies behind what was seen; its place is plausible for a program with a longer stub.
        Some(None) | None if header >= 0x40 && header.is_multiple_of(4) && header < 0x1_0000 => Some("application/vnd.microsoft.portable-executable"),
        Some(None) | None => (text_share(first) < 90).then_some(dos),
    }
}

/// A ZIP archive, by the name of its first member.
fn zip(first: &[u8]) -> &'static str {
    let name = first.get(30..).unwrap_or_default();
    if name.starts_with(b"META-INF/") {
        return "application/java-archive";
    }
    if name.starts_with(b"AndroidManifest.xml") {
        return "application/vnd.android.package-archive";
    }
    // OpenDocument and EPUB store their type as the first member, uncompressed (OpenDocument 1.2 part 3, 3.3).
    if let Some(kind) = name.strip_prefix(b"mimetype") {
        let kinds = [
            "application/epub+zip",
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
        ];
        return kinds.into_iter().find(|known| kind.starts_with(known.as_bytes())).unwrap_or("application/zip");
    }
    // Office Open XML: the folder of the main part is usually named within the first entries.
    if name.starts_with(b"[Content_Types].xml") || name.starts_with(b"_rels/") || name.starts_with(b"docProps/") {
        let holds = |folder: &[u8]| name.windows(folder.len()).any(|window| window == folder);
        if holds(b"word/") {
            return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        }
        if holds(b"xl/") {
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        }
        if holds(b"ppt/") {
            return "application/vnd.openxmlformats-officedocument.presentationml.presentation";
        }
    }
    "application/zip"
}

fn text(first: &[u8]) -> Option<&'static str> {
    if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") {
        // UTF-16 with its mark: text if the characters are from few pages, which zeros tell.
        let zeros = first.iter().filter(|&&octet| octet == 0).count();
        return (first.len() >= 4 && zeros * 4 >= first.len()).then_some("text/plain");
    }
    let body = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    if !is_text(body) {
        return None;
    }
    if let Some(rest) = body.strip_prefix(b"#!") {
        return Some(script(rest));
    }
    let start = body.trim_ascii_start();
    if let Some((_, mime)) = MARKUP.iter().find(|(mark, _)| start.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark))) {
        return Some(mime);
    }
    if start.starts_with(b"<?xml") || start.starts_with(b"<!--") {
        return Some(inside_xml(start));
    }
    if start.first() == Some(&b'<') && start.get(1).is_some_and(u8::is_ascii_alphabetic) && start.contains(&b'>') {
        return Some("application/xml");
    }
    if is_json(start) {
        return Some("application/json");
    }
    Some("text/plain")
}

/// The kind of script by its interpreter line.
fn script(line: &[u8]) -> &'static str {
    let line = line.split(|&octet| octet == b'\n').next().unwrap_or_default();
    let names = |name: &[u8]| line.windows(name.len()).any(|window| window == name);
    if names(b"python") {
        "text/x-python"
    } else if names(b"perl") {
        "text/x-perl"
    } else if names(b"php") {
        "text/x-php"
    } else if names(b"node") {
        "text/javascript"
    } else if names(b"sh") {
        "text/x-shellscript"
    } else {
        "text/x-script"
    }
}

/// Documents that begin as XML or with a comment and turn out to be more special.
fn inside_xml(start: &[u8]) -> &'static str {
    let holds = |mark: &[u8]| start.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark));
    if holds(b"<html") || holds(b"<!doctype html") {
        "text/html"
    } else if holds(b"<svg") {
        "image/svg+xml"
    } else if start.starts_with(b"<!--") && !holds(b"<?xml") {
        "text/html"
    } else {
        "application/xml"
    }
}

/// An object or array of JSON, judged by its first tokens (RFC 8259).
fn is_json(start: &[u8]) -> bool {
    let Some((&open, rest)) = start.split_first() else { return false };
    let next = rest.trim_ascii_start();
    match (open, next.first()) {
        (b'{', Some(b'}')) | (b'[', Some(b']')) => next.trim_ascii().len() == 1,
        // A key in double quotes, then a colon.
        (b'{', Some(b'"')) => {
            let Some(key_end) = next.get(1..).and_then(|key| key.iter().position(|&octet| octet == b'"')) else { return false };
            next.get(key_end + 2..).is_some_and(|after| after.trim_ascii_start().first() == Some(&b':'))
        }
        (b'[', Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9')) => true,
        (b'[', Some(_)) => [&b"true"[..], b"false", b"null"].iter().any(|word| next.starts_with(word)),
        _ => false,
    }
}

/// Only characters of text: UTF-8 (of which the last may be cut) or Latin-1 letters among ASCII, no other control characters.
fn is_text(bytes: &[u8]) -> bool {
    let control = |octet: &u8| matches!(octet, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    if bytes.iter().any(control) {
        return false;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) if error.error_len().is_none() => true,
        Err(_) => text_share(bytes) >= 85,
    }
}

/// Percent of the octets that are printable ASCII or white space.
fn text_share(bytes: &[u8]) -> usize {
    let printable = bytes.iter().filter(|octet| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~')).count();
    (printable * 100).checked_div(bytes.len()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let mut exe = vec![0; 0x100];
        exe[..2].copy_from_slice(b"MZ");
        exe[0x3c] = 0x80;
        assert_eq!(sniff(&exe), Some("application/x-dosexec"));
        exe[0x80..0x84].copy_from_slice(b"PE\0\0");
        assert_eq!(sniff(&exe), Some("application/vnd.microsoft.portable-executable"));
        assert_eq!(sniff(b"\x7fELF\x02\x01\x01\0"), Some("application/x-executable"));
        assert_eq!(sniff(b"\xca\xfe\xba\xbe\0\0\0\x34"), Some("application/java-vm"));
        assert_eq!(sniff(b"MZ is how this sentence begins, and it goes on as text until it is long enough to hold an offset"), Some("text/plain"));
    }

    #[test]
    fn documents() {
        assert_eq!(sniff(b"\r\n <!DOCTYPE HTML PUBLIC>"), Some("text/html"));
        assert_eq!(sniff(b"<?xml version='1.0'?><a/>"), Some("application/xml"));
        assert_eq!(sniff(b"{\"a\": 1}"), Some("application/json"));
        assert_eq!(sniff(b"{a: 1}"), Some("text/plain"));
        assert_eq!(sniff(b"#!/bin/sh\nrm -rf x"), Some("text/x-shellscript"));
        assert_eq!(sniff(b"GIF89a\x01\0"), Some("image/gif"));
        assert_eq!(sniff(b"uid=0(root) gid=0(root)\n"), Some("text/plain"));
        assert_eq!(sniff(b"\x01\x02\x03\xff"), None);
        assert_eq!(sniff(b""), None);
    }
}
