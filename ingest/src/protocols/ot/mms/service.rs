//! Services: what requests and answers say (ISO 9506-2 sections 8 to 20, annexes for files).

use super::data::{self, Control, Name, Report};
use super::names;
use super::stack::{Element, Elements};

/// Longest list of names or values kept of one PDU.
const MAX_LISTED: usize = 2048;

/// What a service says, either way.
#[derive(Clone, Default, Debug)]
pub struct Said<'a> {
    pub names: Vec<Name>,
    pub values: Vec<String>,
    pub access_errors: Vec<&'static str>,
    pub control: Control,
    pub report: Report,
    pub object_class: Option<&'static str>,
    pub listed: Vec<String>,
    pub more_follows: Option<bool>,
    pub vendor: Option<String>,
    pub model: Option<String>,
    pub revision: Option<String>,
    pub file_name: Option<String>,
    pub file_size: Option<u32>,
    pub file_handle: Option<u32>,
    pub content: Option<&'a [u8]>,
    pub logical: Option<&'static str>,
    pub physical: Option<&'static str>,
    /// Items written without error.
    pub successes: usize,
}

/// Reads a confirmed request.
pub fn request<'a>(service: &Element<'a>) -> Said<'a> {
    let mut said = Said::default();
    match service.number {
        1 => {
            for part in service.inside() {
                match part.number {
                    0 => said.object_class = part.inside().next().and_then(|class| class.number32()).and_then(names::object_class),
                    1 => {
                        said.names = part
                            .inside()
                            .filter(|scope| scope.number == 1)
                            .map(|scope| Name { domain: Some(scope.text()), item: String::new() })
                            .collect();
                    }
                    _ => {}
                }
            }
        }
        4 => {
            if let Some(specification) = service.inside().find(|part| part.is_context(1)).and_then(|part| part.inside().next()) {
                said.names = access(&specification);
            }
        }
        5 => {
            let mut parts = service.inside();
            said.names = parts.next().map(|specification| access(&specification)).unwrap_or_default();
            if let Some(list) = parts.next() {
                said.values = list.inside().take(MAX_LISTED).map(|value| data::text(&value)).collect();
                said.control = list
                    .inside()
                    .next()
                    .filter(|_| said.names.first().is_some_and(|name| name.control(true).is_some()))
                    .map(|value| data::control(&value))
                    .unwrap_or_default();
            }
        }
        6 => {
            said.names =
                service.inside().next().filter(|part| part.is_context(0)).and_then(|part| Name::read(&part.inside().next()?)).into_iter().collect()
        }
        11 => {
            let mut parts = service.inside();
            said.names = parts.next().and_then(|name| Name::read(&name)).into_iter().collect();
            said.listed = parts.next().map(|list| data::variables(&list)).unwrap_or_default().iter().map(Name::whole).take(MAX_LISTED).collect();
        }
        12 => said.names = Elements::new(service.content).next().and_then(|name| Name::read(&name)).into_iter().collect(),
        13 => {
            if let Some(list) = service.inside().find(|part| part.is_context(1)) {
                said.names = list.inside().filter_map(|name| Name::read(&name)).take(MAX_LISTED).collect();
            }
        }
        // Domains and program invocations: named by the first part, or by the whole.
        26..=45 => {
            let text = if service.lead & 0x20 == 0 {
                Some(service.text())
            } else {
                service.inside().find(|part| matches!(part.number, 0 | 26)).map(|part| part.text())
            };
            said.names = text.filter(|text| !text.is_empty()).map(|item| Name { domain: None, item }).into_iter().collect();
        }
        46 => said.file_name = service.inside().find(|part| part.is_context(1)).map(|part| path(part.inside())),
        72 | 77 => said.file_name = service.inside().find(|part| part.is_context(0)).map(|part| path(part.inside())),
        75 => said.file_name = service.inside().next().map(|part| path(part.inside())),
        73 | 74 => said.file_handle = service.number32(),
        76 => said.file_name = Some(path(service.inside())),
        _ => {}
    }
    said
}

/// Reads a confirmed answer.
pub fn answer<'a>(service: &Element<'a>) -> Said<'a> {
    let mut said = Said::default();
    let part = |number: u32| service.inside().find(|part| part.is_context(number));
    let text = |number: u32| part(number).map(|part| part.text());
    match service.number {
        0 => {
            said.logical = part(0).and_then(|part| part.number32()).and_then(names::logical_status);
            said.physical = part(1).and_then(|part| part.number32()).and_then(names::physical_status);
        }
        1 => {
            said.listed = part(0).map(|list| list.inside().take(MAX_LISTED).map(|name| name.text()).collect()).unwrap_or_default();
            said.more_follows = Some(part(1).is_none_or(|more| more.content.first().is_none_or(|octet| *octet != 0)));
        }
        2 => (said.vendor, said.model, said.revision) = (text(0), text(1), text(2)),
        4 => {
            if let Some(specification) = part(0).and_then(|part| part.inside().next()) {
                said.names = access(&specification);
            }
            if let Some(list) = part(1) {
                results(list.inside(), &mut said);
            }
        }
        5 => {
            for result in service.inside() {
                match result.number {
                    0 => said.access_errors.push(result.number32().and_then(names::access_error).unwrap_or("unknown")),
                    _ => said.successes += 1,
                }
            }
        }
        12 => {
            if let Some(list) = part(1) {
                said.listed = data::variables(&list).iter().map(Name::whole).take(MAX_LISTED).collect();
            }
        }
        72 => {
            said.file_handle = part(0).and_then(|part| part.number32());
            said.file_size = part(1).and_then(|attributes| attributes.inside().find(|part| part.is_context(0))).and_then(|size| size.number32());
        }
        73 => {
            said.content = part(0).map(|part| part.content);
            said.more_follows = Some(part(1).is_none_or(|more| more.content.first().is_none_or(|octet| *octet != 0)));
        }
        77 => {
            let entries = part(0).map(|list| list.inside());
            said.listed =
                entries
                    .into_iter()
                    .flatten()
                    .take(MAX_LISTED)
                    // Some stacks put one more sequence around the list.
                    .flat_map(|entry| {
                        if entry.inside().next().is_some_and(|part| part.lead == 0x20) { entry.inside().collect::<Vec<_>>() } else { vec![entry] }
                    })
                    .filter_map(|entry| entry.inside().find(|part| part.is_context(0)).map(|name| path(name.inside())))
                    .collect();
            said.more_follows = part(1).map(|more| more.content.first().is_some_and(|octet| *octet != 0));
        }
        _ => {}
    }
    said
}

/// Reads an information report.
pub fn report<'a>(service: &Element<'a>) -> Said<'a> {
    let mut said = Said::default();
    let mut parts = service.inside();
    if let Some(specification) = parts.next() {
        said.names = access(&specification);
    }
    if let Some(list) = parts.next() {
        results(list.inside(), &mut said);
        if said.names.first().is_some_and(|name| name.domain.is_none() && name.item == "RPT") {
            said.report = data::report(list.inside());
        }
    }
    said
}

/// Variables, or the name of a list of them.
fn access(specification: &Element<'_>) -> Vec<Name> {
    match specification.number {
        0 => data::variables(specification),
        1 => specification.inside().next().and_then(|name| Name::read(&name)).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Results of access: an error, or a value.
fn results(list: Elements<'_>, said: &mut Said<'_>) {
    for result in list.take(MAX_LISTED) {
        if result.lead == 0x80 && result.number == 0 {
            said.access_errors.push(result.number32().and_then(names::access_error).unwrap_or("unknown"));
        } else {
            said.values.push(data::text(&result));
        }
    }
}

/// A file name: its parts in a row.
fn path(parts: Elements<'_>) -> String {
    parts.map(|part| part.text()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Element<'_> {
        Elements::new(bytes).next().unwrap()
    }

    #[test]
    fn reads_name_their_variables() {
        let read = [0xa4, 17, 0xa1, 15, 0xa0, 13, 0x30, 11, 0xa0, 9, 0xa1, 7, 0x1a, 2, b'L', b'D', 0x1a, 1, b'x'];
        assert_eq!(request(&parse(&read)).names, [Name { domain: Some("LD".into()), item: "x".into() }]);
        let got = answer(&parse(&[0xa4, 8, 0xa1, 6, 0x85, 1, 7, 0x80, 1, 3]));
        assert_eq!((got.values, got.access_errors), (vec!["7".to_owned()], vec!["object_access_denied"]));
    }

    #[test]
    fn writes_are_answered_one_by_one() {
        let got = answer(&parse(&[0xa5, 5, 0x81, 0, 0x80, 1, 3]));
        assert_eq!((got.successes, got.access_errors), (1, vec!["object_access_denied"]));
    }

    #[test]
    fn reports_say_what_they_hold() {
        let report =
            [0xa0, 27, 0xa1, 5, 0x80, 3, b'R', b'P', b'T', 0xa0, 18, 0x8a, 1, b'r', 0x84, 3, 6, 0x48, 0, 0x86, 1, 9, 0x8a, 2, b'd', b's', 0x83, 1, 1];
        let said = super::report(&parse(&report));
        assert_eq!(said.report, Report { id: Some("r".into()), sequence: Some(9), dataset: Some("ds".into()) });
    }
}
