//! `hex(bytes)` and `unhex(text)`: octets as lower-case hex digits and back.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BinaryArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility, create_udf};

use super::{FunctionDoc, Kind};
use crate::Result;

pub const DOCS: [FunctionDoc; 2] = [
    FunctionDoc {
        name: "hex",
        kind: Kind::Scalar,
        signature: "hex(octets binary | utf8) -> utf8",
        meaning: "Octets as lower-case hex digits; of text, those of its UTF-8.",
        example: "hex('Hi')",
        gives: "4869",
    },
    FunctionDoc {
        name: "unhex",
        kind: Kind::Scalar,
        signature: "unhex(digits utf8) -> binary",
        meaning: "The octets that hex digits spell, in either case; blanks, colons, dots and dashes between them are passed over. Null where something else stands there.",
        example: "hex(unhex('DE:AD be-ef'))",
        gives: "deadbeef",
    },
];

/// The functions.
pub fn functions() -> Vec<ScalarUDF> {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let octets: BinaryArray = arrays[0].as_string::<i32>().iter().map(|text| text.and_then(unhex)).collect();
        Ok(ColumnarValue::Array(Arc::new(octets) as ArrayRef))
    };
    let accepted = TypeSignature::OneOf(vec![TypeSignature::Exact(vec![DataType::Binary]), TypeSignature::Exact(vec![DataType::Utf8])]);
    vec![
        ScalarUDF::new_from_impl(Hex { signature: Signature::new(accepted, Volatility::Immutable) }),
        create_udf("unhex", vec![DataType::Utf8], DataType::Binary, Volatility::Immutable, Arc::new(body)),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Hex {
    signature: Signature,
}

impl ScalarUDFImpl for Hex {
    fn name(&self) -> &str {
        "hex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let octets = cast(&arrays[0], &DataType::Binary)?;
        let texts: StringArray = octets.as_binary::<i32>().iter().map(|octets| octets.map(hex)).collect();
        Ok(ColumnarValue::Array(Arc::new(texts)))
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !matches!(letter, ' ' | ':' | '-' | '.'))
        .map(|letter| letter.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::unhex;

    #[test]
    fn digits() {
        assert_eq!(unhex("de:AD").as_deref(), Some(&[0xde, 0xad][..]));
        assert_eq!(unhex(""), Some(Vec::new()));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
    }
}
