//! The host in focus: `in_focus(ip)`, `in_category(name)`, `activity(times, first, last)`, `block_width(seconds)`.
//!
//! A report about one host asks these; what they answer is set once a run. Without a focus every address and every category
//! is in.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::prelude::SessionContext;

use super::{FunctionDoc, Kind, cidr_match, of_text};
use crate::{DataFusionError, Result};

pub const DOCS: [FunctionDoc; 4] = [
    FunctionDoc {
        name: "activity",
        kind: Kind::Scalar,
        signature: "activity(times list, first timestamp, last timestamp) -> utf8",
        meaning: "Events over time as one line of text, a character a bucket.",
        example: "character_length(activity(make_array(to_timestamp(0), to_timestamp(60)), to_timestamp(0), to_timestamp(60)))",
        gives: "24",
    },
    FunctionDoc {
        name: "block_width",
        kind: Kind::Scalar,
        signature: "block_width(seconds utf8) -> f64",
        meaning: "Seconds of one bucket of activity over a span.",
        example: "block_width('240')",
        gives: "10.0",
    },
    FunctionDoc {
        name: "in_category",
        kind: Kind::Scalar,
        signature: "in_category(name utf8) -> bool",
        meaning: "Whether a category of events was asked for (--timeline-categories); every one is where none was named.",
        example: "in_category('dns')",
        gives: "true",
    },
    FunctionDoc {
        name: "in_focus",
        kind: Kind::Scalar,
        signature: "in_focus(ip utf8) -> bool",
        meaning: "Whether an address is in focus (-ip); every one is where none was named.",
        example: "in_focus('10.0.0.1')",
        gives: "true",
    },
];

/// What a report of one host is about.
#[derive(Clone, Debug)]
pub struct Focus {
    /// Addresses and networks as text (`10.0.0.0/8`); none for all.
    pub networks: Vec<String>,
    /// Names of event categories, lower case; none for all.
    pub categories: Vec<String>,
    /// Buckets of a sparkline.
    pub bins: usize,
    /// A sparkline may use block elements.
    pub blocks: bool,
}

impl Default for Focus {
    fn default() -> Self {
        Self { networks: Vec::new(), categories: Vec::new(), bins: 24, blocks: true }
    }
}

/// Makes the functions known to a session, for this focus.
pub fn register(context: &SessionContext, focus: &Focus) {
    let networks = focus.networks.clone();
    let near = move |ip: &str| Some(networks.is_empty() || networks.iter().any(|network| cidr_match::matches(network, ip) == Some(true)));
    context.register_udf(of_text("in_focus", DataType::Boolean, near));
    let categories = focus.categories.clone();
    let wanted = move |name: &str| Some(categories.is_empty() || categories.contains(&name.to_lowercase()));
    context.register_udf(of_text("in_category", DataType::Boolean, wanted));
    // Seconds of a bucket, of a span in seconds.
    let bins = focus.bins as f64;
    context.register_udf(of_text("block_width", DataType::Float64, move |span| span.parse().ok().map(|span: f64| span / bins)));
    context.register_udf(ScalarUDF::new_from_impl(Activity {
        signature: Signature::any(3, Volatility::Immutable),
        bins: focus.bins,
        levels: if focus.blocks { BLOCKS } else { LETTERS },
    }));
}

const BLOCKS: &str = "▁▂▃▄▅▆▇█";
const LETTERS: &str = " .:-=+*#%@";

/// `activity(times, first, last)`: events over time as one line of text.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Activity {
    signature: Signature,
    bins: usize,
    levels: &'static str,
}

impl ScalarUDFImpl for Activity {
    fn name(&self) -> &str {
        "activity"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [times, first, last] = arrays.as_slice() else {
            return Err(DataFusionError::Plan("activity needs times, first and last".to_owned()));
        };
        let lists = times.as_list_opt::<i32>().ok_or_else(|| DataFusionError::Plan("activity needs a list of times".to_owned()))?;
        let (first, last) = (cast(first, &DataType::Int64)?, cast(last, &DataType::Int64)?);
        let (first, last) = (first.as_primitive::<Int64Type>(), last.as_primitive::<Int64Type>());
        let mut lines = Vec::with_capacity(lists.len());
        for (list, (first, last)) in lists.iter().zip(first.iter().zip(last.iter())) {
            let (Some(list), Some(first), Some(last)) = (list, first, last) else {
                lines.push(None);
                continue;
            };
            let times = cast(&list, &DataType::Int64)?;
            lines.push(Some(sparkline(times.as_primitive::<Int64Type>().iter().flatten(), first, last, self.bins, self.levels)));
        }
        let lines: ArrayRef = Arc::new(StringArray::from(lines));
        Ok(ColumnarValue::Array(lines))
    }
}

/// One character a bin, its height the bin's share of the fullest.
fn sparkline(times: impl Iterator<Item = i64>, first: i64, last: i64, bins: usize, levels: &str) -> String {
    let mut counts = vec![0u64; bins];
    let span = (i128::from(last) - i128::from(first) + 1).max(1);
    for time in times {
        let place = (i128::from(time) - i128::from(first)) * bins as i128 / span;
        if let Some(count) = usize::try_from(place).ok().and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    let levels: Vec<char> = levels.chars().collect();
    let (most, top) = (counts.iter().copied().max().unwrap_or_default(), levels.len().saturating_sub(1) as u64);
    let height = |count: u64| if most == 0 { 0 } else { (count * top).div_ceil(most) };
    counts.iter().filter_map(|&count| levels.get(height(count) as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparklines() {
        assert_eq!(sparkline([0, 0, 0, 0, 30].into_iter(), 0, 39, 4, BLOCKS), "█▁▁▃");
        assert_eq!(sparkline([].into_iter(), 5, 5, 3, LETTERS), "   ");
        assert_eq!(sparkline([i64::MIN, i64::MAX].into_iter(), i64::MIN, i64::MAX, 2, BLOCKS), "██");
    }
}
