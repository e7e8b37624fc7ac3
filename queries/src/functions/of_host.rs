//! `of_host(ip)`: whether an address is one of the hosts that a report is about. Without any asked for, none is.

use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

use super::{FunctionDoc, Kind, cidr_match, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "of_host",
    kind: Kind::Scalar,
    signature: "of_host(ip utf8) -> bool",
    meaning: "Whether an address is one that -ip of --hostdetails asks about; false where nothing is asked.",
    example: "of_host('10.0.0.1')",
    gives: "false",
};

/// Makes the function known to a session, for these addresses and networks.
pub fn register(context: &SessionContext, networks: Vec<String>) {
    let is_asked = move |ip: &str| Some(networks.iter().any(|network| cidr_match::matches(network, ip) == Some(true)));
    context.register_udf(of_text("of_host", DataType::Boolean, is_asked));
}
