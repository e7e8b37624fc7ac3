//! Who is logged in on a session.

use std::sync::Arc;

use crate::protocols::it::gssapi::{Exchange, Mechanism};

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
    /// What a login's last message says; a Kerberos ticket hides its owner.
    pub fn of(login: &Exchange, mechanism: Option<Mechanism>) -> Self {
        if mechanism == Some(Mechanism::Kerberos) {
            return Self { method: Some("kerberos"), ..Self::default() };
        }
        let Some(identity) = login.identity() else { return Self::default() };
        let some = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Arc::from);
        let method = match identity.version {
            Some("lm") => Some("lanman"),
            Some("ntlm2_session") => Some("ntlmv1"),
            version => version,
        };
        Self { user: some(identity.user), domain: some(identity.domain), host: some(identity.workstation), method }
    }

    /// What a login without a security token says (version 1).
    pub fn named(user: &str, domain: &str, method: Option<&'static str>) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
        Self { user: some(user), domain: some(domain), host: None, method }
    }
}
