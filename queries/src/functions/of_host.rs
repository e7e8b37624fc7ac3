//! `of_host(ip)`: whether an address is one of the hosts that a report is about. Without any asked for, none is.

use datafusion::arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;

use super::{cidr_match, of_text};

/// Makes the function known to a session, for these addresses and networks.
pub fn register(context: &SessionContext, networks: Vec<String>) {
    let is_asked = move |ip: &str| Some(networks.iter().any(|network| cidr_match::matches(network, ip) == Some(true)));
    context.register_udf(of_text("of_host", DataType::Boolean, is_asked));
}
