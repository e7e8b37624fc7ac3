//! Messages and sessions made by hand, in pieces of every size.

use pcapper_schema::tables::{Credentials, Email, Files};
use pcapper_schema::{Row, TableSet};
use serde_json::Value;

use super::*;
use crate::protocols::it::{imap, pop3, smtp};
use crate::protocols::{Endpoint, Progress, Protocol, Shared, StreamDissector};

const MAIL: &[u8] = b"Received: from a ([192.0.2.1]) by b\r\nFrom: A <a@x.example>\r\nTo: b@y.example\r\nSubject: =?utf-8?B?w6k=?=\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"o\"\r\n\r\npreamble\r\n--o\r\nContent-Type: multipart/alternative; boundary=oi\r\n\r\n--oi\r\n\
Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsoft=\r\n =E9 http://l.example/=\r\nx\r\n\r\n--oi\r\n\
Content-Type: text/html\r\n\r\n<a href=\"http://e.example.net/\">http://www.b.example.org</a>\r\n--oi--\r\n\r\n--o\r\n\
Content-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment;\r\n filename*0=\"one\"; filename*1=\".bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
aGVs\r\nbG8=\r\n--o\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\nSubject: inner\r\n\r\n--other\r\ntext\r\n--o--\r\nepilogue\r\n";

struct World {
    tables: TableSet,
    shared: Shared,
}

impl World {
    fn cx(&mut self, dir: Dir) -> Cx<'_> {
        let ends = [Endpoint::default(); 2];
        Cx { tables: &mut self.tables, shared: &mut self.shared, frame: 1, ts: 0, packet: None, flow_id: Some(1), ends, dir, frames_spanned: 1 }
    }

    fn rows<R: Row>(&mut self) -> Vec<Value> {
        let batch = R::slot(&mut self.tables).finish("", "");
        let mut writer = arrow::json::ArrayWriter::new(Vec::new());
        let plain: Vec<_> = batch.columns().iter().enumerate().filter(|(_, c)| !c.data_type().is_temporal()).map(|(at, _)| at).collect();
        writer.write(&batch.project(&plain).unwrap()).unwrap();
        writer.finish().unwrap();
        let text = writer.into_inner();
        if text.is_empty() { Vec::new() } else { serde_json::from_slice(&text).unwrap() }
    }
}

/// What a dialogue leaves behind: rows of `email`, `files` and `credentials`. `<` marks what the server says.
fn talk(protocol: &Protocol, size: usize, dialogue: &[(char, &[u8])]) -> [Vec<Value>; 3] {
    let mut world = World { tables: TableSet::default(), shared: Shared::default() };
    let mut stream: Box<dyn StreamDissector> = (protocol.stream.as_ref().unwrap().start)();
    let mut pending = [Vec::new(), Vec::new()];
    for (side, bytes) in dialogue {
        let dir = if *side == '<' { Dir::Resp } else { Dir::Orig };
        for piece in bytes.chunks(size) {
            let pending: &mut Vec<u8> = &mut pending[dir.index()];
            pending.extend(piece);
            while let Progress::Consumed(count @ 1..) = stream.data(&mut world.cx(dir), pending) {
                pending.drain(..count);
                if pending.is_empty() {
                    break;
                }
            }
        }
    }
    stream.close(&mut world.cx(Dir::Orig));
    [world.rows::<Email>(), world.rows::<Files>(), world.rows::<Credentials>()]
}

fn check(mails: &[Value], files: &[Value]) {
    let mail = &mails[0];
    assert_eq!(mail["subject"], "é");
    assert_eq!(mail["from"], "A <a@x.example>");
    assert_eq!(mail["body_text"], "soft é http://l.example/x\r\n");
    assert_eq!(mail["urls"], serde_json::json!(["http://l.example/x", "http://e.example.net/"]));
    assert_eq!(mail["size_bytes"], MAIL.len());
    assert_eq!((&mail["complete"], &mail["attachment_count"]), (&Value::Bool(true), &Value::from(2)));
    assert_eq!(mail["attachment_names"], serde_json::json!(["one.bin", null]));
    assert_eq!(mail["originating_ip"], "192.0.2.1");
    assert_eq!((&files[0]["md5"], &files[0]["size_bytes"]), (&Value::from("5d41402abc4b2a76b9719d911017c592"), &Value::from(5)));
    // The inner message as it stands, without the line end before the boundary.
    assert_eq!(files[1]["size_bytes"], "Subject: inner\r\n\r\n--other\r\ntext".len());
}

#[test]
fn a_message_in_pieces_of_any_size() {
    for size in [1, 2, 3, 5, 17, 64, 4096] {
        let [mails, files, _] = talk(
            &smtp::PROTOCOL,
            size,
            &[
                ('<', b"220 x ESMTP\r\n"),
                ('>', b"EHLO c\r\n"),
                ('<', b"250 x\r\n"),
                ('>', b"MAIL FROM:<a@x.example>\r\n"),
                ('<', b"250 ok\r\n"),
                ('>', b"RCPT TO:<b@y.example>\r\n"),
                ('<', b"250 ok\r\n"),
                ('>', &[format!("BDAT {} LAST\r\n", MAIL.len()).as_bytes(), MAIL].concat()),
                ('<', b"250 ok\r\n"),
            ],
        );
        check(&mails, &files);
        assert_eq!(mails[0]["envelope_to"], serde_json::json!(["b@y.example"]));
    }
}

#[test]
fn a_mailbox_over_pop3() {
    let stuffed = [b"+OK\r\n", MAIL, b"..\r\n.\r\n"].concat();
    for size in [1, 7, 4096] {
        let [mails, files, logins] = talk(
            &pop3::PROTOCOL,
            size,
            &[
                ('<', b"+OK ready <1.2@x>\r\n"),
                ('>', b"USER a\r\nPASS b c\r\n"),
                ('<', b"+OK\r\n-ERR no\r\n"),
                ('>', b"AUTH PLAIN\r\n"),
                ('<', b"+ \r\n"),
                ('>', b"AGEAZA==\r\n"),
                ('<', b"+OK\r\n"),
                ('>', b"RETR 1\r\n"),
                ('<', &stuffed),
            ],
        );
        assert_eq!((&mails[0]["username"], &mails[0]["size_bytes"]), (&Value::from("a"), &Value::from(MAIL.len() + 3)));
        assert_eq!(files.len(), 2);
        let told: Vec<_> =
            logins.iter().map(|login| [&login["username"], &login["secret"], &login["outcome"]].map(|cell| cell.as_str().unwrap())).collect();
        assert_eq!(told, [["a", "b c", "failure"], ["a", "d", "success"]]);
    }
}

#[test]
fn a_mailbox_over_imap() {
    let fetched = [format!("* 1 FETCH (RFC822.SIZE {} BODY[] {{{}}}\r\n", MAIL.len(), MAIL.len()).as_bytes(), MAIL, b")\r\na3 OK\r\n"].concat();
    let (one, other) = MAIL.split_at(500);
    let piece = |start: usize, octets: &[u8]| [format!("* 2 FETCH (BODY[]<{start}> {{{}}}\r\n", octets.len()).as_bytes(), octets, b")\r\n"].concat();
    for size in [1, 7, 4096] {
        let [mails, files, logins] = talk(
            &imap::PROTOCOL,
            size,
            &[
                ('<', b"* OK ready\r\n"),
                ('>', b"a0 APPEND x {5}\r\n"),
                ('<', b"a0 NO not now\r\n"),
                ('>', b"a1 LOGIN {1+}\r\na \"b\\\"c\"\r\n"),
                ('<', b"a1 OK in\r\n"),
                ('>', b"a2 SELECT \"In Box\"\r\n"),
                ('<', b"* 2 EXISTS\r\na2 OK\r\n"),
                ('>', b"a3 FETCH 1 BODY[]\r\n"),
                ('<', &fetched),
                ('>', b"a4 FETCH 2 BODY[]<0.500>\r\n"),
                ('<', &piece(0, one)),
                ('>', b"a5 FETCH 2 BODY[]<500.5000>\r\n"),
                ('<', &piece(500, other)),
                ('>', &[format!("a6 APPEND Sent (\\Seen) {{{}+}}\r\n", MAIL.len()).as_bytes(), MAIL, b" (\\Seen) {3+}\r\nA:b\r\n"].concat()),
                ('<', b"a6 OK\r\n"),
            ],
        );
        assert_eq!((mails.len(), files.len()), (4, 6));
        check(&mails, &files);
        check(&mails[1..], &files[2..]);
        check(&mails[2..], &files[4..]);
        let boxes: Vec<_> = mails.iter().map(|mail| mail["mailbox"].as_str().unwrap()).collect();
        assert_eq!(boxes, ["In Box", "In Box", "Sent", "Sent"]);
        assert_eq!(
            (&logins[0]["username"], &logins[0]["secret"], &logins[0]["outcome"]),
            (&Value::from("a"), &Value::from("b\"c"), &Value::from("success"))
        );
    }
}

#[test]
fn a_message_cut_short() {
    let half = MAIL.get(..MAIL.len() - 30).unwrap();
    let [mails, files, _] = talk(&pop3::PROTOCOL, 100, &[('<', b"+OK\r\n"), ('>', b"RETR 1\r\n"), ('<', &[b"+OK\r\n", half].concat())]);
    assert_eq!(mails[0]["complete"], false);
    // The part that had ended is whole; the message within goes on where nobody saw it.
    assert_eq!(files.iter().map(|file| file["complete"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
}
