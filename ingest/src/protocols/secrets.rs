//! Ids for secrets: equal for equal secrets, useless for guessing them.

use std::sync::OnceLock;

use pcapper_schema::tables::Credentials;
use sha2::{Digest, Sha256};

use super::Cx;
use super::hex::hex;

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
    outer.finalize().get(..8).map(hex)
}

/// The password that every packet of a flow repeats in clear, as routing protocols do: told once, and again when it changes.
#[derive(Default)]
pub struct Repeated(Vec<u8>);

impl Repeated {
    /// Writes its row of `credentials`, unless it is the one told last. `text` is the secret as people read it.
    pub fn tell(&mut self, cx: &mut Cx<'_>, protocol: &str, secret: &[u8], text: &str) {
        if self.0 == secret {
            return;
        }
        self.0 = secret.to_vec();
        cx.emit(Credentials {
            protocol: Some(protocol),
            kind: Some("password"),
            secret: Some(text),
            secret_id: id(secret).as_deref(),
            secret_length: u32::try_from(text.chars().count()).ok(),
            encrypted: Some(cx.is_decrypted()),
            outcome: Some("unknown"),
            ..Credentials::default()
        });
    }
}

fn padded(key: &[u8; 32], mask: u8) -> [u8; 64] {
    let mut block = [mask; 64];
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot ^= byte;
    }
    block
}
