//! `mac_vendor(mac)`: who registered the address block (IEEE MA-L, MA-M, MA-S), and what kind of machine that tells:
//! `mac_is_virtual(mac)`.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOCS: [FunctionDoc; 2] = [
    FunctionDoc {
        name: "mac_vendor",
        kind: Kind::Scalar,
        signature: "mac_vendor(mac utf8) -> utf8",
        meaning: "Who registered the address block with the IEEE; null for group addresses and those that their owner made up.",
        example: "mac_vendor('00:00:00:00:00:01')",
        gives: "XEROX CORPORATION",
    },
    FunctionDoc {
        name: "mac_is_virtual",
        kind: Kind::Scalar,
        signature: "mac_is_virtual(mac utf8) -> bool",
        meaning: "Whether the address is of a hypervisor's block.",
        example: "mac_is_virtual('00:0c:29:6b:99:0f')",
        gives: "true",
    },
];

/// The functions.
pub fn functions() -> Vec<ScalarUDF> {
    vec![of_text("mac_vendor", DataType::Utf8, mac_vendor), of_text("mac_is_virtual", DataType::Boolean, |mac| Some(is_virtual(mac)))]
}

/// `None` for group addresses and for those that their owner made up (the locally administered bit).
fn mac_vendor(mac: &str) -> Option<String> {
    let digits = digits(mac)?;
    let first = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
    if first & 3 != 0 {
        return None;
    }
    let owner = oui_data::lookup(&digits)?.organization().trim();
    (!owner.is_empty() && !owner.eq_ignore_ascii_case("private")).then(|| owner.to_owned())
}

/// Twelve capital digits, however they were separated.
fn digits(mac: &str) -> Option<String> {
    let digits: String = mac.chars().filter(|letter| !matches!(letter, ':' | '-' | '.')).map(|letter| letter.to_ascii_uppercase()).collect();
    (digits.len() == 12 && digits.bytes().all(|octet| octet.is_ascii_hexdigit())).then_some(digits)
}

/// Blocks of hypervisors: VMware, VirtualBox, Xen, QEMU, Hyper-V, Parallels.
fn is_virtual(mac: &str) -> bool {
    let Some(digits) = digits(mac) else { return false };
    ["000569", "000C29", "001C14", "005056", "080027", "0A0027", "00163E", "525400", "00155D", "001C42"].iter().any(|block| digits.starts_with(block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        assert_eq!(mac_vendor("00:00:00:00:00:01").as_deref(), Some("XEROX CORPORATION"));
        assert_eq!(mac_vendor("02:00:00:00:00:01"), None);
        assert_eq!(mac_vendor("ff:ff:ff:ff:ff:ff"), None);
        assert_eq!(mac_vendor("ü"), None);
        assert!(is_virtual("00:0c:29:6b:99:0f") && !is_virtual("00:11:32:00:00:00"));
    }
}
