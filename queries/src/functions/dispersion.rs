//! `dispersion(list of numbers)`: median absolute deviation as a share of the median; 0 for numbers that are all alike.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::periodicity::{quantile, sorted};
use super::{FunctionDoc, Kind};
use crate::{DataFusionError, Result};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "dispersion",
    kind: Kind::Scalar,
    signature: "dispersion(numbers list) -> f64",
    meaning: "Median absolute deviation of a list of numbers as a share of their median; 0 for numbers that are all alike.",
    example: "dispersion(make_array(100.0, 100.0, 110.0, 90.0))",
    gives: "0.05",
};

/// The function.
pub fn function() -> ScalarUDF {
    ScalarUDF::new_from_impl(Dispersion { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Dispersion {
    signature: Signature,
}

impl ScalarUDFImpl for Dispersion {
    fn name(&self) -> &str {
        "dispersion"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let lists = arrays.first().and_then(|array| array.as_list_opt::<i32>());
        let lists = lists.ok_or_else(|| DataFusionError::Plan("dispersion needs a list of numbers, as array_agg(bytes) gives".to_owned()))?;
        let values: Vec<Option<f64>> = lists
            .iter()
            .map(|list| {
                let Some(list) = list else { return Ok(None) };
                let numbers = cast(&list, &DataType::Float64)?;
                Ok(dispersion(numbers.as_primitive::<Float64Type>().iter().flatten().collect()))
            })
            .collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(Float64Array::from(values))))
    }
}

/// `None` without numbers, and where the median is zero and not all numbers are.
fn dispersion(numbers: Vec<f64>) -> Option<f64> {
    let numbers = sorted(numbers);
    let (first, last) = (numbers.first()?, numbers.last()?);
    if first == last {
        return Some(0.0);
    }
    let median = quantile(&numbers, 0.5);
    let deviations = sorted(numbers.iter().map(|number| (number - median).abs()).collect());
    (median != 0.0).then(|| quantile(&deviations, 0.5) / median.abs())
}

#[cfg(test)]
mod tests {
    use super::dispersion;

    #[test]
    fn known_values() {
        assert_eq!(dispersion(vec![]), None);
        assert_eq!(dispersion(vec![0.0, 0.0]), Some(0.0));
        assert_eq!(dispersion(vec![1.0, 2.0, 3.0, 4.0, 5.0]), Some(1.0 / 3.0));
        assert_eq!(dispersion(vec![0.0, 0.0, 7.0]), None);
    }
}
