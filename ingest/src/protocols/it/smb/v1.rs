//! Version 1 (MS-CIFS, MS-SMB).

use std::borrow::Cow;
use std::sync::Arc;

use super::handles::{Facts, Key};
use super::login::Account;
use super::request::{Connection, Mapped, Request, Told, new_handle};
use super::v2::file_time;
use super::{client, codes, text};
use crate::protocols::Cx;
use crate::protocols::it::gssapi;
use crate::wire::{Malformed, Reader, Wire};

/// Key of a waiting negotiation, whose answer may be of version 2.
pub const NEGOTIATION: u64 = u64::MAX;
/// Version 1 keys are kept apart from version 2's.
const OWN: u64 = 1 << 62;
/// TRANS_TRANSACT_NMPIPE (MS-CIFS, 2.2.5.6).
const TRANSACT_NAMED_PIPE: u16 = 0x26;
/// Most commands in a chain.
const MAX_CHAIN: u16 = 16;

/// The header (MS-CIFS, 2.2.3.1).
struct Header {
    code: u8,
    status: u32,
    is_response: bool,
    is_unicode: bool,

    signed: bool,
    tree: u16,
    process: u16,
    user: u16,
    id: u16,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        reader.skip(4)?;
        let (code, status, flags, flags2) = (reader.u8()?, reader.le_u32()?, reader.u8()?, reader.le_u16()?);
        reader.skip(12)?;
        Ok(Self {
            code,
            status,
            is_response: flags & 0x80 != 0,
            is_unicode: flags2 & 0x8000 != 0,

            signed: flags2 & 0x4 != 0,
            tree: reader.le_u16()?,
            process: reader.le_u16()?,
            user: reader.le_u16()?,
            id: reader.le_u16()?,
        })
    }

    fn key(&self, index: u16) -> u64 {
        if self.code == 0x72 { NEGOTIATION } else { OWN | u64::from(index) << 32 | u64::from(self.process) << 16 | u64::from(self.id) }
    }
}

/// A file's id.
pub fn file_id(key: Key) -> String {
    format!("{key:#06x}")
}

/// Commands that another may follow in the same message.
fn is_chained(code: u8) -> bool {
    matches!(code, 0x24 | 0x2d | 0x2e | 0x2f | 0x73 | 0x74 | 0x75 | 0xa2)
}

/// Takes a message; each command of its chain makes a row.
pub fn message(connection: &mut Connection, cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    let header = Header::read(&mut reader)?;
    let mut code = header.code;
    let mut at = 32;
    let mut result = Ok(());
    for index in 0..MAX_CHAIN {
        let mut reader = Reader::new(bytes.get(at..).unwrap_or_default());
        // Of a command that is cut short there is at least its row.
        let wanted = usize::from(reader.u8()?) * 2;
        let is_whole = wanted <= reader.len();
        let words = reader.take(wanted.min(reader.len()))?;
        // Some senders leave the count of octets out or wrong where there is data.
        let length = usize::from(reader.le_u16().unwrap_or(0));
        let data = reader.take(length.min(reader.len()))?;
        let message = Message { code, bytes, words, data, data_at: at + 3 + words.len(), header: &header };
        let done = if header.is_response { message.answered(connection, cx, index) } else { message.asked(connection, cx, index) };
        result = result.and(done).and(if is_whole { Ok(()) } else { Err(Malformed) });
        let next =
            words.first_chunk::<4>().filter(|_| is_chained(code)).map(|&[next, _, low, high]| (next, usize::from(u16::from_le_bytes([low, high]))));
        match next {
            Some((next, offset)) if next != 0xff && offset > at => (code, at) = (next, offset),
            _ => return result,
        }
    }
    result
}

/// One command of a message.
struct Message<'a> {
    code: u8,
    bytes: &'a [u8],
    words: &'a [u8],
    data: &'a [u8],
    /// Where the data stands in the message.
    data_at: usize,
    header: &'a Header,
}

impl<'a> Message<'a> {
    /// Text in the data, which stands at `reader`.
    fn text(&self, reader: &mut Reader<'_>) -> Wire<String> {
        // Where the data stands in the message decides on alignment.
        text(reader, self.data_at + self.data.len(), self.header.is_unicode)
    }

    fn asked(&self, connection: &mut Connection, cx: &mut Cx<'_>, index: u16) -> Wire<()> {
        let header = self.header;
        let mut found = Request {
            is_v1: true,
            code: self.code.into(),
            command: codes::command1(self.code),
            message_id: header.id.into(),
            session: header.user.into(),
            tree: Some(header.tree.into()),
            index,
            signed: header.signed,
            ..Request::default()
        };
        let done = self.ask(connection, cx, &mut found);
        connection.ask(cx, header.key(index), found);
        done
    }

    fn ask(&self, connection: &mut Connection, cx: &mut Cx<'_>, found: &mut Request) -> Wire<()> {
        let mut words = Reader::new(self.words);
        let mut data = Reader::new(self.data);
        let path = |name: String| (!name.is_empty()).then(|| Arc::<str>::from(name.trim_start_matches('\\')));
        match self.code {
            0x72 => {
                for name in self.data.split(|&byte| byte == 0).filter(|name| !name.is_empty()).take(64) {
                    found.dialects.push(String::from_utf8_lossy(name.strip_prefix(&[2]).unwrap_or(name)).into_owned());
                }
                connection.offered.clone_from(&found.dialects);
            }
            0x73 if self.words.len() == 24 => {
                words.skip(14)?;
                let blob = data.take(usize::from(words.le_u16()?))?;
                let mut login = connection.logins.remove(&found.session).unwrap_or_default();
                let mechanism = gssapi::token(cx, "smb", &mut login, blob);
                found.account = Account::of(&login, mechanism);
                found.login = Some(login);
            }
            0x73 if self.words.len() == 26 => {
                words.skip(14)?;
                let (lm, nt) = (words.le_u16()?, words.le_u16()?);
                data.skip(usize::from(lm) + usize::from(nt))?;
                let user = self.text(&mut data)?;
                let domain = self.text(&mut data)?;
                let method = match (lm, nt) {
                    (_, 25..) => Some("ntlmv2"),
                    (_, 24) => Some("ntlmv1"),
                    (24, 0) => Some("lanman"),
                    (0 | 1, 0 | 1) if user.is_empty() => Some("anonymous"),
                    _ => None,
                };
                found.account = Account::named(&user, &domain, method);
            }
            0x75 => {
                words.skip(6)?;
                data.skip(usize::from(words.le_u16()?))?;
                let name: Arc<str> = Arc::from(self.text(&mut data)?);
                found.share = Some(Arc::clone(&name));
                found.path = Some(name);
            }
            0xa2 => {
                words.skip(15)?;
                found.access = Some(words.le_u32()?);
                words.skip(16)?;
                found.disposition = Some(words.le_u32()?);
                found.delete_on_close = words.le_u32()? & 0x1000 != 0;
                found.path = path(self.text(&mut data)?);
            }
            0x2d => found.path = path(self.text(&mut data)?),
            0x2e => {
                words.skip(4)?;
                found.file = Some(words.le_u16()?.into());
                let low = words.le_u32()?;
                found.length = Some(words.le_u16()?.into());
                words.skip(8)?;
                found.offset = Some(u64::from(words.le_u32().unwrap_or(0)) << 32 | u64::from(low));
            }
            0x2f => {
                words.skip(4)?;
                let key: Key = words.le_u16()?.into();
                let low = words.le_u32()?;
                words.skip(4)?;
                let mode = words.le_u16()?;
                words.skip(2)?;
                let (high, length) = (words.le_u16()?, words.le_u16()?);
                let start = usize::from(words.le_u16()?);
                let offset = u64::from(words.le_u32().unwrap_or(0)) << 32 | u64::from(low);
                let length = u32::from(high) << 16 | u32::from(length);
                found.file = Some(key);
                found.offset = Some(offset);
                found.length = Some(length.into());
                let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
                match end.and_then(|end| self.bytes.get(start..end)) {
                    Some(bytes) => {
                        // The start of a message in raw mode has its length before it.
                        let message = if mode & 0xc == 0xc { bytes.get(2..).unwrap_or_default() } else { bytes };
                        connection.handles.pipe(cx, key, message, client(cx, false));
                        connection.handles.content(key, offset, bytes, true);
                    }
                    None => connection.handles.refuse(key),
                }
            }
            0x04 | 0x05 => found.file = Some(words.le_u16()?.into()),
            0x25 | 0x32 if self.words.len() >= 30 => {
                words.skip(28)?;
                let function = words.le_u16()?;
                found.sub = codes::sub_command1(self.code, function).map(Cow::Borrowed);
                if self.code == 0x25 && matches!(function, 0x01..=0x36) {
                    found.file = Some(words.le_u16().unwrap_or(0).into()).filter(|&key| key != 0);
                }
                if self.code == 0x25
                    && function == TRANSACT_NAMED_PIPE
                    && let Some(key) = found.file
                {
                    let bytes = self.piece(22)?;
                    connection.handles.pipe(cx, key, bytes, client(cx, false));
                }
                if self.code == 0x32 {
                    self.trans2_path(function, found)?;
                }
            }
            0xa0 if self.words.len() >= 38 => {
                words.skip(36)?;
                found.sub = codes::sub_command1(self.code, words.le_u16()?).map(Cow::Borrowed);
            }
            0x00 | 0x01 | 0x06 | 0x08 | 0x10 => {
                data.skip(1.min(data.len()))?;
                found.path = path(self.text(&mut data)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The part of the message whose length and place stand `at` octets into the words.
    fn piece(&self, at: usize) -> Wire<&'a [u8]> {
        let mut words = Reader::new(self.words);
        words.skip(at)?;
        let (length, start) = (usize::from(words.le_u16()?), usize::from(words.le_u16()?));
        Ok(self.bytes.get(start..start.saturating_add(length)).unwrap_or_default())
    }

    /// The path that a `trans2` asks about.
    fn trans2_path(&self, function: u16, found: &mut Request) -> Wire<()> {
        let before = match function {
            0x01 => 12,
            0x05 | 0x06 => 6,
            _ => return Ok(()),
        };
        let mut words = Reader::new(self.words);
        words.skip(18)?;
        let (length, start) = (usize::from(words.le_u16()?), usize::from(words.le_u16()?));
        let parameters = self.bytes.get(start..start.saturating_add(length)).unwrap_or_default();
        let mut reader = Reader::new(parameters);
        reader.skip(before)?;
        let name = text(&mut reader, start + parameters.len(), self.header.is_unicode)?;
        found.path = (!name.is_empty()).then(|| Arc::from(name.trim_start_matches('\\')));
        Ok(())
    }

    fn answered(&self, connection: &mut Connection, cx: &mut Cx<'_>, index: u16) -> Wire<()> {
        let header = self.header;
        let mut request = connection.waiting.remove(&header.key(index)).unwrap_or_else(|| Request {
            is_v1: true,
            index,
            tree: Some(header.tree.into()),
            session: header.user.into(),
            ..Request::default()
        });
        request.code = self.code.into();
        request.command = codes::command1(self.code);
        request.message_id = header.id.into();
        let mut told = Told::default();
        // Errors of DOS have a class and a code in the place of the status.
        let status = header.status;
        let done = self.answer(connection, cx, &mut request, &mut told, status);
        let closing = request.file.filter(|_| self.code == 0x04 && status == codes::SUCCESS);
        connection.answer(cx, request, status, &told);
        if let Some(key) = closing {
            connection.handles.remove(cx, key, true);
        }
        done
    }

    fn answer(&self, connection: &mut Connection, cx: &mut Cx<'_>, request: &mut Request, told: &mut Told, status: u32) -> Wire<()> {
        let header = self.header;
        let good = matches!(status, codes::SUCCESS | codes::BUFFER_OVERFLOW);
        let mut words = Reader::new(self.words);
        let mut data = Reader::new(self.data);
        match self.code {
            0x72 if good && self.words.len() >= 3 => {
                let chosen = usize::from(words.le_u16()?);
                connection.dialect = connection.offered.get(chosen).cloned();
                let mode = words.u8()?;
                told.security = Some(match mode & 0xc {
                    0 => "none",
                    4 => "enabled",
                    _ => "required",
                });
                if self.words.len() == 34 {
                    words.skip(16)?;
                    told.capabilities = codes::bits(words.le_u32()?, codes::CAPABILITIES1);
                }
            }
            0x73 => {
                let mut guest = false;
                if good || status == codes::MORE_PROCESSING {
                    words.skip(4)?;
                    guest = words.le_u16().unwrap_or(0) & 1 != 0;
                    if self.words.len() == 8 {
                        let blob = data.take(usize::from(words.le_u16()?))?;
                        if let Some(login) = request.login.as_deref_mut()
                            && !blob.is_empty()
                        {
                            gssapi::token(cx, "smb", login, blob);
                        }
                    }
                }
                request.session = header.user.into();
                let login = request.login.take();
                if status == codes::MORE_PROCESSING {
                    if let Some(login) = login {
                        connection.logins.insert(header.user.into(), login);
                    }
                    return Ok(());
                }
                if status == codes::SUCCESS {
                    if guest {
                        request.account.method = Some("guest");
                    }
                    connection.log_in(header.user.into(), request.account.clone());
                }
                if let Some(mut login) = login {
                    gssapi::outcome(cx, &mut login, status == codes::SUCCESS, codes::status(status));
                }
            }
            0x75 => {
                let mut access = None;
                let (mut service, mut file_system) = (String::new(), String::new());
                if good {
                    if self.words.len() >= 14 {
                        words.skip(6)?;
                        access = Some(words.le_u32()?);
                    }
                    service = text(&mut data, 0, false)?;
                    file_system = self.text(&mut data).unwrap_or_default();
                }
                let mapped = Mapped {
                    service: Some(service.as_str()).filter(|text| !text.is_empty()),
                    file_system: Some(&file_system),
                    access,
                    ..Mapped::default()
                };
                connection.map(cx, request, header.tree.into(), status, &mapped);
                if good {
                    request.tree = Some(header.tree.into());
                }
            }
            0x74 if good => {
                connection.accounts.remove(&u64::from(header.user));
            }
            0xa2 if good && self.words.len() >= 68 => {
                words.skip(5)?;
                let key: Key = words.le_u16()?.into();
                let action = codes::action(words.le_u32()?);
                let mut times = [None; 4];
                for time in &mut times {
                    *time = file_time(words.le_u64()?);
                }
                let facts =
                    Facts { attributes: Some(words.le_u32()?), allocation: Some(words.le_u64()?), size: Some(words.le_u64()?), times, action };
                let is_pipe = words.le_u16()? != 0;
                let mut handle = new_handle(cx);
                handle.facts = facts;
                connection.opened(cx, request, key, file_id(key), handle);
                if let Some(handle) = connection.handles.get(key) {
                    handle.pipe |= is_pipe;
                }
                request.file = Some(key);
                told.action = action;
            }
            0x2d if good && self.words.len() >= 6 => {
                words.skip(4)?;
                let key: Key = words.le_u16()?.into();
                let handle = new_handle(cx);
                connection.opened(cx, request, key, file_id(key), handle);
                request.file = Some(key);
            }
            0x2e if good && self.words.len() >= 24 => {
                words.skip(10)?;
                let (low, start, high) = (words.le_u16()?, usize::from(words.le_u16()?), words.le_u16()?);
                let length = usize::from(high) << 16 | usize::from(low);
                told.length = Some(length as u64);
                let bytes = start.checked_add(length).and_then(|end| self.bytes.get(start..end));
                if let (Some(key), Some(offset), Some(bytes)) = (request.file, request.offset, bytes) {
                    connection.handles.pipe(cx, key, bytes, client(cx, true));
                    connection.handles.content(key, offset, bytes, false);
                }
            }
            0x25 if good && self.words.len() >= 20 => {
                if let Some(key) = request.file
                    && request.sub.as_deref() == codes::sub_command1(0x25, TRANSACT_NAMED_PIPE)
                {
                    let bytes = self.piece(12)?;
                    connection.handles.pipe(cx, key, bytes, client(cx, true));
                }
            }
            0x2f if good && self.words.len() >= 12 => {
                words.skip(4)?;
                let low = words.le_u16()?;
                words.skip(2)?;
                told.length = Some(u64::from(words.le_u16()?) << 16 | u64::from(low));
            }
            0x2f => {
                if let Some(key) = request.file {
                    connection.handles.refuse(key);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
