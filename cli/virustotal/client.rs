//! The questions themselves: version 3 of VirusTotal's interface, one GET a subject.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::{HeaderValue, Uri};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error, Proxy};

use super::subject::{Kind, Subject};

/// Where the interface is.
const BASE: &str = "https://www.virustotal.com/api/v3";
/// Where people read what is known.
const PAGES: &str = "https://www.virustotal.com/gui";
/// Variable that names a stand-in on this machine, for tests.
pub const STAND_IN: &str = "PCAPPER_VT_URL";
/// How long one question may take, its answer included.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Largest answer, in bytes.
const MAX_ANSWER: u64 = 8 << 20;

/// What is known of a subject.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Verdict {
    Known {
        /// Engines that call it malicious, or suspicious.
        malicious: u64,
        suspicious: u64,
        /// Engines that said anything.
        total: u64,
        /// What its page is called where that is not its value.
        page: Option<String>,
    },
    /// It was never seen there.
    Unknown,
}

impl Verdict {
    /// Engines that call it malicious, suspicious, and that said anything.
    pub fn counts(&self) -> Option<(u64, u64, u64)> {
        match self {
            Self::Known { malicious, suspicious, total, .. } => Some((*malicious, *suspicious, *total)),
            Self::Unknown => None,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// In words that fit behind the host's name; nothing of the question is in it.
    pub reason: String,
    /// The next question would fail as well.
    pub is_lasting: bool,
}

/// Who is asked.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    /// Whom failures are told of.
    pub host: String,
    key: HeaderValue,
}

impl Client {
    /// A client with a key; `stand_in` replaces the service, and must be on this machine.
    pub fn new(key: &str, stand_in: Option<&str>) -> Result<Self, String> {
        let mut key = HeaderValue::from_str(key).map_err(|_| "VT_API_KEY holds letters that no key has".to_owned())?;
        key.set_sensitive(true);
        let tls = TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // The key goes to the host that it is for, and nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pcapper/", env!("CARGO_PKG_VERSION")));
        let (base, config) = match stand_in {
            None => (BASE, config.https_only(true).proxy(Proxy::try_from_env())),
            Some(url) => (local(url)?, config.proxy(None)),
        };
        let host = base.parse::<Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string)).unwrap_or_default();
        Ok(Self { agent: config.build().new_agent(), base: base.trim_end_matches('/').to_owned(), host, key })
    }

    /// Asks about a subject.
    pub fn ask(&self, subject: &Subject) -> Result<Verdict, Failure> {
        let url = format!("{}/{}", self.base, path(subject));
        let mut response = self.agent.get(&url).header("x-apikey", self.key.clone()).header("accept", "application/json").call().map_err(failure)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(Verdict::Unknown),
            401 | 403 => return Err(Failure { reason: "VT_API_KEY is refused".to_owned(), is_lasting: true }),
            429 => return Err(Failure { reason: "the quota of the key is used up".to_owned(), is_lasting: true }),
            status => return Err(Failure { reason: format!("answers with status {status}"), is_lasting: false }),
        }
        let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(failure)?;
        read(&body, subject.kind).ok_or_else(|| Failure { reason: "an answer cannot be read".to_owned(), is_lasting: false })
    }
}

/// A stand-in: plain HTTP to a loopback address, so that the key cannot leave the machine.
fn local(url: &str) -> Result<&str, String> {
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = authority.map(|authority| match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or(authority),
    });
    let is_here = host.and_then(|host| host.parse::<IpAddr>().ok()).is_some_and(|ip| ip.is_loopback());
    if is_here { Ok(url) } else { Err(format!("{STAND_IN}={url}: http:// and a loopback address are needed")) }
}

/// Where a subject stands below the base. Subjects hold no letter that means anything there, but for URLs, which are coded.
fn path(subject: &Subject) -> String {
    let value = &subject.value;
    match subject.kind {
        Kind::Domain => format!("domains/{value}"),
        Kind::File => format!("files/{value}"),
        Kind::Ip => format!("ip_addresses/{value}"),
        Kind::Url => format!("urls/{}", URL_SAFE_NO_PAD.encode(value)),
    }
}

/// The page that people read about a subject.
pub fn page(subject: &Subject, verdict: &Verdict) -> Option<String> {
    let Verdict::Known { page, .. } = verdict else { return None };
    let value = &subject.value;
    match subject.kind {
        Kind::Domain => Some(format!("{PAGES}/domain/{value}")),
        Kind::File => Some(format!("{PAGES}/file/{value}")),
        Kind::Ip => Some(format!("{PAGES}/ip-address/{value}")),
        Kind::Url => page.as_ref().map(|page| format!("{PAGES}/url/{page}")),
    }
}

/// Reads an answer: the counts of the last analysis.
fn read(body: &[u8], kind: Kind) -> Option<Verdict> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let data = answer.get("data")?;
    let stats = data.get("attributes")?.get("last_analysis_stats")?;
    let count = |name: &str| stats.get(name).and_then(Value::as_u64);
    let (malicious, suspicious) = (count("malicious")?, count("suspicious").unwrap_or_default());
    // Engines that ran out of time or do not take such a thing said nothing of it.
    let others = ["harmless", "undetected"].into_iter().filter_map(count).fold(0_u64, u64::saturating_add);
    let total = malicious.saturating_add(suspicious).saturating_add(others);
    let id = data.get("id").and_then(Value::as_str).filter(|_| kind == Kind::Url);
    let page = id.filter(|id| id.len() == 64 && id.bytes().all(|digit| digit.is_ascii_hexdigit())).map(str::to_owned);
    Some(Verdict::Known { malicious, suspicious, total, page })
}

/// An error by its class; its own text may name what was asked.
fn failure(error: Error) -> Failure {
    let (reason, is_lasting) = match error {
        Error::Timeout(_) => (format!("no answer within {} s", TIMEOUT.as_secs()), false),
        Error::Tls(_) | Error::Rustls(_) => ("no secure connection".to_owned(), true),
        Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => ("could not connect through the proxy".to_owned(), true),
        Error::HostNotFound | Error::ConnectionFailed | Error::Io(_) => ("could not connect".to_owned(), true),
        _ => ("an answer cannot be read".to_owned(), false),
    };
    Failure { reason, is_lasting }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(kind: Kind, value: &str) -> Subject {
        Subject { kind, value: value.to_owned() }
    }

    #[test]
    fn stand_ins_are_on_this_machine() {
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v3/", "http://[::1]:1/x"] {
            assert!(Client::new("k", Some(url)).is_ok(), "{url}");
        }
        for url in [
            "https://127.0.0.1",
            "http://192.0.2.1",
            "http://localhost:80",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com/",
            "http://",
            "127.0.0.1",
            "http://user@127.0.0.1:80",
            "file:///etc/passwd",
            "",
        ] {
            assert!(Client::new("k", Some(url)).is_err(), "{url}");
        }
        assert!(Client::new("a\nb", None).is_err());
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", Client::new("very-secret", None).unwrap()).contains("very-secret"));
    }

    #[test]
    fn questions_and_pages() {
        let url = subject(Kind::Url, "http://www.example.com/?a");
        assert_eq!(path(&url), "urls/aHR0cDovL3d3dy5leGFtcGxlLmNvbS8_YQ");
        assert_eq!(path(&subject(Kind::Ip, "2620:fe::fe")), "ip_addresses/2620:fe::fe");
        let known = |page: Option<&str>| Verdict::Known { malicious: 0, suspicious: 0, total: 0, page: page.map(str::to_owned) };
        assert_eq!(page(&url, &known(Some("ab"))).as_deref(), Some("https://www.virustotal.com/gui/url/ab"));
        assert_eq!(page(&url, &known(None)), None);
        assert_eq!(page(&subject(Kind::Domain, "x.org"), &Verdict::Unknown), None);
        assert_eq!(page(&subject(Kind::File, "ab"), &known(None)).as_deref(), Some("https://www.virustotal.com/gui/file/ab"));
    }

    #[test]
    fn answers() {
        let stats = r#"{"malicious":3,"suspicious":1,"harmless":60,"undetected":6,"timeout":2,"type-unsupported":9}"#;
        let body = format!(r#"{{"data":{{"id":"../x","attributes":{{"last_analysis_stats":{stats}}}}}}}"#);
        let known = Verdict::Known { malicious: 3, suspicious: 1, total: 70, page: None };
        assert_eq!(read(body.as_bytes(), Kind::Url), Some(known));
        for body in ["", "[]", "{\"data\":{}}", "{\"data\":{\"attributes\":{\"last_analysis_stats\":{\"malicious\":-1}}}}"] {
            assert_eq!(read(body.as_bytes(), Kind::Domain), None, "{body}");
        }
    }
}
