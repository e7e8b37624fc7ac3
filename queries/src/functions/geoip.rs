//! `country(ip)`, `city(ip)`, `asn(ip)`, `as_operator(ip)`: where an address is and who runs its network, by the user's databases.

use std::net::IpAddr;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringArray, UInt32Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::common::exec_err;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

use super::{FunctionDoc, Kind};
use crate::Result;
use crate::geoip::Geo;

pub const DOCS: [FunctionDoc; 4] = [
    FunctionDoc {
        name: "as_operator",
        kind: Kind::Scalar,
        signature: "as_operator(ip utf8) -> utf8",
        meaning: "Who runs the autonomous system of an address, by the ASN database of the settings ([geoip] asn, PCAPPER_GEOIP_ASN_DB); null where that has no answer or none is given.",
        example: "coalesce(as_operator('192.0.2.1'), 'not known')",
        gives: "not known",
    },
    FunctionDoc {
        name: "asn",
        kind: Kind::Scalar,
        signature: "asn(ip utf8) -> u32",
        meaning: "Number of the autonomous system that announces an address, by the ASN database of the settings ([geoip] asn, PCAPPER_GEOIP_ASN_DB); null where that has no answer or none is given.",
        example: "asn('192.0.2.1') IS NULL",
        gives: "true",
    },
    FunctionDoc {
        name: "city",
        kind: Kind::Scalar,
        signature: "city(ip utf8) -> utf8",
        meaning: "City of an address, by its English name in the city database of the settings ([geoip] city, PCAPPER_GEOIP_CITY_DB); null where that has no answer or none is given.",
        example: "coalesce(city('192.0.2.1'), 'not known')",
        gives: "not known",
    },
    FunctionDoc {
        name: "country",
        kind: Kind::Scalar,
        signature: "country(ip utf8) -> utf8",
        meaning: "Country of an address in two letters (ISO 3166-1), by the city or country database of the settings ([geoip] city, PCAPPER_GEOIP_CITY_DB); null where that has no answer or none is given.",
        example: "coalesce(country('192.0.2.1'), 'not known')",
        gives: "not known",
    },
];

/// The functions.
pub fn functions(geo: &Arc<Geo>) -> Vec<ScalarUDF> {
    vec![
        of_address("country", geo, DataType::Utf8, Geo::country, |values| Arc::new(StringArray::from(values))),
        of_address("city", geo, DataType::Utf8, Geo::city, |values| Arc::new(StringArray::from(values))),
        of_address("asn", geo, DataType::UInt32, Geo::asn, |values| Arc::new(UInt32Array::from(values))),
        of_address("as_operator", geo, DataType::Utf8, Geo::operator, |values| Arc::new(StringArray::from(values))),
    ]
}

/// A function of one address; what is no address has no answer.
fn of_address<A: 'static>(
    name: &str,
    geo: &Arc<Geo>,
    result: DataType,
    ask: fn(&Geo, IpAddr) -> std::result::Result<Option<A>, String>,
    collect: fn(Vec<Option<A>>) -> ArrayRef,
) -> ScalarUDF {
    let geo = Arc::clone(geo);
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let answer = |text: Option<&str>| text.and_then(|text| text.parse().ok()).map_or(Ok(None), |ip| ask(&geo, ip));
        match as_string_array(&arrays[0])?.iter().map(answer).collect() {
            Ok(values) => Ok(ColumnarValue::Array(collect(values))),
            Err(reason) => exec_err!("{reason}"),
        }
    };
    create_udf(name, vec![DataType::Utf8], result, Volatility::Immutable, Arc::new(body))
}
