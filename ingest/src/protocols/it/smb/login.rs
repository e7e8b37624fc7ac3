//! Who is logged in on a session.

use std::sync::Arc;

use super::wide;
use crate::protocols::it::gssapi::Mechanism;
use crate::protocols::it::ntlm;
use crate::wire::Reader;

/// An account as a login named it.
#[derive(Clone, Default, Debug)]
pub struct Account {
    pub user: Option<Arc<str>>,
    pub domain: Option<Arc<str>>,
    /// Workstation of the client.
    pub host: Option<Arc<str>>,
    pub method: Option<&'static str>,
}

impl Account {
    /// Takes `DOMAIN\user` apart.
    pub fn name(&mut self, account: &str) {
        let (domain, user) = account.split_once('\\').unwrap_or(("", account));
        let some = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        self.user = some(user);
        self.domain = some(domain);
    }

    /// What a security token tells of the method and the client's host.
    pub fn token(&mut self, mechanism: Option<Mechanism>, blob: &[u8]) {
        match mechanism {
            Some(Mechanism::Kerberos) => self.method = Some("kerberos"),
            Some(Mechanism::Ntlm) => {
                if let Some((method, host)) = authenticate(blob) {
                    self.method = method;
                    self.host = host.filter(|host| !host.is_empty()).map(Arc::from);
                }
            }
            None => {}
        }
    }
}

/// Method and workstation of an NTLM authenticate message (MS-NLMP, 2.2.1.3).
fn authenticate(blob: &[u8]) -> Option<(Option<&'static str>, Option<String>)> {
    let start = blob.windows(ntlm::SIGNATURE.len()).position(|window| window == ntlm::SIGNATURE)?;
    let message = blob.get(start..)?;
    let mut reader = Reader::new(message.get(ntlm::SIGNATURE.len()..)?);
    if reader.le_u32().ok()? != 3 {
        return None;
    }
    let mut field = || Some((usize::from(reader.le_u16().ok()?), reader.skip(2).ok()?, usize::try_from(reader.le_u32().ok()?).ok()?));
    let (lm, (), _) = field()?;
    let (nt, (), _) = field()?;
    field()?;
    let (user, (), _) = field()?;
    let (length, (), offset) = field()?;
    field()?;
    let is_unicode = reader.le_u32().ok()? & 1 != 0;
    let host = offset.checked_add(length).and_then(|end| message.get(offset..end));
    let method = match (nt, lm) {
        (25.., _) => Some("ntlmv2"),
        (24, _) => Some("ntlmv1"),
        (0, 24) => Some("lanman"),
        (0, 0 | 1) if user == 0 => Some("anonymous"),
        _ => None,
    };
    Some((method, host.map(|host| if is_unicode { wide(host) } else { String::from_utf8_lossy(host).into_owned() })))
}
