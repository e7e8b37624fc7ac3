use super::*;

#[test]
fn framing() {
    let mut bytes = vec![0, 0, 0, 64, 0xfe, b'S', b'M', b'B'];
    assert_eq!(framed(&bytes), Some(64));
    bytes.splice(0..0, [1, 2, 3]);
    assert_eq!((framed(&bytes), resync(&bytes)), (None, Some(3)));
    assert_eq!(framed(&[0, 0, 0, 63, 0xfe, b'S', b'M', b'B']), None);
}

#[test]
fn texts_end_at_nul() {
    assert_eq!(wide(b"a\0b\0\0\0c\0"), "ab");
    let mut reader = Reader::new(b"\0a\0b\0\0\0rest");
    assert_eq!(text(&mut reader, 12, true).as_deref(), Ok("ab"));
    assert_eq!(reader.peek(), b"rest");
}
