//! Decryption with keys that the user has: key logs, keys inside the capture, ciphers.
//!
//! [`Keyring`] holds the keys of a run; [`kdf`] and [`cipher`] are what TLS, QUIC and SSH derive and open with. The protocols
//! themselves do the rest (`protocols/it/tls/opener.rs` and the like): they pass plaintext to an
//! [`Inner`](crate::protocols::inner::Inner) conversation. [`plaintext`] gives the opened bytes themselves.

pub mod cipher;
pub mod kdf;
pub mod keyring;
pub mod plaintext;

pub use keyring::{BadLines, Keyring, Source, TlsSecrets};
