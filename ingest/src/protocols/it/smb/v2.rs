//! Versions 2 and 3 (MS-SMB2).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use pcapper_schema::tables::Smb;

use super::handles::{Facts, Key, Sink};
use super::login::Account;
use super::request::{Connection, Intent, Mapped, Request, Told, new_handle};
use super::{client, codes, wide};
use crate::protocols::Cx;
use crate::protocols::it::gssapi;
use crate::wire::{Malformed, Reader, Wire};

const HEADER_LEN: usize = 64;
/// Most members of a chain.
const MAX_CHAIN: u16 = 256;
/// Session, tree and file of the member before (MS-SMB2, 3.2.4.1.4).
const SAME: u128 = u128::MAX;
/// Size that the acknowledgment of a broken oplock says to have (MS-SMB2, 2.2.24.1).
const OPLOCK_BREAK_LEN: u16 = 24;
/// FSCTL_PIPE_TRANSCEIVE (MS-FSCC, 2.3).
const PIPE_TRANSCEIVE: u32 = 0x0011_c017;

mod flag {
    pub const RESPONSE: u32 = 0x1;
    pub const ASYNC: u32 = 0x2;
    pub const RELATED: u32 = 0x4;
    pub const SIGNED: u32 = 0x8;
}

/// The header of each message (MS-SMB2, 2.2.1).
#[derive(Clone, Copy)]
struct Header {
    status: u32,
    code: u16,
    flags: u32,
    next: usize,
    id: u64,
    async_id: Option<u64>,
    tree: Option<u32>,
    session: u64,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Wire<Self> {
        reader.skip(8)?;
        let (status, code) = (reader.le_u32()?, reader.le_u16()?);
        reader.skip(2)?;
        let (flags, next, id) = (reader.le_u32()?, reader.le_u32()?, reader.le_u64()?);
        let (async_id, tree) = if flags & flag::ASYNC != 0 {
            (Some(reader.le_u64()?), None)
        } else {
            reader.skip(4)?;
            (None, Some(reader.le_u32()?))
        };
        let session = reader.le_u64()?;
        reader.skip(16)?;
        Ok(Self { status, code, flags, next: usize::try_from(next).map_err(|_| Malformed)?, id, async_id, tree, session })
    }
}

/// Takes a message, or the start of a long one.
pub fn message(connection: &mut Connection, cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<()> {
    let mut rest = bytes;
    let mut before: Option<Header> = None;
    let mut chain = 0;
    let mut result = Ok(());
    for index in 0..MAX_CHAIN {
        if !rest.starts_with(b"\xfeSMB") {
            return if index == 0 { Err(Malformed) } else { result };
        }
        let mut reader = Reader::new(rest);
        let mut header = Header::read(&mut reader)?;
        if index == 0 {
            chain = header.id;
        }
        if header.flags & flag::RELATED != 0
            && header.flags & flag::RESPONSE == 0
            && let Some(before) = before
        {
            header.session = before.session;
            header.tree = before.tree;
        }
        let member = if header.next >= HEADER_LEN { rest.get(..header.next).unwrap_or(rest) } else { rest };
        let done = if header.flags & flag::RESPONSE != 0 {
            response(connection, cx, &header, member, chain, index)
        } else {
            request(connection, cx, &header, member, chain, index)
        };
        result = result.and(done);
        before = Some(header);
        match rest.get(header.next..) {
            Some(next) if header.next >= HEADER_LEN && !next.is_empty() => rest = next,
            _ => return result,
        }
    }
    result
}

/// The part of a message that an offset and a length in it name.
fn part(message: &[u8], offset: u32, length: u32) -> Wire<&[u8]> {
    let start = usize::try_from(offset).map_err(|_| Malformed)?;
    let length = usize::try_from(length).map_err(|_| Malformed)?;
    if length == 0 {
        return Ok(&[]);
    }
    start.checked_add(length).and_then(|end| message.get(start..end)).ok_or(Malformed)
}

fn file_key(reader: &mut Reader<'_>) -> Wire<Key> {
    Ok(u128::from_be_bytes(reader.array::<16>()?))
}

/// A file's id, written as a GUID is: its octets have no other meaning to a client.
pub fn file_id(key: Key) -> String {
    guid(key.to_be_bytes())
}

fn guid(bytes: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let mut text = format!("{:08x}-{:04x}-{:04x}-", u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
    for (at, byte) in rest.iter().enumerate() {
        let _ = write!(text, "{}{byte:02x}", if at == 2 { "-" } else { "" });
    }
    text
}

/// Nanoseconds since 1970 from Windows time; 0 and what cannot be told are `None`.
pub fn file_time(ticks: u64) -> Option<i64> {
    let ticks = i64::try_from(ticks).ok().filter(|&ticks| ticks > 0)?;
    ticks.checked_sub(116_444_736_000_000_000)?.checked_mul(100)
}

fn request(connection: &mut Connection, cx: &mut Cx<'_>, header: &Header, member: &[u8], chain: u64, index: u16) -> Wire<()> {
    let mut found = Request {
        code: header.code,
        command: codes::command2(header.code),
        message_id: header.id,
        session: header.session,
        tree: header.tree,
        async_id: header.async_id,
        index,
        chain,
        signed: header.flags & flag::SIGNED != 0,
        ..Request::default()
    };
    let done = asked(connection, cx, &mut found, member);
    if found.file == Some(SAME) {
        found.file = None;
    } else {
        // A chain's members name the file of its create by all ones; others by its id.
        found.chain = if header.flags & flag::RELATED != 0 { chain } else { header.id };
    }
    if found.code == 12 {
        // A cancel has the id of what it cancels, and no answer of its own.
        found.common = cx.common(cx.dir);
        connection.row(cx, found, None, &Told::default());
    } else {
        connection.ask(cx, header.id, found);
    }
    done
}

/// Reads the body of a request.
fn asked(connection: &mut Connection, cx: &mut Cx<'_>, found: &mut Request, member: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(member);
    reader.skip(HEADER_LEN)?;
    let size = reader.le_u16()?;
    match found.code {
        0 => {
            let count = reader.le_u16()?;
            reader.skip(8)?;
            found.client_guid = Some(guid(reader.array::<16>()?));
            reader.skip(8)?;
            for _ in 0..count.min(64) {
                found.dialects.push(codes::dialect(reader.le_u16()?));
            }
        }
        1 => {
            reader.skip(10)?;
            let (offset, length) = (reader.le_u16()?, reader.le_u16()?);
            let blob = part(member, offset.into(), length.into())?;
            let mut login = connection.logins.remove(&found.session).unwrap_or_default();
            let mechanism = gssapi::token(cx, "smb", &mut login, blob);
            found.account = Account::of(&login, mechanism);
            found.login = Some(login);
        }
        3 => {
            reader.skip(2)?;
            let (offset, length) = (reader.le_u16()?, reader.le_u16()?);
            let path: Arc<str> = Arc::from(wide(part(member, offset.into(), length.into())?));
            found.share = Some(Arc::clone(&path));
            found.path = Some(path);
        }
        5 => {
            reader.skip(22)?;
            found.access = Some(reader.le_u32()?);
            reader.skip(8)?;
            found.disposition = Some(reader.le_u32()?);
            found.delete_on_close = reader.le_u32()? & 0x1000 != 0;
            let (offset, length) = (reader.le_u16()?, reader.le_u16()?);
            let name = wide(part(member, offset.into(), length.into())?);
            found.path = (!name.is_empty()).then(|| Arc::from(name));
        }
        // The break of a lease has the lease's key where that of a file has its id (2.2.24).
        18 if size != OPLOCK_BREAK_LEN => {}
        6 | 7 | 15 | 18 | 10 => {
            reader.skip(6)?;
            found.file = Some(file_key(&mut reader)?);
        }
        8 => {
            reader.skip(2)?;
            found.length = Some(reader.le_u32()?.into());
            found.offset = Some(reader.le_u64()?);
            found.file = Some(file_key(&mut reader)?);
        }
        9 => {
            let start = reader.le_u16()?;
            let length = reader.le_u32()?;
            let offset = reader.le_u64()?;
            let key = file_key(&mut reader)?;
            found.length = Some(length.into());
            found.offset = Some(offset);
            found.file = Some(key);
            // The bytes of long messages have passed already.
            if let Ok(bytes) = part(member, start.into(), length) {
                connection.handles.pipe(cx, key, bytes, client(cx, false));
                connection.handles.content(key, offset, bytes, true);
            }
        }
        11 => {
            reader.skip(2)?;
            let control = reader.le_u32()?;
            found.sub = codes::control(control).map(Cow::Borrowed).or_else(|| Some(Cow::Owned(format!("{control:#010x}"))));
            let key = file_key(&mut reader)?;
            let start = reader.le_u32()?;
            let length = reader.le_u32()?;
            found.length = Some(length.into());
            // Controls of the server as a whole have all ones for a file.
            found.file = Some(key);
            // Only pipes are called like this, whatever is known of the tree.
            if control == PIPE_TRANSCEIVE {
                if let Some(handle) = connection.handles.get(key) {
                    handle.pipe = true;
                }
                if let Ok(bytes) = part(member, start, length) {
                    connection.handles.pipe(cx, key, bytes, client(cx, false));
                }
            }
        }
        14 => {
            let class = reader.u8()?;
            reader.skip(5)?;
            found.sub = codes::information(1, class).map(Cow::Borrowed);
            found.file = Some(file_key(&mut reader)?);
            found.intent = Intent::List;
        }
        16 => {
            let (kind, class) = (reader.u8()?, reader.u8()?);
            reader.skip(20)?;
            found.sub = codes::information(kind, class).map(Cow::Borrowed);
            found.file = Some(file_key(&mut reader)?);
        }
        17 => {
            let (kind, class) = (reader.u8()?, reader.u8()?);
            let length = reader.le_u32()?;
            let offset = reader.le_u16()?;
            reader.skip(6)?;
            found.sub = codes::information(kind, class).map(Cow::Borrowed);
            found.file = Some(file_key(&mut reader)?);
            let data = part(member, offset.into(), length)?;
            let mut reader = Reader::new(data);
            found.intent = match (kind, class) {
                (1, 10 | 65) => {
                    reader.skip(16)?;
                    let length = usize::try_from(reader.le_u32()?).map_err(|_| Malformed)?;
                    Intent::Rename(wide(reader.take(length)?))
                }
                (1, 13 | 64) => Intent::Delete(reader.u8()? & 1 != 0),
                (1, 20) => Intent::Resize(reader.le_u64()?),
                _ => Intent::Change,
            };
        }
        _ => {}
    }
    Ok(())
}

fn response(connection: &mut Connection, cx: &mut Cx<'_>, header: &Header, member: &[u8], chain: u64, index: u16) -> Wire<()> {
    if header.status == codes::PENDING && header.flags & flag::ASYNC != 0 {
        if let Some(waiting) = connection.waiting.get_mut(&header.id) {
            waiting.interim = true;
            waiting.async_id = header.async_id;
        }
        return Ok(());
    }
    let mut waiting = connection.waiting.remove(&header.id);
    if header.code == 0 && waiting.is_none() {
        // A negotiation that began in version 1.
        waiting = connection.waiting.remove(&super::v1::NEGOTIATION).map(|request| Request { answered_by_v2: true, ..request });
    }
    let mut request = waiting.unwrap_or_else(|| Request { chain, index, tree: header.tree, session: header.session, ..Request::default() });
    request.code = header.code;
    request.command = codes::command2(header.code);
    request.message_id = header.id;
    request.signed |= header.flags & flag::SIGNED != 0;
    if request.session == 0 {
        request.session = header.session;
    }
    if request.async_id.is_none() {
        request.async_id = header.async_id;
    }
    if request.file.is_none()
        && matches!(header.code, 6..=11 | 14..=17)
        && let Some((of, key)) = connection.chained
        && of == request.chain
    {
        request.file = Some(key);
    }
    let mut told = Told::default();
    let done = said(connection, cx, header, &mut request, &mut told, member);
    let closing = request.file.filter(|_| header.code == 6 && header.status == codes::SUCCESS);
    connection.answer(cx, request, header.status, &told);
    if let Some(key) = closing {
        connection.handles.remove(cx, key, true);
    }
    done
}

/// Reads the body of an answer.
fn said(connection: &mut Connection, cx: &mut Cx<'_>, header: &Header, request: &mut Request, told: &mut Told, member: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(member);
    reader.skip(HEADER_LEN)?;
    let good = matches!(header.status, codes::SUCCESS | codes::BUFFER_OVERFLOW);
    match header.code {
        0 if good => {
            reader.skip(2)?;
            let mode = reader.le_u16()?;
            let dialect = reader.le_u16()?;
            reader.skip(2)?;
            told.server_guid = Some(guid(reader.array::<16>()?));
            told.capabilities = codes::bits(reader.le_u32()?, codes::CAPABILITIES);
            told.security = Some(match mode & 3 {
                0 => "none",
                1 => "enabled",
                _ => "required",
            });
            // 2.??? is no choice yet.
            connection.dialect = (dialect != 0x02ff).then(|| codes::dialect(dialect));
            connection.is_v3 = (0x0300..0x0400).contains(&dialect);
        }
        1 => {
            let mut flags = 0;
            if good || header.status == codes::MORE_PROCESSING {
                reader.skip(2)?;
                flags = reader.le_u16()?;
                let (offset, length) = (reader.le_u16()?, reader.le_u16()?);
                let blob = part(member, offset.into(), length.into())?;
                if let Some(login) = request.login.as_deref_mut()
                    && !blob.is_empty()
                {
                    gssapi::token(cx, "smb", login, blob);
                }
            }
            logged_in(connection, cx, header, request, flags);
        }
        2 if good => {
            connection.accounts.remove(&header.session);
        }
        3 => {
            let mut mapped = Mapped::default();
            if good {
                reader.skip(2)?;
                mapped.kind = Some(reader.u8()?);
                reader.skip(1)?;
                mapped.encrypt = Some(reader.le_u32()? & 0x8000 != 0);
                reader.skip(4)?;
                mapped.access = Some(reader.le_u32()?);
            }
            connection.map(cx, request, header.tree.unwrap_or(0), header.status, &mapped);
            if good {
                request.tree = header.tree;
            }
        }
        5 if good => {
            reader.skip(4)?;
            let action = codes::action(reader.le_u32()?);
            let mut times = [None; 4];
            for time in &mut times {
                *time = file_time(reader.le_u64()?);
            }
            let facts = Facts { allocation: Some(reader.le_u64()?), size: Some(reader.le_u64()?), times, attributes: Some(reader.le_u32()?), action };
            reader.skip(4)?;
            let key = file_key(&mut reader)?;
            let mut handle = new_handle(cx);
            handle.facts = facts;
            connection.opened(cx, request, key, file_id(key), handle);
            request.file = Some(key);
            told.action = action;
        }
        5 if request.path.is_some() => {
            let mut handle = new_handle(cx);
            handle.path = request.path.clone();
            handle.share = request.share.clone();
            handle.user = connection.accounts.get(&request.session).and_then(|account| account.user.clone());
            if !request.share.as_deref().is_some_and(|share| share.to_ascii_uppercase().ends_with(r"\IPC$")) {
                let common = cx.common(client(cx, true));
                handle.event(cx, &common, "open", None, codes::status(header.status), None);
            }
        }
        8 if good => {
            reader.skip(2)?;
            let start = reader.u8()?;
            reader.skip(1)?;
            let length = reader.le_u32()?;
            told.length = Some(length.into());
            if let (Some(key), Some(offset), Ok(bytes)) = (request.file, request.offset, part(member, start.into(), length)) {
                connection.handles.pipe(cx, key, bytes, client(cx, true));
                connection.handles.content(key, offset, bytes, false);
            }
        }
        11 if good => {
            reader.skip(4)?;
            let control = reader.le_u32()?;
            let key = file_key(&mut reader)?;
            reader.skip(8)?;
            let (start, length) = (reader.le_u32()?, reader.le_u32()?);
            if control == PIPE_TRANSCEIVE
                && let Ok(bytes) = part(member, start, length)
            {
                connection.handles.pipe(cx, key, bytes, client(cx, true));
            }
        }
        9 if good => {
            reader.skip(4)?;
            told.length = Some(reader.le_u32()?.into());
        }
        9 => {
            if let Some(key) = request.file {
                connection.handles.refuse(key);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A leg of a login was answered.
fn logged_in(connection: &mut Connection, cx: &mut Cx<'_>, header: &Header, request: &mut Request, flags: u16) {
    if header.session != 0 {
        request.session = header.session;
    }
    let Some(mut login) = request.login.take() else { return };
    if header.status == codes::MORE_PROCESSING {
        connection.logins.insert(header.session, login);
        return;
    }
    let success = header.status == codes::SUCCESS;
    if success {
        match flags & 3 {
            0 => {}
            1 => request.account.method = Some("guest"),
            _ => request.account.method = Some("anonymous"),
        }
        connection.log_in(header.session, Account::clone(&request.account));
    }
    gssapi::outcome(cx, &mut login, success, codes::status(header.status));
}

/// Where the content of a long write or read goes.
pub fn sink(connection: &mut Connection, head: &[u8]) -> Option<Sink> {
    let mut reader = Reader::new(head);
    let header = Header::read(&mut reader).ok()?;
    if header.next != 0 {
        return None;
    }
    reader.skip(2).ok()?;
    let is_response = header.flags & flag::RESPONSE != 0;
    match (header.code, is_response) {
        (9, false) => {
            let start = usize::from(reader.le_u16().ok()?);
            let length = usize::try_from(reader.le_u32().ok()?).ok()?;
            let offset = reader.le_u64().ok()?;
            Some(Sink { key: file_key(&mut reader).ok()?, is_write: true, start, length, offset })
        }
        (8, true) => {
            let start = usize::from(reader.u8().ok()?);
            reader.skip(1).ok()?;
            let length = usize::try_from(reader.le_u32().ok()?).ok()?;
            let asked = connection.waiting.get(&header.id)?;
            Some(Sink { key: asked.file?, is_write: false, start, length, offset: asked.offset? })
        }
        _ => None,
    }
}

/// An encrypted message (MS-SMB2, 2.2.41).
pub fn encrypted(connection: &mut Connection, cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(44)?;
    let session = reader.le_u64()?;
    // The server's port is the lower one; what is inside does not tell.
    let [orig, resp] = cx.ends.map(|end| end.port);
    let to_server = (cx.dir == crate::protocols::Dir::Orig) == (orig >= resp);
    let side = client(cx, !to_server);
    let account = connection.accounts.get(&session);
    cx.emit_from(
        side,
        Smb {
            request_frame: to_server.then_some(cx.frame),
            response_frame: (!to_server).then_some(cx.frame),
            version: Some("SMB3"),
            dialect: connection.dialect.as_deref(),
            session_id: Some(session),
            username: account.and_then(|account| account.user.as_deref()),
            domain: account.and_then(|account| account.domain.as_deref()),
            hostname: account.and_then(|account| account.host.as_deref()),
            auth_method: account.and_then(|account| account.method),
            encrypted: Some(true),
            ..Smb::default()
        },
    );
    Ok(())
}

/// A compressed message (MS-SMB2, 2.2.42): only whether its sizes can be.
pub fn compressed(cx: &mut Cx<'_>, bytes: &[u8]) -> Wire<()> {
    let mut reader = Reader::new(bytes);
    reader.skip(4)?;
    let original = reader.le_u32()?;
    reader.skip(2)?;
    let (flags, offset) = (reader.le_u16()?, reader.le_u32()?);
    if flags == 0 && original.checked_add(offset).is_none() {
        cx.anomaly("smb", "bad_length", "the sizes of a compressed message add up to more than 32 bits");
    }
    Ok(())
}
