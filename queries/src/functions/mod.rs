//! What SQL lacks and analysts need: one function a file.

mod attack_name;
mod cidr_match;
pub(crate) mod community_id;
mod dga_score;
mod dispersion;
mod documentation;
mod entropy;
mod focus;
mod geoip;
mod hex;
mod hidden_text;
mod intervals;
mod ip_scope;
mod lookalike_of;
mod mac_vendor;
mod name_and_parents;
mod network_of;
mod of_host;
mod os_name;
pub mod payloads;
mod periodicity;
mod ptr_address;
mod readings;
mod redact;
mod registered_domain;
mod stream_id;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_array;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::SessionContext;

pub use cidr_match::Network;
pub use cidr_match::matches as cidr_matches;
pub use documentation::{FunctionDoc, Kind, PATTERNS, dictionary};
pub use focus::{Focus, register as focus};
pub use ip_scope::{scope as ip_scope, scope_of as ip_scope_of};
pub use of_host::register as ask_about;
pub use redact::{redact, redaction_marks};
pub use registered_domain::is_public as is_public_name;

use crate::Result;
use crate::catalog::Extension;

/// Makes every function known to a session that shows secrets or hides them, with what the user says of networks.
pub fn register(context: &SessionContext, show_secrets: bool, extension: &Extension) {
    let mut functions = vec![
        attack_name::function(),
        cidr_match::function(),
        community_id::function(),
        dga_score::function(),
        dispersion::function(),
        entropy::function(),
        hidden_text::function(),
        lookalike_of::function(),
        name_and_parents::function(),
        network_of::function(),
        periodicity::function(),
        ptr_address::function(),
        redact::function(show_secrets),
        registered_domain::function(),
        stream_id::function(),
    ];
    functions.extend(hex::functions());
    functions.extend(geoip::functions(&extension.geo));
    functions.extend(ip_scope::functions(&extension.internal, &extension.ot));
    functions.extend(mac_vendor::functions());
    functions.extend(os_name::functions());
    for function in functions {
        context.register_udf(function);
    }
    for function in intervals::functions().into_iter().chain(readings::functions()) {
        context.register_udaf(function);
    }
    focus(context, &Focus::default());
    ask_about(context, Vec::new());
}

/// A function of one text whose result is collected into an array.
fn of_text<A>(name: &str, result: DataType, each: impl Fn(&str) -> Option<A> + Send + Sync + 'static) -> ScalarUDF
where
    A: 'static,
    ArrayRef: FromOptions<A>,
{
    let body = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = as_string_array(&arrays[0])?;
        let values: Vec<Option<A>> = texts.iter().map(|text| text.and_then(&each)).collect();
        Ok(ColumnarValue::Array(ArrayRef::from_options(values)))
    };
    create_udf(name, vec![DataType::Utf8], result, Volatility::Immutable, Arc::new(body))
}

/// Arrays from optional values.
trait FromOptions<A> {
    fn from_options(values: Vec<Option<A>>) -> Self;
}

impl FromOptions<f64> for ArrayRef {
    fn from_options(values: Vec<Option<f64>>) -> Self {
        Arc::new(datafusion::arrow::array::Float64Array::from(values))
    }
}

impl FromOptions<bool> for ArrayRef {
    fn from_options(values: Vec<Option<bool>>) -> Self {
        Arc::new(datafusion::arrow::array::BooleanArray::from(values))
    }
}

impl FromOptions<String> for ArrayRef {
    fn from_options(values: Vec<Option<String>>) -> Self {
        Arc::new(datafusion::arrow::array::StringArray::from(values))
    }
}

/// Two texts side by side.
fn pairs(arguments: &[ColumnarValue]) -> Result<Vec<(Option<String>, Option<String>)>> {
    let arrays = ColumnarValue::values_to_arrays(arguments)?;
    let (left, right) = (arrays[0].as_string::<i32>(), arrays[1].as_string::<i32>());
    Ok(left.iter().zip(right.iter()).map(|(a, b)| (a.map(str::to_owned), b.map(str::to_owned))).collect())
}
