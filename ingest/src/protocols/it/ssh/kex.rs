//! Key exchange: offered algorithms with their fingerprint (HASSH), and host keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest, Md5};
use pcapper_schema::tables::Ssh;
use sha2::Sha256;

use super::cells;
use crate::protocols::Cx;
use crate::protocols::hex::{hex, joined};
use crate::wire::{Reader, Wire};

/// SSH_MSG_KEXINIT (RFC 4253, 7.1); pairs are client to server, server to client.
#[derive(Default)]
pub struct KexInit {
    pub kex: Vec<String>,
    pub host_keys: Vec<String>,
    pub ciphers: [Vec<String>; 2],
    pub macs: [Vec<String>; 2],
    pub compressions: [Vec<String>; 2],
}

impl KexInit {
    pub fn read(body: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(body);
        reader.skip(16)?;
        let mut list = || -> Wire<Vec<String>> {
            let length = reader.be_u32()? as usize;
            let text = String::from_utf8_lossy(reader.take(length)?);
            Ok(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
        };
        Ok(Self { kex: list()?, host_keys: list()?, ciphers: [list()?, list()?], macs: [list()?, list()?], compressions: [list()?, list()?] })
    }

    /// The fingerprint and the text it is the MD5 of: key exchange, and what its sender offers for its own direction.
    pub fn hassh(&self, server: bool) -> (String, String) {
        let own = |pair: &[Vec<String>; 2]| {
            let [client, other] = pair;
            if server { other.join(",") } else { client.join(",") }
        };
        let text = format!("{};{};{};{}", self.kex.join(","), own(&self.ciphers), own(&self.macs), own(&self.compressions));
        (hex(&Md5::digest(text.as_bytes())), text)
    }

    /// Counters the Terrapin attack (OpenSSH PROTOCOL, 1.9).
    pub fn is_strict(&self) -> bool {
        self.kex.iter().any(|name| name.starts_with("kex-strict-"))
    }

    pub fn emit(&self, cx: &mut Cx<'_>, server: bool) {
        let (hash, text) = self.hassh(server);
        let [ciphers_client, ciphers_server] = &self.ciphers;
        let [macs_client, macs_server] = &self.macs;
        let [compression_client, compression_server] = &self.compressions;
        cx.emit(Ssh {
            message: Some("kexinit"),
            message_code: Some(20),
            is_server: Some(server),
            kex_algorithms: Some(&cells(&self.kex)),
            host_key_algorithms: Some(&cells(&self.host_keys)),
            ciphers_client: Some(&cells(ciphers_client)),
            ciphers_server: Some(&cells(ciphers_server)),
            macs_client: Some(&cells(macs_client)),
            macs_server: Some(&cells(macs_server)),
            compression_client: Some(&cells(compression_client)),
            compression_server: Some(&cells(compression_server)),
            hassh: (!server).then_some(hash.as_str()),
            hassh_server: server.then_some(hash.as_str()),
            hassh_algorithms: Some(&text),
            strict_kex: Some(self.is_strict()),
            ..Ssh::default()
        });
    }
}

/// A server's host key, by its fingerprints.
pub struct HostKey {
    pub kind: String,
    pub sha256: String,
    pub md5: String,
}

impl HostKey {
    /// The key blob that a reply starts with; its own first field is the type (RFC 4253, 6.6 and 8).
    pub fn read(body: &[u8]) -> Wire<Self> {
        let mut reader = Reader::new(body);
        let length = reader.be_u32()? as usize;
        let blob = reader.take(length)?;
        let mut inner = Reader::new(blob);
        let length = inner.be_u32()? as usize;
        let kind = String::from_utf8_lossy(inner.take(length)?).into_owned();
        Ok(Self { kind, sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))), md5: joined(&Md5::digest(blob), ":") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints() {
        let mut body = vec![0; 16];
        for list in ["k1,k2", "h", "c1", "c2", "m1", "m2", "none", "zlib", "", ""] {
            body.extend((list.len() as u32).to_be_bytes());
            body.extend(list.as_bytes());
        }
        let init = KexInit::read(&body).unwrap();
        assert_eq!(init.hassh(false).1, "k1,k2;c1;m1;none");
        assert_eq!(init.hassh(true).1, "k1,k2;c2;m2;zlib");
        assert!(KexInit::read(&body[..30]).is_err());
    }

    #[test]
    fn host_keys() {
        let key = HostKey::read(&[0, 0, 0, 11, 0, 0, 0, 7, b's', b's', b'h', b'-', b'r', b's', b'a']).unwrap();
        assert_eq!(key.kind, "ssh-rsa");
        assert_eq!(key.md5.len(), 47);
    }
}
