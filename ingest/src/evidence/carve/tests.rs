use std::io::Write as _;

use super::*;

/// What is found: format, start, length, whole or not.
fn found(bytes: &[u8]) -> Vec<(&'static str, usize, usize, bool)> {
    carve(bytes, false).into_iter().map(|one| (one.format.name, one.start, one.extent.length, one.extent.complete)).collect()
}

/// The bytes between others.
fn between(file: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\n\r\n", file, b"\r\nmore traffic"].concat()
}

const BEFORE: usize = 19;

fn png() -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0][..]), (b"IDAT", b"GIF89a is no picture here"), (b"IEND", b"")] {
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(kind);
        out.extend_from_slice(data);
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        out.extend_from_slice(&crc.sum().to_be_bytes());
    }
    out
}

#[test]
fn the_magic_numbers_compile() {
    assert!(MAGICS.is_some());
}

#[test]
fn files_end_where_their_structure_says() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&b"what is packed ".repeat(50)).unwrap();
    let gz = gz.finish().unwrap();
    let gif = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b".to_vec();
    let jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\xaa\xff\0\xbb\xff\xd9".to_vec();
    let pdf = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n2 0 obj\n%%EOF\n".to_vec();
    let wav = b"RIFF\x1c\0\0\0WAVEfmt \x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let rtf = br"{\rtf1 text {\b bold} \} still}".to_vec();
    let zip =
        [b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a".as_slice(), b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\x1f\0\0\0\x02\0ok"]
            .concat();
    let mp4 = b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x0cmoovabcd".to_vec();
    for (name, file) in
        [("PNG", png()), ("GZIP", gz), ("GIF", gif), ("JPEG", jpeg), ("PDF", pdf), ("WAV", wav), ("RTF", rtf), ("ZIP", zip), ("MP4", mp4)]
    {
        let is_open = name == "MP4" || name == "PDF";
        let bytes = if is_open { [&file[..], b"\0\0\0\0!!!!"].concat() } else { between(&file) };
        let start = if is_open { 0 } else { BEFORE };
        assert_eq!(found(&bytes), [(name, start, file.len(), true)], "{name}");
    }
}

#[test]
fn a_signature_alone_is_no_file() {
    for bytes in [
        &b"MZ is a common pair of letters, as everybody knows who has looked at traffic for a while"[..],
        b"\x1f\x8b\x08\xff",
        b"\xff\xd8\xff\0",
        b"PK\x03\x04 is ZIP",
        b"\x7fELF\x09",
        b"xxxxftyp",
        b"\xca\xfe\xba\xbe\0\0\0\0",
    ] {
        assert_eq!(found(bytes), [], "{bytes:?}");
    }
    let mut broken = png();
    broken[20] ^= 1;
    assert_eq!(found(&broken), [], "a header whose checksum is wrong");
}

#[test]
fn a_file_cut_off_is_kept_and_said_to_be_incomplete() {
    let file = png();
    let cut = &file[..file.len() - 20];
    assert_eq!(found(cut), [("PNG", 0, cut.len(), false)]);
}

#[test]
fn every_prefix_and_every_changed_byte_is_survived() {
    let mut samples = vec![png(), b"\xca\xfe\xba\xbe\0\0\0\x34\0\x05\x01\0\x01a\x07\0\x01".to_vec()];
    samples.push([b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), vec![0xff; 600]].concat());
    samples.push([b"\x7fELF\x02\x01\x01".to_vec(), vec![0; 9], vec![2, 0], vec![0xff; 60]].concat());
    samples.push([b"Rar!\x1a\x07\x01\x00".to_vec(), vec![0xff; 60]].concat());
    samples.push([b"\xcf\xfa\xed\xfe".to_vec(), [1, 0, 0, 0].repeat(20)].concat());
    for sample in samples {
        for at in 0..sample.len() {
            carve(&sample[..at], true);
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = sample.clone();
                changed[at] = value;
                carve(&changed, false);
            }
        }
    }
}
