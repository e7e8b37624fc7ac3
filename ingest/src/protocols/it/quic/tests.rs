use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use pcapper_schema::{Row, TableSet, tables};

use super::*;
use crate::protocols::{Endpoint, Shared};

/// Feeds the datagrams, one a frame, and returns a column of the rows that `T` got, as text.
fn run<T: Row>(datagrams: &[(Dir, &[u8])]) -> impl Fn(&str) -> Vec<Option<String>> + use<T> {
    let (mut tables, mut shared) = (TableSet::default(), Shared::default());
    let mut quic = Quic::default();
    let ends = [50_000, 443].map(|port| Endpoint { port: Some(port), ..Endpoint::default() });
    let mut frame = 0;
    for (dir, datagram) in datagrams {
        frame += 1;
        let mut cx = Cx { tables: &mut tables, shared: &mut shared, frame, ts: 0, packet: None, flow_id: None, ends, dir: *dir, frames_spanned: 1 };
        quic.datagram(&mut cx, datagram);
        if frame as usize == datagrams.len() {
            quic.close(&mut cx);
        }
    }
    let rows = T::slot(&mut tables).finish("c", "id");
    move |column| {
        let text = arrow::compute::cast(rows.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
        let text = text.as_string::<i32>();
        (0..text.len()).map(|row| text.is_valid(row).then(|| text.value(row).to_owned())).collect()
    }
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn what_cannot_be_opened_still_counts() {
    let mut initial = vec![0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0xb0];
    initial.resize(18 + 0x4b0, 0x55);
    let refusal = [0x80, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x6b, 0x33, 0x43, 0xcf];
    let short = [0x41; 40];
    let datagrams: [(Dir, &[u8]); 3] = [(Dir::Orig, &initial), (Dir::Resp, &refusal), (Dir::Resp, &short)];
    let column = run::<tables::Quic>(&datagrams);
    assert_eq!(column("version_negotiation"), some(&["true"]));
    assert_eq!(column("client_initial_dcid"), some(&["0102030405060708"]));
    assert_eq!(column("history"), some(&["Ioo"]));
    assert_eq!(column("decrypted"), some(&["false"]));
    let packets = run::<QuicPackets>(&datagrams);
    assert_eq!(packets("packet_type"), some(&["initial", "version_negotiation"]));
    assert_eq!(packets("packet_len"), [Some("1200".into()), None]);
}

#[test]
fn probes() {
    let verdict =
        |bytes: &[u8], usual_port| probe(&Offer { bytes: [bytes, &[]], dir: Dir::Orig, ports: [None, None], usual_port, src: None, dst: None });
    let mut initial = vec![0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0xb0];
    initial.resize(18 + 0x4b0, 0);
    assert_eq!(verdict(&initial, false), Verdict::Yes);
    assert_eq!(verdict(&initial[..100], false), Verdict::No);
    assert_eq!(verdict(&initial[..100], true), Verdict::Yes);
    initial[4] = 7;
    assert_eq!(verdict(&initial, false), Verdict::No);
    assert_eq!(verdict(&initial, true), Verdict::Yes);
    assert_eq!(verdict(&[0x41; 60], true), Verdict::No);
}
