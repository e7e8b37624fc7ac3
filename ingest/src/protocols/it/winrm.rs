//! WS-Management over HTTP (DSP0226, DSP0227; MS-WSMV), by which Windows is managed and PowerShell speaks to other hosts
//! (MS-PSRP): found by its path, on any port.
//!
//! Messages are SOAP. What is encrypted within HTTP is counted, not read. The scanner below finds elements by their local
//! names and gives their text; it knows nothing of namespaces, and needs no more.

use std::borrow::Cow;
use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pcapper_schema::Common;
use pcapper_schema::tables::Winrm;

use crate::protocols::Cx;
use crate::text;

/// Octets of a message that are kept for reading.
pub const MAX_BODY: usize = 256 << 10;
/// Exchanges of a connection that wait, and characters of an output that are kept.
const MAX_WAITING: usize = 64;
const MAX_OUTPUT: usize = 4096;
/// Fragments, and texts of an answer, that are read of an exchange.
const MAX_PIECES: usize = 256;
/// Types of messages (MS-PSRP, 2.2.1).
const CREATE_PIPELINE: u32 = 0x0002_1006;
const PIPELINE_OUTPUT: u32 = 0x0004_1004;

/// Whether a request's target is that of WS-Management.
pub fn is_target(target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    // An absolute form names the host before the path.
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    parts.next().is_some_and(|part| part.eq_ignore_ascii_case("wsman"))
}

/// Half of an exchange.
pub struct Message<'a> {
    pub common: &'a Common,
    /// Number of the request on its connection.
    pub depth: Option<u32>,
    pub target: Option<&'a str>,
    pub host: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub authorization: Option<&'a str>,
    pub content_type: Option<&'a str>,
    pub status: Option<u16>,
    pub body: &'a [u8],
    /// Octets of the body, kept or not.
    pub length: u64,
}

impl Message<'_> {
    fn is_encrypted(&self) -> bool {
        self.content_type.is_some_and(|kind| kind.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("multipart/encrypted")))
    }
}

/// What a request said, until its answer comes.
struct Asked {
    common: Common,
    depth: Option<u32>,
    uri: Option<String>,
    host: Option<String>,
    user_agent: Option<String>,
    scheme: Option<String>,
    user: Option<(String, String)>,
    encrypted: bool,
    xml: String,
    length: u64,
}

/// Exchanges of a connection.
#[derive(Default)]
pub struct Exchanges(VecDeque<Asked>);

impl Exchanges {
    /// Takes a request to the path.
    pub fn request(&mut self, cx: &mut Cx<'_>, message: &Message<'_>) {
        if self.0.len() >= MAX_WAITING
            && let Some(unanswered) = self.0.pop_front()
        {
            emit(cx, &unanswered, None);
        }
        let (scheme, token) = message.authorization.map_or((None, None), |value| {
            let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
            (Some(scheme.to_ascii_lowercase()), Some(token))
        });
        let user = token.filter(|_| scheme.as_deref() == Some("basic")).and_then(basic);
        self.0.push_back(Asked {
            common: *message.common,
            depth: message.depth,
            uri: message.target.map(str::to_owned),
            host: message.host.map(str::to_owned),
            user_agent: message.user_agent.map(str::to_owned),
            scheme,
            user,
            encrypted: message.is_encrypted(),
            xml: readable(message.body),
            length: message.length,
        });
    }

    /// Takes the answer to one.
    pub fn answer(&mut self, cx: &mut Cx<'_>, message: &Message<'_>) {
        let at = self.0.iter().position(|asked| asked.depth == message.depth);
        if let Some(asked) = at.and_then(|at| self.0.remove(at)) {
            emit(cx, &asked, Some(message));
        }
    }

    /// The connection ends.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        for asked in std::mem::take(&mut self.0) {
            emit(cx, &asked, None);
        }
    }
}

/// Name and password of Basic (RFC 7617).
fn basic(token: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(token.trim()).ok()?;
    let (user, password) = String::from_utf8_lossy(&decoded).split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))?;
    Some((user, password))
}

/// A body as text: UTF-16 where its first octets say so.
fn readable(body: &[u8]) -> String {
    match body {
        [0xff, 0xfe, rest @ ..] => {
            let units = rest.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        _ => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Attributes and text of elements with this local name, in order; elements within them are left in the text.
fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find('<')?;
            rest = rest.get(at + 1..)?;
            let end = rest.find('>')?;
            let tag = rest.get(..end)?;
            let (qualified, attributes) = tag.split_once(|character: char| character.is_ascii_whitespace()).unwrap_or((tag, ""));
            let local = qualified.rsplit(':').next().unwrap_or_default().trim_end_matches('/');
            let inside = rest.get(end + 1..)?;
            rest = inside;
            if local != name || tag.starts_with(['/', '?', '!']) {
                continue;
            }
            if tag.ends_with('/') {
                return Some((attributes, ""));
            }
            // The end tag has the name as it was written.
            let closing = inside.match_indices("</").find(|(at, _)| {
                inside.get(at + 2..).and_then(|rest| rest.strip_prefix(qualified)).is_some_and(|rest| rest.trim_start().starts_with('>'))
            });
            let (close, _) = closing?;
            rest = inside.get(close..)?;
            return Some((attributes, inside.get(..close)?));
        }
    })
}

/// Text of the first such element.
fn element<'a>(xml: &'a str, name: &'a str) -> Option<Cow<'a, str>> {
    elements(xml, name).map(|(_, text)| decoded(text.trim())).find(|text| !text.is_empty())
}

/// Text with its entities undone.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let entity = rest.get(1..).and_then(|inside| inside.get(..inside.find(';').filter(|end| *end <= 10)?));
        let character = entity.and_then(|entity| match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            number => {
                let number = number.strip_prefix('#')?;
                let code = number.strip_prefix(['x', 'X']).map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
                char::from_u32(code)
            }
        });
        match (character, entity) {
            (Some(character), Some(entity)) => {
                plain.push(character);
                rest = rest.get(entity.len() + 2..).unwrap_or_default();
            }
            _ => {
                plain.push('&');
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, next) = after.get(1..)?.split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = next;
    }
    None
}

/// Output of a stream, its pieces joined.
fn output(xml: &str, stream: &str) -> Option<String> {
    let mut joined = String::new();
    for (attributes, piece) in elements(xml, "Stream") {
        if attribute(attributes, "Name") == Some(stream)
            && let Ok(octets) = STANDARD.decode(piece.trim())
        {
            joined.push_str(&String::from_utf8_lossy(&octets));
        }
        if joined.len() >= MAX_OUTPUT {
            break;
        }
    }
    let kept: String = joined.chars().take(MAX_OUTPUT).collect();
    (!kept.is_empty()).then_some(kept)
}

/// Messages of PowerShell's protocol in one exchange: the objects of its fragments put together, each the type of the message
/// and its text (MS-PSRP, 2.2.1 and 2.2.4). Fragments whose first is not here are passed over.
fn messages<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<(u32, String)> {
    // Object, the next fragment, what came so far.
    let mut objects: Vec<(u64, u64, Vec<u8>)> = Vec::new();
    for piece in pieces.take(MAX_PIECES) {
        let Ok(octets) = STANDARD.decode(piece.trim()) else { continue };
        let mut rest = octets.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<21>() {
            let (object, after_object) = header.split_first_chunk::<8>().map_or((0, &[][..]), |(object, rest)| (u64::from_be_bytes(*object), rest));
            let (fragment, tail) =
                after_object.split_first_chunk::<8>().map_or((0, &[][..]), |(fragment, rest)| (u64::from_be_bytes(*fragment), rest));
            let length = tail.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length) as usize);
            let Some((blob, next)) = after.split_at_checked(length) else { break };
            rest = next;
            match objects.iter_mut().find(|(known, expected, _)| *known == object && *expected == fragment) {
                Some((_, expected, whole)) => {
                    *expected += 1;
                    whole.extend_from_slice(blob);
                }
                None if fragment == 0 => objects.push((object, 1, blob.to_vec())),
                None => {}
            }
        }
    }
    let message = |(_, _, whole): &(u64, u64, Vec<u8>)| {
        // Destination, type, two ids, then text.
        let kind = u32::from_le_bytes(*whole.get(4..)?.first_chunk::<4>()?);
        let text = whole.get(40..)?;
        Some((kind, String::from_utf8_lossy(text.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(text)).into_owned()))
    };
    objects.iter().filter_map(message).collect()
}

/// Commands of a pipeline, with their arguments as far as they are text (MS-PSRP, 2.2.2.10 and 2.2.3.11).
fn script(xml: &str) -> Option<String> {
    let sent = elements(xml, "Arguments").map(|(_, text)| text).chain(elements(xml, "Stream").map(|(_, text)| text));
    let mut commands = Vec::new();
    for (_, text) in messages(sent).into_iter().filter(|(kind, _)| *kind == CREATE_PIPELINE) {
        let mut command = String::new();
        for (attributes, value) in elements(&text, "S") {
            match attribute(attributes, "N") {
                Some("Cmd") => {
                    commands.extend((!command.is_empty()).then(|| std::mem::take(&mut command)));
                    command = unescaped(&decoded(value));
                }
                // A parameter's name, and its value.
                Some("N") if !command.is_empty() => {
                    command.push(' ');
                    command.push_str(&decoded(value));
                }
                Some("V") if !command.is_empty() => {
                    command.push(' ');
                    command.push_str(&unescaped(&decoded(value)));
                }
                _ => {}
            }
        }
        commands.extend((!command.is_empty()).then_some(command));
    }
    (!commands.is_empty()).then(|| commands.join(" | "))
}

/// What a pipeline gave: the texts of its objects.
fn pipeline_output(xml: &str) -> Option<String> {
    let mut lines = Vec::new();
    for (_, text) in messages(elements(xml, "Stream").map(|(_, text)| text)).into_iter().filter(|(kind, _)| *kind == PIPELINE_OUTPUT) {
        lines.extend(elements(&text, "S").take(MAX_PIECES).map(|(_, value)| unescaped(&decoded(value))));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Characters that XML cannot hold, written `_xHHHH_` (MS-PSRP, 2.2.5.3.2).
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 2..).unwrap_or_default();
        let unit =
            after.get(..4).filter(|_| after.get(4..5) == Some("_")).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        match unit {
            Some(character) => {
                plain.push(character);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Last part of an action's URI, in small letters.
fn action(xml: &str) -> Option<(String, String)> {
    let Some(uri) = element(xml, "Action") else {
        return elements(xml, "Identify").next().map(|_| ("identify".to_owned(), String::new()));
    };
    let last = uri.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    Some((last, uri.into_owned()))
}

fn emit(cx: &mut Cx<'_>, asked: &Asked, answer: Option<&Message<'_>>) {
    let said = answer.map(|answer| readable(answer.body)).unwrap_or_default();
    let xml = asked.xml.as_str();
    let action = action(xml);
    let resource = element(xml, "ResourceURI");
    let short = resource.as_deref().map(|uri| uri.split_once("/windows/").or_else(|| uri.split_once("/1/")).map_or(uri, |(_, rest)| rest));
    let selected =
        elements(xml, "Selector").find(|(attributes, _)| attribute(attributes, "Name") == Some("ShellId")).map(|(_, text)| decoded(text.trim()));
    let shell = selected.or_else(|| element(&said, "ShellId"));
    let command_id = element(xml, "CommandId")
        .or_else(|| element(&said, "CommandId"))
        .or_else(|| elements(xml, "DesiredStream").find_map(|(attributes, _)| attribute(attributes, "CommandId")).map(Cow::Borrowed));
    let line = element(xml, "Command").filter(|_| action.as_ref().is_some_and(|(last, _)| last == "command"));
    let script = script(xml);
    let command = line.map(|line| {
        let arguments = elements(xml, "Arguments").map(|(_, text)| decoded(text.trim())).filter(|_| script.is_none());
        std::iter::once(line).chain(arguments).collect::<Vec<_>>().join(" ")
    });
    let fault = elements(&said, "Fault")
        .next()
        .map(|(_, fault)| element(fault, "Text").or_else(|| element(fault, "Message")).unwrap_or_default().into_owned());
    let (out, error) = (output(&said, "stdout"), output(&said, "stderr"));
    let number = |xml: &str, name: &str| element(xml, name).and_then(|text| text.parse::<i64>().ok());
    let encrypted = asked.encrypted || answer.is_some_and(Message::is_encrypted);
    // The row is of the answer's frame, as with other exchanges, and names the client as its sender.
    let common = answer.map_or(asked.common, |answer| Common { frame: answer.common.frame, ts: answer.common.ts, ..asked.common });
    if let Some(script) = &script {
        text::powershell_pipeline(cx.tables, &common, "psrp_pipeline", script);
    }
    if let Some(command) = &command {
        text::powershell_command(cx.tables, &common, "winrm", command);
    }
    if let Some(objects) = pipeline_output(&said) {
        let common = Common { src_ip: common.dst_ip, dst_ip: common.src_ip, src_port: common.dst_port, dst_port: common.src_port, ..common };
        text::powershell_pipeline(cx.tables, &common, "psrp_output", &objects);
    }
    cx.emit_as(
        &common,
        Winrm {
            status_code: answer.and_then(|answer| answer.status),
            uri: asked.uri.as_deref(),
            host: asked.host.as_deref(),
            user_agent: asked.user_agent.as_deref(),
            encrypted: Some(encrypted),
            transport: Some("http"),
            auth_scheme: asked.scheme.as_deref(),
            username: asked.user.as_ref().map(|(user, _)| user.as_str()),
            password: asked.user.as_ref().map(|(_, password)| password.as_str()),
            action: action.as_ref().map(|(last, _)| last.as_str()),
            action_uri: action.as_ref().map(|(_, uri)| uri.as_str()).filter(|uri| !uri.is_empty()),
            resource_uri: short,
            shell_id: shell.as_deref(),
            command_id: command_id.as_deref(),
            message_id: element(xml, "MessageID").as_deref(),
            command: command.as_deref(),
            stdout: out.as_deref(),
            stderr: error.as_deref(),
            exit_code: number(&said, "ExitCode").and_then(|code| i32::try_from(code).ok()),
            wql: element(xml, "Filter").as_deref(),
            psrp_script: script.as_deref(),
            fault: fault.as_deref(),
            max_envelope_bytes: number(xml, "MaxEnvelopeSize").and_then(|size| u32::try_from(size).ok()),
            request_bytes: Some(asked.length),
            response_bytes: answer.map(|answer| answer.length),
            ..Winrm::default()
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: &str = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:Action s:mustUnderstand="true">http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command</a:Action><w:SelectorSet><w:Selector Name="ShellId">11111111-2222</w:Selector></w:SelectorSet></s:Header><s:Body><rsp:CommandLine><rsp:Command>cmd &amp; echo</rsp:Command><rsp:Arguments>/c &lt;x&gt;</rsp:Arguments></rsp:CommandLine></s:Body></s:Envelope>"#;

    #[test]
    fn elements_by_their_local_names() {
        assert_eq!(action(COMMAND).map(|(last, _)| last).as_deref(), Some("command"));
        assert_eq!(element(COMMAND, "Command").as_deref(), Some("cmd & echo"));
        assert_eq!(
            elements(COMMAND, "Selector").map(|(attributes, text)| (attribute(attributes, "Name"), text)).collect::<Vec<_>>(),
            [(Some("ShellId"), "11111111-2222")]
        );
        assert_eq!(element("<a:B><c/></a:B", "B"), None);
        assert_eq!(element("<B/>x<B>y</B>", "B").as_deref(), Some("y"));
        assert_eq!(decoded("&#65;&#x42;&nothing;&"), "AB&nothing;&");
    }

    #[test]
    fn outputs_and_scripts() {
        let xml = format!(
            r#"<Stream Name="stdout">{}</Stream><Stream Name="stderr"></Stream><Stream Name="stdout">{}</Stream>"#,
            STANDARD.encode("ab"),
            STANDARD.encode("c")
        );
        assert_eq!(output(&xml, "stdout").as_deref(), Some("abc"));
        let mut message = vec![2, 0, 0, 0];
        message.extend(CREATE_PIPELINE.to_le_bytes());
        message.extend([0; 32]);
        message.extend(br#"<Obj><S N="Cmd">Get-Process</S><S N="N">-Name</S><S N="V">a_x000A_b</S></Obj>"#);
        // In two fragments, the second in a piece of its own.
        let fragment = |number: u64, blob: &[u8]| {
            let mut octets = 1u64.to_be_bytes().to_vec();
            octets.extend(number.to_be_bytes());
            octets.push(0);
            octets.extend((blob.len() as u32).to_be_bytes());
            octets.extend(blob);
            STANDARD.encode(octets)
        };
        let (first, second) = message.split_at(50);
        let xml = format!("<Arguments>{}</Arguments><Arguments>{}</Arguments>", fragment(0, first), fragment(1, second));
        assert_eq!(script(&xml).as_deref(), Some("Get-Process -Name a\nb"));
    }

    #[test]
    fn the_path_tells() {
        for (target, is_it) in
            [("/wsman", true), ("/wsman?PSVersion=5.1", true), ("http://h:5985/WSMAN/", true), ("/wsmanager", false), ("/x/wsman", false)]
        {
            assert_eq!(is_target(target), is_it, "{target}");
        }
        assert_eq!(basic("dXNlcjpwYXNz"), Some(("user".into(), "pass".into())));
    }
}
