//! Ids for secrets: equal for equal secrets, useless for guessing them.

use std::fmt::Write as _;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

static KEY: OnceLock<[u8; 32]> = OnceLock::new();

/// Sets the key of this process's lake; the first call counts.
pub fn set_key(key: [u8; 32]) {
    let _ = KEY.set(key);
}

/// Opaque id of a secret: HMAC-SHA-256 (RFC 2104) under the lake's key, shortened to 64 bits. `None` where no key is set.
pub fn id(secret: &[u8]) -> Option<String> {
    let key = KEY.get()?;
    let mut inner = Sha256::new();
    inner.update(padded(key, 0x36));
    inner.update(secret);
    let mut outer = Sha256::new();
    outer.update(padded(key, 0x5c));
    outer.update(inner.finalize());
    Some(outer.finalize().iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn padded(key: &[u8; 32], mask: u8) -> [u8; 64] {
    let mut block = [mask; 64];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot ^= byte;
    }
    block
}
