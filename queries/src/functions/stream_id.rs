//! `stream_id(src_ip, src_port, dst_ip, dst_port)`: the id by which a conversation's ends are known in every capture: the first
//! 12 hexadecimal digits of SHA-1 over `A:p<->B:q`, the ends in order of their address as text, then of the port.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use sha1::{Digest, Sha1};

use super::{FunctionDoc, Kind};

/// Its entry in the dictionary.
pub const DOC: FunctionDoc = FunctionDoc {
    name: "stream_id",
    kind: Kind::Scalar,
    signature: "stream_id(src_ip utf8, src_port u16, dst_ip utf8, dst_port u16) -> utf8",
    meaning: "The id of a conversation's ends, the same in every capture and from either end: what --follow-id takes.",
    example: "stream_id('141.142.228.5', 53595, '54.243.55.129', 80)",
    gives: "9ebe5d847364",
};

/// The function.
pub fn function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let (src_ip, dst_ip) = (arrays[0].as_string::<i32>(), arrays[2].as_string::<i32>());
        let (src_port, dst_port) = (arrays[1].as_primitive::<Int64Type>(), arrays[3].as_primitive::<Int64Type>());
        let ids: StringArray = (0..src_ip.len())
            .map(|row| {
                let known = src_ip.is_valid(row) && dst_ip.is_valid(row) && src_port.is_valid(row) && dst_port.is_valid(row);
                // Whole numbers of any type may be given; what is no port has no id.
                let port = |ports: &Int64Array| known.then(|| u16::try_from(ports.value(row)).ok()).flatten();
                let (from, to) = (port(src_port)?, port(dst_port)?);
                Some(stream_id((src_ip.value(row), from), (dst_ip.value(row), to)))
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(ids)))
    };
    let types = vec![DataType::Utf8, DataType::Int64, DataType::Utf8, DataType::Int64];
    create_udf("stream_id", types, DataType::Utf8, Volatility::Immutable, Arc::new(body))
}

fn stream_id(one: (&str, u16), other: (&str, u16)) -> String {
    let (low, high) = if one <= other { (one, other) } else { (other, one) };
    let hash = Sha1::digest(format!("{}:{}<->{}:{}", low.0, low.1, high.0, high.1));
    hash.iter().take(6).map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::stream_id;

    #[test]
    fn both_directions_have_one_id() {
        let (client, server) = (("141.142.228.5", 53595), ("54.243.55.129", 80));
        assert_eq!(stream_id(client, server), "9ebe5d847364");
        assert_eq!(stream_id(server, client), "9ebe5d847364");
    }
}
