//! Bodies of services (OPC UA Part 4, encoded as Part 6 says).

use std::borrow::Cow;

use super::encoding::{
    self, DataValue, Value, count, data_value, diagnostics, encoding_id, extension, localized, node_id, octets, qualified, text, variant,
};
use super::names;
use crate::wire::{Reader, Wire};

/// What a message says.
#[derive(Default, Debug)]
pub struct Said<'a> {
    pub encoding: u32,
    /// Service, and whether this is its request.
    pub service: Option<(&'static str, bool)>,
    pub auth_token: Option<String>,
    pub request_handle: Option<u32>,
    pub result: Option<u32>,
    pub session_name: Option<Cow<'a, str>>,
    pub application_uri: Option<Cow<'a, str>>,
    pub application_name: Option<Cow<'a, str>>,
    pub product_uri: Option<Cow<'a, str>>,
    pub session_id: Option<String>,
    pub identity: Option<&'static str>,
    pub username: Option<Cow<'a, str>>,
    pub password: Option<&'a [u8]>,
    pub password_encrypted: Option<bool>,
    pub nodes: Vec<String>,
    pub attributes: Vec<u32>,
    pub methods: Vec<String>,
    pub values: Vec<DataValue>,
    pub statuses: Vec<u32>,
    pub items: Option<usize>,
    pub endpoints: Vec<String>,
    pub subscription: Option<u32>,
    pub interval: Option<f64>,
    pub mode: Option<u32>,
    pub certificate: Option<&'a [u8]>,
    /// Handles that a client gives the items it monitors, or that changed values bear.
    pub handles: Vec<u32>,
    /// The body was read to its end.
    pub whole: bool,
}

impl<'a> Said<'a> {
    /// Reads a body; `None` if it does not start as one.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let encoding = encoding_id(&mut reader).ok()??;
        let service = names::service(encoding);
        let mut said = Self { encoding, service, ..Self::default() };
        if said.header(&mut reader, service.is_none_or(|(_, is_request)| is_request)).is_err() {
            // An unknown service with what cannot be a header is no service.
            return service.map(|_| said);
        }
        if let Some((name, is_request)) = service {
            said.whole = said.body(&mut reader, name, is_request).is_ok();
        }
        Some(said)
    }

    fn header(&mut self, reader: &mut Reader<'a>, is_request: bool) -> Wire<()> {
        if is_request {
            let token = node_id(reader)?;
            self.auth_token = (token != "i=0").then_some(token);
            reader.skip(8)?;
            self.request_handle = Some(reader.le_u32()?);
            reader.skip(4)?;
            octets(reader)?;
            reader.skip(4)?;
            extension(reader)?;
        } else {
            reader.skip(8)?;
            self.request_handle = Some(reader.le_u32()?);
            self.result = Some(reader.le_u32()?);
            diagnostics(reader)?;
            for _ in 0..count(reader)? {
                octets(reader)?;
            }
            extension(reader)?;
        }
        Ok(())
    }

    fn body(&mut self, reader: &mut Reader<'a>, name: &str, is_request: bool) -> Wire<()> {
        match (name, is_request) {
            ("OpenSecureChannel", true) => {
                reader.skip(8)?;
                self.mode = Some(reader.le_u32()?);
            }
            ("GetEndpoints", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for index in 0..all {
                    self.endpoint(reader, index == 0)?;
                }
            }
            ("FindServers", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for index in 0..all {
                    self.application(reader, index == 0)?;
                }
            }
            ("CreateSession", true) => {
                self.application(reader, true)?;
                octets(reader)?;
                octets(reader)?;
                self.session_name = text(reader)?;
                octets(reader)?;
                self.certificate = octets(reader)?.filter(|certificate| !certificate.is_empty());
            }
            ("CreateSession", false) => {
                self.session_id = Some(node_id(reader)?);
                self.auth_token = Some(node_id(reader)?);
                reader.skip(8)?;
                octets(reader)?;
                self.certificate = octets(reader)?.filter(|certificate| !certificate.is_empty());
                for index in 0..count(reader)? {
                    self.endpoint(reader, index == 0)?;
                }
            }
            ("ActivateSession", true) => self.activate(reader)?,
            ("ActivateSession", false) => {
                octets(reader)?;
                self.statuses = statuses(reader)?;
            }
            ("Read", true) => {
                reader.skip(12)?;
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.read_value_id(reader)?;
                }
            }
            ("Read", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    let value = data_value(reader, 0)?;
                    self.statuses.extend(value.status);
                    self.values.push(value);
                }
            }
            ("Write", true) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.nodes.push(node_id(reader)?);
                    self.attributes.push(reader.le_u32()?);
                    octets(reader)?;
                    self.values.push(data_value(reader, 0)?);
                }
            }
            (
                "Write"
                | "AddReferences"
                | "DeleteNodes"
                | "DeleteReferences"
                | "DeleteMonitoredItems"
                | "DeleteSubscriptions"
                | "SetMonitoringMode"
                | "SetPublishingMode",
                false,
            ) => {
                self.statuses = statuses(reader)?;
                self.items = Some(self.statuses.len());
            }
            ("AddNodes", true) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    node_id(reader)?;
                    node_id(reader)?;
                    let (asked, name) = (node_id(reader)?, qualified(reader)?);
                    // Without a wish the server chooses the id: the name tells more.
                    self.nodes.push(if asked == "i=0" || asked.ends_with(";i=0") { name.map_or(asked, Cow::into_owned) } else { asked });
                    reader.skip(4)?;
                    extension(reader)?;
                    node_id(reader)?;
                }
            }
            ("AddNodes", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.statuses.push(reader.le_u32()?);
                    self.nodes.push(node_id(reader)?);
                }
            }
            ("DeleteNodes", true) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.nodes.push(node_id(reader)?);
                    reader.skip(1)?;
                }
            }
            ("Call", true) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.nodes.push(node_id(reader)?);
                    self.methods.push(node_id(reader)?);
                    for _ in 0..count(reader)? {
                        self.values.push(DataValue { value: Some(variant(reader, 0)?), ..DataValue::default() });
                    }
                }
            }
            ("Call", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.statuses.push(reader.le_u32()?);
                    self.statuses.extend(statuses(reader)?);
                    for _ in 0..count(reader)? {
                        diagnostics(reader)?;
                    }
                    for _ in 0..count(reader)? {
                        self.values.push(DataValue { value: Some(variant(reader, 0)?), ..DataValue::default() });
                    }
                }
            }
            ("Browse", true) => {
                node_id(reader)?;
                reader.skip(16)?;
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.nodes.push(node_id(reader)?);
                    reader.skip(4)?;
                    node_id(reader)?;
                    reader.skip(9)?;
                }
            }
            ("Browse" | "BrowseNext", false) => self.browsed(reader)?,
            ("BrowseNext", true) => {
                reader.skip(1)?;
                self.items = Some(count(reader)?);
            }
            ("CreateSubscription", true) => {
                self.interval = Some(f64::from_le_bytes(reader.array()?));
            }
            ("CreateSubscription", false) => {
                self.subscription = Some(reader.le_u32()?);
                self.interval = Some(f64::from_le_bytes(reader.array()?));
            }
            ("CreateMonitoredItems", true) => {
                self.subscription = Some(reader.le_u32()?);
                reader.skip(4)?;
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.read_value_id(reader)?;
                    reader.skip(4)?;
                    self.handles.push(reader.le_u32()?);
                    reader.skip(8)?;
                    extension(reader)?;
                    reader.skip(5)?;
                }
            }
            ("CreateMonitoredItems", false) => {
                let all = count(reader)?;
                self.items = Some(all);
                for _ in 0..all {
                    self.statuses.push(reader.le_u32()?);
                    reader.skip(16)?;
                    extension(reader)?;
                }
            }
            ("Publish", true) => {
                let all = count(reader)?;
                self.items = Some(all);
                if all > 0 {
                    self.subscription = Some(reader.le_u32()?);
                }
            }
            ("Publish", false) => self.published(reader)?,
            ("AddReferences" | "DeleteReferences" | "HistoryUpdate", true) => self.items = Some(count(reader)?),
            _ => {}
        }
        Ok(())
    }

    fn read_value_id(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        self.nodes.push(node_id(reader)?);
        self.attributes.push(reader.le_u32()?);
        octets(reader)?;
        qualified(reader)?;
        Ok(())
    }

    fn application(&mut self, reader: &mut Reader<'a>, keep: bool) -> Wire<()> {
        let (uri, product, name) = (text(reader)?, text(reader)?, localized(reader)?);
        if keep {
            (self.application_uri, self.product_uri, self.application_name) = (uri, product, name);
        }
        reader.skip(4)?;
        octets(reader)?;
        octets(reader)?;
        for _ in 0..count(reader)? {
            octets(reader)?;
        }
        Ok(())
    }

    fn endpoint(&mut self, reader: &mut Reader<'a>, keep: bool) -> Wire<()> {
        let url = text(reader)?.unwrap_or_default();
        self.application(reader, keep)?;
        octets(reader)?;
        let mode = reader.le_u32()?;
        let policy = text(reader)?.unwrap_or_default();
        let mut tokens: Vec<&str> = Vec::new();
        for _ in 0..count(reader)? {
            octets(reader)?;
            let token = names::token(reader.le_u32()?);
            if !tokens.contains(&token) {
                tokens.push(token);
            }
            octets(reader)?;
            octets(reader)?;
            octets(reader)?;
        }
        octets(reader)?;
        reader.skip(1)?;
        let mode = names::mode(mode).unwrap_or("invalid");
        self.endpoints.push(format!("{url} {mode} {} {}", names::policy(&policy), tokens.join(",")));
        Ok(())
    }

    fn activate(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        octets(reader)?;
        octets(reader)?;
        for _ in 0..count(reader)? {
            octets(reader)?;
            octets(reader)?;
        }
        for _ in 0..count(reader)? {
            octets(reader)?;
        }
        let (kind, body) = extension(reader)?;
        let mut token = Reader::new(body);
        self.identity = match kind {
            // No token at all means an anonymous one (Part 4, section 5.6.3).
            Some(0 | names::ANONYMOUS) => Some("anonymous"),
            Some(names::USER_NAME) => Some("username"),
            Some(names::X509) => Some("x509"),
            Some(names::ISSUED) => Some("issued_token"),
            _ => None,
        };
        if kind == Some(names::USER_NAME) {
            octets(&mut token)?;
            self.username = text(&mut token)?;
            self.password = octets(&mut token)?;
            self.password_encrypted = Some(octets(&mut token)?.is_some_and(|algorithm| !algorithm.is_empty()));
        }
        Ok(())
    }

    fn browsed(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        let mut references = 0;
        for _ in 0..count(reader)? {
            self.statuses.push(reader.le_u32()?);
            octets(reader)?;
            for _ in 0..count(reader)? {
                node_id(reader)?;
                reader.skip(1)?;
                self.nodes.push(node_id(reader)?);
                qualified(reader)?;
                localized(reader)?;
                reader.skip(4)?;
                node_id(reader)?;
                references += 1;
            }
        }
        self.items = Some(references);
        Ok(())
    }

    fn published(&mut self, reader: &mut Reader<'a>) -> Wire<()> {
        self.subscription = Some(reader.le_u32()?);
        let available = count(reader)?;
        reader.skip(available * 4)?;
        reader.skip(1 + 4 + 8)?;
        let mut changed = 0;
        for _ in 0..count(reader)? {
            let (kind, body) = extension(reader)?;
            if kind != Some(names::DATA_CHANGE) {
                continue;
            }
            let mut body = Reader::new(body);
            for _ in 0..count(&mut body)? {
                self.handles.push(body.le_u32()?);
                let value = data_value(&mut body, 0)?;
                self.values.push(value);
                changed += 1;
            }
        }
        self.items = Some(changed);
        self.statuses = statuses(reader)?;
        Ok(())
    }
}

fn statuses(reader: &mut Reader<'_>) -> Wire<Vec<u32>> {
    (0..encoding::count(reader)?).map(|_| reader.le_u32()).collect()
}

/// Text of values, `-` where there is none.
pub fn shown(values: &[DataValue]) -> Vec<Cow<'_, str>> {
    let text = |value: &Option<Value>| value.as_ref().map(|value| value.text.clone());
    values.iter().take(256).map(|value| text(&value.value).unwrap_or_else(|| "-".to_owned()).into()).collect()
}
