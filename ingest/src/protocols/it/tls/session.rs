//! What one connection's handshake messages amount to: rows of `tls` and `x509`.

use std::borrow::Cow;
use std::io::Read as _;

use pcapper_schema::Common;
use pcapper_schema::tables::Tls;

use super::fingerprints::{self, Carrier};
use super::hello::{Hello, KeyExchange, Kind, Ssl2Client, Ssl2Server};
use super::names;
use crate::protocols::hex::hex;
use crate::protocols::it::x509::{self, Presented};
use crate::protocols::{Cx, Dir};
use crate::wire::{Malformed, Reader, Wire};

/// Handshake message types (RFC 8446, 4, and its predecessors).
pub mod kind {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    /// DTLS before 1.3.
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    /// TLS 1.3 drafts before 22.
    pub const HELLO_RETRY_REQUEST: u8 = 6;
    /// TLS 1.3, encrypted as all that follows the server hello.
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    pub const SERVER_HELLO_DONE: u8 = 14;
    pub const CERTIFICATE_STATUS: u8 = 22;
    /// RFC 8879.
    pub const COMPRESSED_CERTIFICATE: u8 = 25;
}

/// Handshake message types that exist.
pub fn is_known(message_type: u8) -> bool {
    matches!(message_type, 0..=6 | 8 | 11..=16 | 20..=26 | 67 | 254)
}

/// The records that brought a message.
#[derive(Clone, Copy, Default, Debug)]
pub struct Source {
    /// Version in the record header (of the first record).
    pub record_version: u16,
    /// Frames the message took.
    pub frames: u16,
}

/// A server hello that waits for what the rest of the server's flight tells: group, prime, resumption.
struct Pending {
    common: Common,
    body: Vec<u8>,
    source: Source,
    is_client: Option<bool>,
    index: u16,
    exchange: KeyExchange,
    resumed: Option<bool>,
    /// Chosen protocol, where encrypted extensions tell it.
    alpn: Option<String>,
}

/// State of the handshakes of one connection.
pub struct Session {
    carrier: Carrier,
    /// Which end is the TLS client.
    client: Option<Dir>,
    /// Handshakes begun.
    begun: u16,
    /// The next client hello answers a HelloRetryRequest or HelloVerifyRequest: it is the same handshake.
    again: bool,
    server_name: Option<String>,
    /// Session id of the client hello of this handshake.
    session_id: Option<Vec<u8>>,
    /// Version agreed.
    version: Option<u16>,
    cipher: Option<u16>,
    other_certificates: [bool; 2],
    starttls: Option<&'static str>,
    pending: Option<Box<Pending>>,
    /// Encrypted messages of the handshake are opened.
    reads_on: bool,
}

impl Session {
    /// A connection that nothing is known of yet.
    pub fn new(carrier: Carrier) -> Self {
        Self {
            carrier,
            client: None,
            begun: 0,
            again: false,
            server_name: None,
            session_id: None,
            version: None,
            cipher: None,
            other_certificates: [false; 2],
            starttls: None,
            pending: None,
            reads_on: false,
        }
    }

    /// The protocol that ran in the clear before TLS.
    pub fn set_starttls(&mut self, protocol: Option<&'static str>) {
        self.starttls = protocol;
    }

    /// Encrypted messages of the handshake will be opened: a server hello of TLS 1.3 waits for what they tell.
    pub fn reads_on(&mut self, reads_on: bool) {
        self.reads_on = reads_on;
    }

    /// The client hello that comes next was sent before: it begins no handshake.
    pub fn repeats(&mut self) {
        self.again = true;
    }

    /// TLS 1.3 was agreed, or is about to be: handshake records stay readable after a ChangeCipherSpec.
    pub fn is_13(&self) -> bool {
        self.version.is_some_and(names::is_13)
    }

    /// Takes one whole handshake message sent by `cx.dir`. Malformed ones are recorded as anomalies.
    pub fn message(&mut self, cx: &mut Cx<'_>, message_type: u8, body: &[u8], source: Source) {
        let read = match message_type {
            kind::CLIENT_HELLO => self.client_hello(cx, body, source),
            kind::SERVER_HELLO => self.server_hello(cx, body, source),
            kind::HELLO_RETRY_REQUEST => self.draft_retry(cx, body, source),
            kind::HELLO_VERIFY_REQUEST => {
                self.again = true;
                Ok(())
            }
            kind::ENCRYPTED_EXTENSIONS if self.is_13() => self.encrypted_extensions(cx, body),
            kind::CERTIFICATE if self.is_13() => self.certificates_13(cx, body),
            kind::CERTIFICATE => self.certificates(cx, body),
            kind::COMPRESSED_CERTIFICATE if self.is_13() => self.compressed_certificates(cx, body),
            kind::CERTIFICATE_STATUS => self.stapled(cx, body),
            kind::SERVER_KEY_EXCHANGE => {
                if let (Some(pending), Some(cipher)) = (&mut self.pending, self.cipher) {
                    pending.resumed = Some(false);
                    pending.exchange = KeyExchange::parse(cipher, body).unwrap_or_default();
                }
                self.flush(cx);
                Ok(())
            }
            kind::SERVER_HELLO_DONE => {
                if let Some(pending) = &mut self.pending {
                    pending.resumed = Some(false);
                }
                self.flush(cx);
                Ok(())
            }
            _ => Ok(()),
        };
        if read.is_err() {
            let detail = match message_type {
                kind::CLIENT_HELLO => "client hello ends early or contradicts itself",
                kind::SERVER_HELLO => "server hello ends early or contradicts itself",
                _ => "handshake message ends early or contradicts itself",
            };
            cx.anomaly(self.transport(), "bad_length", detail);
        }
    }

    /// `cx.dir` changes to the keys agreed.
    pub fn change_cipher_spec(&mut self, cx: &mut Cx<'_>) {
        // TLS 1.3 sends it for show, between the server hello and what is encrypted.
        if self.is_13() && self.reads_on {
            return;
        }
        let from_server = self.client == Some(cx.dir.reverse());
        if let Some(pending) = &mut self.pending {
            // A server that goes straight from its hello to the new keys resumes a session (RFC 5246, 7.3).
            if from_server && pending.resumed.is_none() {
                pending.resumed = Some(true);
            }
        }
        self.flush(cx);
    }

    /// Takes the content of an alert record; `readable` unless the sender has changed to encryption.
    pub fn alerts(&mut self, cx: &mut Cx<'_>, record_version: u16, content: &[u8], readable: bool) {
        self.flush(cx);
        let (pairs, odd) = content.as_chunks::<2>();
        let sound = |pair: &[u8; 2]| matches!(pair[0], 1 | 2) && names::alert(pair[1]).is_some();
        let base = |session: &Self, cx: &Cx<'_>| Tls {
            message: Some("alert"),
            transport: Some(session.transport()),
            is_client: session.is_client(cx.dir),
            handshake_index: session.index(),
            record_version_code: Some(record_version),
            starttls: session.starttls,
            frames_spanned: Some(1),
            ..Tls::default()
        };
        if readable && odd.is_empty() && !pairs.is_empty() && pairs.iter().all(sound) {
            for [level, code] in pairs {
                let row = Tls { alert_level: Some(*level), alert_code: Some(*code), alert: names::alert(*code), ..base(self, cx) };
                cx.emit(row);
            }
        } else {
            let row = base(self, cx);
            cx.emit(row);
        }
    }

    /// Takes the content of a heartbeat record (RFC 6520).
    pub fn heartbeat(&mut self, cx: &mut Cx<'_>, record_version: u16, content: &[u8], readable: bool) {
        self.flush(cx);
        let mut reader = Reader::new(content);
        let clear = match (reader.u8(), reader.be_u16()) {
            (Ok(kind @ (1 | 2)), Ok(length)) if readable => Some((kind, length)),
            _ => None,
        };
        let row = Tls {
            message: Some(match clear {
                Some((1, _)) => "heartbeat_request",
                Some(_) => "heartbeat_response",
                None => "heartbeat",
            }),
            transport: Some(self.transport()),
            is_client: self.is_client(cx.dir),
            handshake_index: self.index(),
            record_version_code: Some(record_version),
            heartbeat_type: clear.map(|(kind, _)| kind),
            heartbeat_payload_length: clear.map(|(_, length)| length),
            heartbeat_record_length: u16::try_from(content.len()).ok(),
            starttls: self.starttls,
            frames_spanned: u16::try_from(cx.frames_spanned).ok(),
            ..Tls::default()
        };
        cx.emit(row);
    }

    /// Takes a client hello in SSL 2.0 format.
    pub fn ssl2_client(&mut self, cx: &mut Cx<'_>, hello: &Ssl2Client<'_>, source: Source) {
        self.begin(cx.dir);
        self.session_id = None;
        self.server_name = None;
        let session_id = hex(hello.session_id);
        let row = Tls {
            message: Some("ssl2_client_hello"),
            transport: Some("ssl2"),
            is_client: Some(true),
            handshake_index: self.index(),
            record_version_code: Some(source.record_version),
            legacy_version_code: Some(hello.version),
            session_id: filled(&session_id),
            cipher_codes: list(&hello.ciphers),
            starttls: self.starttls,
            frames_spanned: Some(source.frames),
            ..Tls::default()
        };
        cx.emit(row);
    }

    /// Takes a server hello of SSL 2.0.
    pub fn ssl2_server(&mut self, cx: &mut Cx<'_>, hello: &Ssl2Server<'_>, source: Source) {
        self.client = Some(cx.dir.reverse());
        let row = Tls {
            message: Some("server_hello"),
            transport: Some("ssl2"),
            is_client: Some(false),
            handshake_index: self.index(),
            record_version_code: Some(source.record_version),
            legacy_version_code: Some(hello.version),
            version_code: Some(hello.version),
            version: Some("SSL2"),
            resumed: Some(hello.resumed),
            starttls: self.starttls,
            frames_spanned: Some(source.frames),
            ..Tls::default()
        };
        cx.emit(row);
        if !hello.certificate.is_empty() {
            x509::emit_chain(cx, &Presented { carrier: "tls", role: Some("server"), server_name: None }, &[hello.certificate]);
        }
    }

    /// Writes the server hello still waiting for its flight.
    pub fn flush(&mut self, cx: &mut Cx<'_>) {
        let Some(pending) = self.pending.take() else { return };
        let Pending { common, body, source, is_client, index, exchange, resumed, alpn } = *pending;
        if let Ok(mut hello) = Hello::server(&body) {
            let place = Place { common, source, is_client, index: Some(index) };
            hello.alpn.extend(alpn.as_deref().map(str::as_bytes));
            self.emit_server(cx, &place, &hello, exchange, resumed.or_else(|| self.same_session(&hello)));
        }
    }

    fn client_hello(&mut self, cx: &mut Cx<'_>, body: &[u8], source: Source) -> Wire<()> {
        self.flush(cx);
        let hello = Hello::client(body, self.carrier == Carrier::Dtls)?;
        self.begin(cx.dir);
        self.session_id = Some(hello.session_id.to_vec());
        self.server_name = hello.server_name.as_deref().map(str::to_owned);
        let (ja3, ja4) = (fingerprints::ja3(&hello), fingerprints::ja4(&hello, self.carrier));
        let place = Place { common: cx.common(cx.dir), source, is_client: Some(true), index: self.index() };
        let row = Tls {
            message: Some("client_hello"),
            session_ticket: Some(hello.session_ticket),
            ech: Some(hello.ech),
            ech_outer_name: hello.server_name.as_deref().filter(|_| hello.ech == 1),
            ja3: Some(&ja3.hash),
            ja3_full: Some(&ja3.raw),
            ja4: Some(&ja4.hash),
            ja4_raw: Some(&ja4.raw),
            ..Tls::default()
        };
        self.emit_hello(cx, &place, &hello, row);
        Ok(())
    }

    fn server_hello(&mut self, cx: &mut Cx<'_>, body: &[u8], source: Source) -> Wire<()> {
        self.flush(cx);
        let hello = Hello::server(body)?;
        self.answered(cx.dir, &hello);
        let place = Place { common: cx.common(cx.dir), source, is_client: self.is_client(cx.dir), index: self.index() };
        if hello.kind == Kind::Retry || names::is_13(hello.agreed_version()) {
            self.again = hello.kind == Kind::Retry;
            let resumed = (hello.kind == Kind::Server).then_some(hello.psk);
            if hello.kind == Kind::Server && self.reads_on {
                self.wait(body, source, place, resumed);
            } else {
                self.emit_server(cx, &place, &hello, KeyExchange::default(), resumed);
            }
        } else {
            self.wait(body, source, place, None);
        }
        Ok(())
    }

    /// Keeps a server hello until its flight has told more.
    fn wait(&mut self, body: &[u8], source: Source, place: Place, resumed: Option<bool>) {
        self.pending = Some(Box::new(Pending {
            common: place.common,
            body: body.to_vec(),
            source,
            is_client: place.is_client,
            index: place.index.unwrap_or(0),
            exchange: KeyExchange::default(),
            resumed,
            alpn: None,
        }));
    }

    /// EncryptedExtensions (RFC 8446, 4.3.1): the protocol chosen.
    fn encrypted_extensions(&mut self, cx: &mut Cx<'_>, body: &[u8]) -> Wire<()> {
        let alpn = Hello::encrypted_extensions(body)?.alpn.first().map(|name| String::from_utf8_lossy(name).into_owned());
        if let Some(pending) = &mut self.pending {
            pending.alpn = alpn;
        }
        self.flush(cx);
        Ok(())
    }

    fn draft_retry(&mut self, cx: &mut Cx<'_>, body: &[u8], source: Source) -> Wire<()> {
        self.flush(cx);
        let hello = Hello::draft_retry(body)?;
        self.answered(cx.dir, &hello);
        self.again = true;
        let place = Place { common: cx.common(cx.dir), source, is_client: self.is_client(cx.dir), index: self.index() };
        self.emit_server(cx, &place, &hello, KeyExchange::default(), None);
        Ok(())
    }

    /// Certificate of TLS 1.3, opened with the user's keys.
    fn certificates_13(&mut self, cx: &mut Cx<'_>, body: &[u8]) -> Wire<()> {
        let from_client = self.is_client(cx.dir);
        if from_client.is_some_and(|client| self.other_certificates[usize::from(!client)]) {
            return Ok(());
        }
        let chain = chain_13(body)?;
        let role = from_client.map(|client| if client { "client" } else { "server" });
        x509::emit_chain(cx, &Presented { carrier: self.transport(), role, server_name: self.server_name.as_deref() }, &chain);
        Ok(())
    }

    fn compressed_certificates(&mut self, cx: &mut Cx<'_>, body: &[u8]) -> Wire<()> {
        match unpacked_certificates(body)? {
            Some(body) => self.certificates_13(cx, &body),
            None => Ok(()),
        }
    }

    /// Certificate (RFC 5246, 7.4.2).
    fn certificates(&mut self, cx: &mut Cx<'_>, body: &[u8]) -> Wire<()> {
        let from_client = self.is_client(cx.dir);
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.is_client == from_client) {
            pending.resumed = Some(false);
        }
        if from_client.is_some_and(|client| self.other_certificates[usize::from(!client)]) {
            return Ok(());
        }
        let mut reader = Reader::new(body);
        let length = reader.be_u24()?;
        let mut list = reader.sub(usize::try_from(length).unwrap_or(usize::MAX))?;
        let mut chain = Vec::new();
        while !list.is_empty() {
            let length = list.be_u24()?;
            chain.push(list.take(usize::try_from(length).unwrap_or(usize::MAX))?);
        }
        let role = from_client.map(|client| if client { "client" } else { "server" });
        x509::emit_chain(cx, &Presented { carrier: self.transport(), role, server_name: self.server_name.as_deref() }, &chain);
        Ok(())
    }

    /// CertificateStatus: an OCSP response that may bring its signer's certificates (RFC 6066, 8; RFC 6961).
    fn stapled(&mut self, cx: &mut Cx<'_>, body: &[u8]) -> Wire<()> {
        let mut reader = Reader::new(body);
        let several = match reader.u8()? {
            1 => false,
            2 => true,
            _ => return Ok(()),
        };
        let length = reader.be_u24()?;
        let content = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        let role = self.is_client(cx.dir).map(|client| if client { "client" } else { "server" });
        let presented = Presented { carrier: "ocsp", role, server_name: self.server_name.as_deref() };
        if !several {
            x509::emit_chain(cx, &presented, &x509::ocsp_certificates(content));
            return Ok(());
        }
        let mut list = Reader::new(content);
        while !list.is_empty() {
            let length = list.be_u24()?;
            let response = list.take(usize::try_from(length).unwrap_or(usize::MAX))?;
            x509::emit_chain(cx, &presented, &x509::ocsp_certificates(response));
        }
        Ok(())
    }

    /// A client hello from `dir` begins a handshake, or repeats its beginning.
    fn begin(&mut self, dir: Dir) {
        self.client = Some(dir);
        if !std::mem::take(&mut self.again) || self.begun == 0 {
            self.begun = self.begun.saturating_add(1);
        }
        self.other_certificates = [false; 2];
        self.cipher = None;
    }

    /// A server hello from `dir`.
    fn answered(&mut self, dir: Dir, hello: &Hello<'_>) {
        self.client = Some(dir.reverse());
        // The capture may have begun after the client hello.
        self.begun = self.begun.max(1);
        self.version = Some(hello.agreed_version());
        self.cipher = hello.ciphers.first().copied();
        self.other_certificates = hello.other_certificates;
    }

    /// The server repeats the session id that the client offered (RFC 5246, 7.4.1.3); unknown without the client hello.
    fn same_session(&self, hello: &Hello<'_>) -> Option<bool> {
        let offered = self.session_id.as_ref()?;
        (!offered.is_empty() && offered == hello.session_id).then_some(true)
    }

    /// Which end is the TLS client, where a hello told.
    pub fn client(&self) -> Option<Dir> {
        self.client
    }

    /// `dir` is the TLS client's.
    pub fn is_client(&self, dir: Dir) -> Option<bool> {
        self.client.map(|client| client == dir)
    }

    fn index(&self) -> Option<u16> {
        self.begun.checked_sub(1)
    }

    fn transport(&self) -> &'static str {
        if self.carrier == Carrier::Dtls { "dtls" } else { "tls" }
    }

    fn emit_server(&self, cx: &mut Cx<'_>, place: &Place, hello: &Hello<'_>, exchange: KeyExchange, resumed: Option<bool>) {
        let (ja3s, ja4s) = (fingerprints::ja3s(hello), fingerprints::ja4s(hello, self.carrier));
        let version = names::version(hello.agreed_version());
        let cipher = hello.ciphers.first().copied();
        let group = exchange.group.or(hello.key_share_groups.first().copied());
        let alpn = hello.alpn.first().map(|name| String::from_utf8_lossy(name));
        let next_protocols = hello.next_protocols.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(",");
        let retry = hello.kind == Kind::Retry;
        let row = Tls {
            message: Some(if retry { "hello_retry_request" } else { "server_hello" }),
            version_code: Some(hello.agreed_version()),
            version: version.as_deref(),
            alpn: alpn.as_deref(),
            cipher_code: cipher,
            cipher: cipher.and_then(names::cipher),
            compression: hello.compression,
            curve: group.and_then(names::group),
            curve_code: group,
            resumed,
            next_protocol: filled(&next_protocols),
            dh_prime_bits: exchange.prime_bits,
            ja3s: Some(&ja3s.hash),
            ja3s_full: Some(&ja3s.raw),
            ja4s: Some(&ja4s.hash),
            ja4s_raw: Some(&ja4s.raw),
            ..Tls::default()
        };
        self.emit_hello(cx, place, hello, row);
    }

    /// Completes a row with what all hellos have and writes it.
    fn emit_hello(&self, cx: &mut Cx<'_>, place: &Place, hello: &Hello<'_>, row: Tls<'_>) {
        let (random, session_id) = (hex(hello.random), hex(hello.session_id));
        let versions: Vec<u16> = hello.supported_versions.iter().copied().filter(|code| !names::is_grease(*code)).collect();
        let protocols: Vec<Cow<'_, str>> = hello.alpn.iter().map(|name| String::from_utf8_lossy(name)).collect();
        let row = Tls {
            transport: Some(self.transport()),
            is_client: place.is_client,
            handshake_index: place.index,
            record_version_code: Some(place.source.record_version),
            legacy_version_code: Some(hello.legacy_version),
            supported_versions: list(&versions),
            random: filled(&random),
            session_id: filled(&session_id),
            server_name: hello.server_name.as_deref(),
            alpn_offered: list(&protocols),
            cipher_codes: list(&hello.ciphers),
            extensions: list(&hello.extensions),
            curves: list(&hello.groups),
            point_formats: list(hello.point_formats),
            sig_algs: list(&hello.sig_algs),
            key_share_groups: list(&hello.key_share_groups),
            psk: Some(hello.psk),
            early_data: Some(hello.early_data),
            heartbeat: Some(hello.heartbeat),
            starttls: self.starttls,
            frames_spanned: Some(place.source.frames),
            ..row
        };
        cx.emit_as(&place.common, row);
    }
}

/// Certificates of a Certificate message of TLS 1.3 (RFC 8446, 4.4.2).
pub fn chain_13(body: &[u8]) -> Wire<Vec<&[u8]>> {
    let mut reader = Reader::new(body);
    let context = reader.u8()?;
    reader.skip(context.into())?;
    let length = reader.be_u24()?;
    let mut list = reader.sub(usize::try_from(length).unwrap_or(usize::MAX))?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        let length = list.be_u24()?;
        chain.push(list.take(usize::try_from(length).unwrap_or(usize::MAX))?);
        let extensions = list.be_u16()?;
        list.skip(extensions.into())?;
    }
    Ok(chain)
}

/// The Certificate message in a CompressedCertificate (RFC 8879); `None` if it is packed in an unknown way.
pub fn unpacked_certificates(body: &[u8]) -> Wire<Option<Vec<u8>>> {
    let mut reader = Reader::new(body);
    let algorithm = reader.be_u16()?;
    let length = usize::try_from(reader.be_u24()?).map_err(|_| Malformed)?;
    let packed = reader.be_u24()?;
    let packed = reader.take(usize::try_from(packed).map_err(|_| Malformed)?)?;
    if length > super::MAX_MESSAGE {
        return Err(Malformed);
    }
    let mut message = Vec::new();
    // One octet more than is announced tells a lie.
    let most = length as u64 + 1;
    let unpacked = match algorithm {
        1 => flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut message),
        2 => brotli::Decompressor::new(packed, 4096).take(most).read_to_end(&mut message),
        3 => zstd::stream::read::Decoder::new(packed).and_then(|decoder| decoder.take(most).read_to_end(&mut message)),
        _ => return Ok(None),
    };
    if unpacked.is_ok_and(|size| size == length) { Ok(Some(message)) } else { Err(Malformed) }
}

/// Where a hello was.
struct Place {
    common: Common,
    source: Source,
    is_client: Option<bool>,
    index: Option<u16>,
}

/// A list the wire carried: null rather than empty.
fn list<T>(values: &[T]) -> Option<&[T]> {
    (!values.is_empty()).then_some(values)
}

/// A text the wire carried: null rather than empty.
fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
