//! Requests under way, sessions and trees of a connection, and the rows that come of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use pcapper_schema::Common;
use pcapper_schema::tables::{Smb, SmbMappings};

use super::handles::{Handle, Handles, Key, Sink};
use super::login::Account;
use super::{client, codes, v1, v2};
use crate::protocols::it::gssapi;
use crate::protocols::{Cx, Dir};

/// Most requests of a connection that wait for their answers; servers grant fewer credits.
const MAX_WAITING: usize = 8192;
/// Most sessions and trees of a connection.
const MAX_KNOWN: usize = 4096;

/// What a request means to do beyond its own row.
#[derive(Default)]
pub enum Intent {
    #[default]
    None,
    Rename(String),
    Delete(bool),
    Change,
    Resize(u64),
    List,
}

/// A request that waits for its answer.
#[derive(Default)]
pub struct Request {
    pub common: Common,
    pub is_v1: bool,
    pub answered_by_v2: bool,
    pub code: u16,
    pub command: Option<&'static str>,
    pub sub: Option<Cow<'static, str>>,
    pub message_id: u64,
    pub session: u64,
    pub tree: Option<u32>,
    pub async_id: Option<u64>,
    pub index: u16,
    /// First message id of the chain it stands in.
    pub chain: u64,
    pub interim: bool,
    pub signed: bool,
    pub share: Option<Arc<str>>,
    pub path: Option<Arc<str>>,
    pub file: Option<Key>,
    pub offset: Option<u64>,
    pub length: Option<u64>,
    pub access: Option<u32>,
    pub disposition: Option<u32>,
    pub delete_on_close: bool,
    pub dialects: Vec<String>,
    pub client_guid: Option<String>,
    pub login: Option<Box<gssapi::Exchange>>,
    pub account: Account,
    pub intent: Intent,
}

/// What an answer tells beyond its status.
#[derive(Default)]
pub struct Told {
    pub length: Option<u64>,
    pub action: Option<&'static str>,
    pub security: Option<&'static str>,
    pub server_guid: Option<String>,
    pub capabilities: Vec<Cow<'static, str>>,
}

/// A tree that a client connected to.
#[derive(Clone, Default)]
pub struct Tree {
    pub path: Option<Arc<str>>,
    pub is_pipe: bool,
}

/// What the answer to a tree connect tells.
#[derive(Default)]
pub struct Mapped<'a> {
    pub kind: Option<u8>,
    pub service: Option<&'a str>,
    pub file_system: Option<&'a str>,
    pub encrypt: Option<bool>,
    pub access: Option<u32>,
}

/// A connection's state.
#[derive(Default)]
pub struct Connection {
    pub dialect: Option<String>,
    pub is_v3: bool,
    /// Dialects that a version 1 negotiation offered.
    pub offered: Vec<String>,
    pub waiting: BTreeMap<u64, Request>,
    pub accounts: BTreeMap<u64, Account>,
    pub logins: BTreeMap<u64, Box<gssapi::Exchange>>,
    pub trees: BTreeMap<(u64, u32), Tree>,
    pub handles: Handles,
    /// The file that the last answered create of a chain opened.
    pub chained: Option<(u64, Key)>,
}

impl Connection {
    /// Takes one message; where it was too long to hold, `bytes` is its start.
    pub fn message(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let done = match bytes.first() {
            Some(0xfe) => v2::message(self, cx, bytes),
            Some(0xff) => v1::message(self, cx, bytes),
            Some(0xfd) => v2::encrypted(self, cx, bytes),
            _ => v2::compressed(cx, bytes),
        };
        if done.is_err() {
            cx.anomaly("smb", "bad_length", "a message ends before its fields do");
        }
    }

    /// Where the content of a long message goes.
    pub fn sink(&mut self, head: &[u8]) -> Option<Sink> {
        if head.first() == Some(&0xfe) { v2::sink(self, head) } else { None }
    }

    /// Keeps a request until its answer comes.
    pub fn ask(&mut self, cx: &mut Cx<'_>, key: u64, mut request: Request) {
        request.common = cx.common(client(cx, false));
        request.share =
            request.share.or_else(|| request.tree.and_then(|tree| self.trees.get(&(request.session, tree))).and_then(|tree| tree.path.clone()));
        let clash = self.waiting.insert(key, request);
        let oldest = if self.waiting.len() > MAX_WAITING { self.waiting.pop_first().map(|(_, request)| request) } else { None };
        for unanswered in [clash, oldest].into_iter().flatten() {
            self.row(cx, unanswered, None, &Told::default());
        }
    }

    /// Remembers a session's account.
    pub fn log_in(&mut self, session: u64, account: Account) {
        if self.accounts.len() < MAX_KNOWN || self.accounts.contains_key(&session) {
            self.accounts.insert(session, account);
        }
    }

    /// Remembers a tree, and writes the row of its connect.
    pub fn map(&mut self, cx: &mut Cx<'_>, request: &Request, tree: u32, status: u32, mapped: &Mapped<'_>) {
        let kind = match (mapped.kind, mapped.service) {
            (Some(1), _) => Some("disk"),
            (Some(2), _) => Some("pipe"),
            (Some(3), _) => Some("print"),
            (_, Some(service)) if service.starts_with("A:") => Some("disk"),
            (_, Some(service)) if service.starts_with("IPC") => Some("pipe"),
            (_, Some(service)) if service.starts_with("LPT") => Some("print"),
            _ => None,
        };
        if status == codes::SUCCESS && self.trees.len() < MAX_KNOWN {
            self.trees.insert((request.session, tree), Tree { path: request.path.clone(), is_pipe: kind == Some("pipe") });
        }
        let path = request.path.as_deref();
        let (server, share) = path
            .and_then(|path| path.strip_prefix(r"\\"))
            .and_then(|rest| rest.split_once('\\'))
            .map_or((None, path), |(server, share)| (Some(server), Some(share)));
        let account = self.accounts.get(&request.session);
        cx.emit_from(
            client(cx, true),
            SmbMappings {
                path,
                server_name: server,
                share_name: share,
                service: mapped.service,
                share_type: kind,
                share_type_code: mapped.kind,
                native_file_system: mapped.file_system.filter(|name| !name.is_empty()),
                is_admin: share.map(is_admin),
                tree_id: (status == codes::SUCCESS).then_some(tree),
                session_id: Some(request.session),
                username: account.and_then(|account| account.user.as_deref()),
                domain: account.and_then(|account| account.domain.as_deref()),
                status_code: Some(status),
                status: codes::status(status),
                encrypt_data: mapped.encrypt,
                maximal_access: mapped.access,
            },
        );
    }

    /// A create was answered.
    pub fn opened(&mut self, cx: &mut Cx<'_>, request: &Request, key: Key, id: String, mut handle: Handle) {
        let pipe = request.tree.and_then(|tree| self.trees.get(&(request.session, tree))).is_some_and(|tree| tree.is_pipe);
        handle.id = id;
        handle.path = request.path.clone();
        handle.share = request.share.clone();
        handle.user = self.accounts.get(&request.session).and_then(|account| account.user.clone());
        // The share's name tells where its connect was not captured in full.
        handle.pipe = pipe || request.share.as_deref().is_some_and(|share| share.to_ascii_uppercase().ends_with(r"\IPC$"));
        handle.delete = request.delete_on_close;
        self.chained = Some((request.chain, key));
        self.handles.insert(cx, key, handle);
    }

    /// An answer came: does what the request meant, writes its row.
    pub fn answer(&mut self, cx: &mut Cx<'_>, mut request: Request, status: u32, told: &Told) {
        if let Some(key) = request.file
            && let Some(handle) = self.handles.get(key)
            && status == codes::SUCCESS
        {
            match std::mem::take(&mut request.intent) {
                Intent::Rename(name) => {
                    let old = handle.path.replace(Arc::from(name));
                    handle.changed = true;
                    let common = cx.common(handle.client);
                    handle.event(cx, &common, "rename", old.as_deref(), codes::status(status), None);
                }
                Intent::Delete(delete) => handle.delete = delete,
                Intent::Change => {
                    if !handle.changed {
                        let common = cx.common(handle.client);
                        handle.event(cx, &common, "set_info", None, codes::status(status), None);
                    }
                    handle.changed = true;
                }
                Intent::Resize(size) => handle.set_size = Some(size),
                Intent::List => handle.listed = true,
                Intent::None => {}
            }
        }
        self.row(cx, request, Some(status), told);
    }

    /// Writes a request's row; without a status it was not answered.
    pub fn row(&mut self, cx: &mut Cx<'_>, mut request: Request, status: Option<u32>, told: &Told) {
        if let Some(login) = request.login.as_deref_mut() {
            gssapi::close(cx, login);
        }
        let asked = request.common.frame > 0;
        let side = client(cx, true);
        let common = if status.is_some() || !asked { cx.common(side) } else { request.common };
        let handle = request.file.and_then(|key| self.handles.get(key));
        let (path, share, is_pipe) = match handle {
            Some(handle) => {
                (request.path.clone().or_else(|| handle.path.clone()), request.share.clone().or_else(|| handle.share.clone()), handle.pipe)
            }
            None => (request.path.clone(), request.share.clone(), false),
        };
        let is_pipe = is_pipe || request.tree.and_then(|tree| self.trees.get(&(request.session, tree))).is_some_and(|tree| tree.is_pipe);
        let is_connect = matches!(request.command, Some("tree_connect" | "tree_connect_andx"));
        let account = if request.account.user.is_some() || request.account.method.is_some() {
            Some(&request.account)
        } else {
            self.accounts.get(&request.session)
        };
        let file_id = request.file.map(|key| if request.is_v1 { v1::file_id(key) } else { v2::file_id(key) });
        let dialects: Vec<Cow<'_, str>> = request.dialects.iter().map(|name| Cow::Borrowed(name.as_str())).collect();
        let elapsed = request.common.ts.filter(|_| asked && status.is_some()).map(|ts| cx.ts.saturating_sub(ts) as f64 / 1e6);
        cx.emit_as(
            &common,
            Smb {
                request_frame: asked.then_some(request.common.frame),
                response_frame: status.is_some().then_some(cx.frame),
                version: Some(match (request.is_v1 && !request.answered_by_v2, self.is_v3) {
                    (true, _) => "SMB1",
                    (false, true) => "SMB3",
                    (false, false) => "SMB2",
                }),
                dialect: self.dialect.as_deref(),
                dialects_offered: (!dialects.is_empty()).then_some(dialects.as_slice()),
                command_code: Some(request.code),
                command: request.command,
                sub_command: request.sub.as_deref(),
                message_id: Some(request.message_id),
                session_id: Some(request.session),
                tree_id: request.tree,
                async_id: request.async_id,
                compound_index: Some(request.index),
                status_code: status,
                status: status.and_then(codes::status),
                interim_pending: Some(request.interim),
                share: share.as_deref(),
                path: path.as_deref().filter(|_| !is_connect),
                file_id: file_id.as_deref(),
                offset_bytes: request.offset,
                length_bytes: request.length,
                response_length_bytes: told.length,
                desired_access: request.access,
                create_disposition: request.disposition.and_then(codes::disposition),
                create_action: told.action,
                username: account.and_then(|account| account.user.as_deref()),
                domain: account.and_then(|account| account.domain.as_deref()),
                hostname: account.and_then(|account| account.host.as_deref()),
                auth_method: account.and_then(|account| account.method),
                signed: Some(request.signed),
                encrypted: Some(false),
                security_mode: told.security,
                server_guid: told.server_guid.as_deref(),
                client_guid: request.client_guid.as_deref(),
                capabilities: (!told.capabilities.is_empty()).then_some(told.capabilities.as_slice()),
                pipe: path.as_deref().filter(|_| is_pipe && !is_connect).map(|path| path.trim_start_matches('\\')).filter(|path| !path.is_empty()),
                response_time_ms: elapsed,
            },
        );
    }

    /// The connection ended: what waits is written.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        while let Some((_, request)) = self.waiting.pop_first() {
            self.row(cx, request, None, &Told::default());
        }
        for login in self.logins.values_mut() {
            gssapi::close(cx, login);
        }
        self.logins.clear();
        self.handles.close(cx);
    }
}

/// Shares that only administrators may use: `ADMIN$`, `C$` ...
fn is_admin(share: &str) -> bool {
    share.eq_ignore_ascii_case("ADMIN$") || matches!(share.as_bytes(), [drive, b'$'] if drive.is_ascii_alphabetic())
}

/// A new handle of the client on the other side of the sender of an answer.
pub fn new_handle(cx: &Cx<'_>) -> Handle {
    let side: Dir = client(cx, true);
    Handle::new(String::new(), side)
}
