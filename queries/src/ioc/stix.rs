//! STIX 2.1 bundles: their indicators' patterns (OASIS STIX 2.1, section 9).
//!
//! A pattern that is a choice of single facts becomes indicators of their own. One that wants several facts together (AND), or
//! one after the other (FOLLOWEDBY), is kept as a [`Pattern`] and looked for among all that one host did.

use serde_json::Value;

use super::json::texts;
use super::pattern::{Atom, Pattern};
use super::{Indicator, Loaded, kind, time};

/// Alternatives that one pattern may have when written out.
const MOST_ALTERNATIVES: usize = 512;
/// Brackets within brackets.
const DEEPEST: usize = 32;

/// Whether a document is a bundle.
pub fn is_bundle(document: &Value) -> bool {
    document.get("type").and_then(Value::as_str) == Some("bundle")
}

/// Reads a bundle.
pub fn read(name: &str, bundle: &Value, loaded: &mut Loaded) -> Result<(), String> {
    let objects = bundle.get("objects").and_then(Value::as_array).ok_or("a STIX bundle without \"objects\"")?;
    for (at, object) in objects.iter().enumerate() {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        if text("type") != Some("indicator") {
            continue;
        }
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if text("pattern_type").is_some_and(|kind| kind != "stix") || object.get("revoked").and_then(Value::as_bool) == Some(true) {
            loaded.ignored += 1;
            continue;
        }
        let Some(pattern) = text("pattern") else {
            loaded.rejected.push(format!("{name}:{line}: an indicator without a pattern"));
            continue;
        };
        let phases = object.get("kill_chain_phases").and_then(Value::as_array).into_iter().flatten();
        let mut tags: Vec<String> = object.get("labels").or_else(|| object.get("indicator_types")).map(texts).unwrap_or_default();
        tags.extend(phases.filter_map(|phase| phase.get("phase_name")?.as_str()).map(str::to_owned));
        let references = object.get("external_references").and_then(Value::as_array).into_iter().flatten();
        let techniques = references
            .filter(|reference| reference.get("source_name").and_then(Value::as_str).is_some_and(|source| source.starts_with("mitre")))
            .filter_map(|reference| reference.get("external_id")?.as_str())
            .map(str::to_owned)
            .collect();
        let rest = Indicator {
            line,
            confidence: object.get("confidence").and_then(Value::as_f64).filter(|confidence| (0.0..=100.0).contains(confidence)),
            feed: Some(text("name").unwrap_or(name).to_owned()),
            tags,
            techniques,
            description: text("description").map(str::to_owned),
            valid_from: text("valid_from").and_then(time),
            valid_until: text("valid_until").and_then(time),
            ..Indicator::default()
        };
        match parsed(pattern) {
            Ok(alternatives) => take(name, text("id").unwrap_or_default(), pattern, alternatives, &rest, loaded),
            Err(reason) => loaded.rejected.push(format!("{name}:{line}: {reason}")),
        }
    }
    Ok(())
}

/// What a pattern wants: any of these, each a sequence of steps, each of facts that must all be there.
type Alternatives = Vec<Vec<Vec<Fact>>>;

#[derive(Clone, Debug)]
struct Fact {
    /// `None`: something that no capture shows.
    kind: Option<&'static str>,
    value: String,
}

fn take(name: &str, id: &str, pattern: &str, alternatives: Alternatives, rest: &Indicator, loaded: &mut Loaded) {
    // What no capture shows cannot be found: only alternatives of visible facts are left.
    let visible: Vec<_> = alternatives.into_iter().filter(|steps| steps.iter().flatten().all(|fact| fact.kind.is_some())).collect();
    if visible.is_empty() {
        loaded.ignored += 1;
        return;
    }
    let (alone, together): (Vec<_>, Vec<_>) = visible.into_iter().partition(|steps| steps.len() == 1 && steps[0].len() == 1);
    for fact in alone.into_iter().flatten().flatten() {
        loaded.add(name, fact.kind, &fact.value, rest.clone());
    }
    if together.is_empty() {
        return;
    }
    let id = if id.is_empty() { format!("{name}:{}", rest.line) } else { id.to_owned() };
    let before = loaded.rejected.len();
    let mut written = Vec::new();
    for steps in together {
        let steps: Vec<Vec<Atom>> = steps
            .into_iter()
            .map(|facts| {
                let atom = |fact: Fact| match kind::read(fact.kind, &fact.value) {
                    kind::Reading::Known(kind, value) => Some(Atom { kind: kind.name(), value }),
                    kind::Reading::Ignored | kind::Reading::Unreadable(_) => {
                        loaded.rejected.push(format!("{name}:{}: \"{}\" in the pattern is unreadable", rest.line, fact.value.escape_debug()));
                        None
                    }
                };
                facts.into_iter().filter_map(atom).collect()
            })
            .collect();
        written.push(steps);
    }
    if loaded.rejected.len() > before {
        return;
    }
    for atom in written.iter().flatten().flatten() {
        loaded.add(name, Some(atom.kind), &atom.value, Indicator { pattern: Some(id.clone()), ..rest.clone() });
    }
    loaded.patterns.push(Pattern { id, text: pattern.to_owned(), entry: rest.clone(), alternatives: written });
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    /// Brackets, operators, separators.
    Sign(char),
    /// A keyword or a path.
    Word(String),
    /// A literal in quotes.
    Text(String),
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => drop(chars.next()),
            '\'' => {
                chars.next();
                tokens.push(Token::Text(quoted(&mut chars)?));
            }
            '[' | ']' | '(' | ')' | ',' | '=' | '<' | '>' | '!' => {
                chars.next();
                tokens.push(Token::Sign(c));
            }
            _ => {
                let mut word = String::new();
                // The key of a path may be quoted: file:hashes.'SHA-256'.
                while let Some(&c) = chars.peek() {
                    if c == '\'' && word.contains(':') {
                        chars.next();
                        word.push_str(&quoted(&mut chars)?);
                    } else if c.is_alphanumeric() || "-_:.*{}".contains(c) {
                        word.push(c);
                        chars.next();
                    } else if c == '[' && word.contains(':') {
                        // An element of a list: the place does not matter.
                        for c in chars.by_ref() {
                            if c == ']' {
                                break;
                            }
                        }
                    } else {
                        break;
                    }
                }
                if word.is_empty() {
                    return Err(format!("unexpected {c:?} in the pattern"));
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '\'' => return Ok(text),
            c => text.push(c),
        }
    }
    Err("a quotation without end in the pattern".to_owned())
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

fn parsed(pattern: &str) -> Result<Alternatives, String> {
    let mut parser = Parser { tokens: tokens(pattern)?.into_iter().peekable(), depth: 0 };
    let alternatives = parser.sequence()?;
    match parser.tokens.next() {
        None => Ok(alternatives),
        Some(Token::Word(word)) if ["WITHIN", "REPEATS", "START", "STOP"].contains(&word.to_uppercase().as_str()) => {
            Err(format!("patterns with {word} are not understood"))
        }
        Some(rest) => Err(format!("the pattern goes on after its end: {rest:?}")),
    }
}

impl Parser {
    fn word(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))).is_some()
    }

    fn sign(&mut self, wanted: char) -> bool {
        self.tokens.next_if_eq(&Token::Sign(wanted)).is_some()
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(format!("more than {DEEPEST} brackets within each other in the pattern")) } else { Ok(()) }
    }

    /// Observations: FOLLOWEDBY binds least, then OR, then AND (STIX 2.1, 9.5).
    fn sequence(&mut self) -> Result<Alternatives, String> {
        let mut all = self.any_observation()?;
        while self.word("FOLLOWEDBY") {
            let next = self.any_observation()?;
            all = crossed(&all, &next, |a, b| Ok([a, b].concat()))?;
        }
        Ok(all)
    }

    fn any_observation(&mut self) -> Result<Alternatives, String> {
        let mut all = self.all_observations()?;
        while self.word("OR") {
            all.extend(self.all_observations()?);
        }
        Ok(all)
    }

    fn all_observations(&mut self) -> Result<Alternatives, String> {
        let mut all = self.observation()?;
        while self.word("AND") {
            let next = self.observation()?;
            all = crossed(&all, &next, together)?;
        }
        Ok(all)
    }

    fn observation(&mut self) -> Result<Alternatives, String> {
        self.deeper()?;
        let found = if self.sign('(') {
            let inner = self.sequence()?;
            self.closed(')')?;
            inner
        } else if self.sign('[') {
            let inner = self.any_comparison()?;
            self.closed(']')?;
            inner
        } else {
            return Err("an observation in [ ] is missing in the pattern".to_owned());
        };
        self.depth -= 1;
        Ok(found)
    }

    fn closed(&mut self, bracket: char) -> Result<(), String> {
        if self.sign(bracket) { Ok(()) } else { Err(format!("{bracket} is missing in the pattern")) }
    }

    fn any_comparison(&mut self) -> Result<Alternatives, String> {
        let mut all = self.all_comparisons()?;
        while self.word("OR") {
            all.extend(self.all_comparisons()?);
        }
        Ok(all)
    }

    fn all_comparisons(&mut self) -> Result<Alternatives, String> {
        let mut all = self.comparison()?;
        while self.word("AND") {
            let next = self.comparison()?;
            all = crossed(&all, &next, together)?;
        }
        Ok(all)
    }

    fn comparison(&mut self) -> Result<Alternatives, String> {
        if self.sign('(') {
            self.deeper()?;
            let inner = self.any_comparison()?;
            self.depth -= 1;
            self.closed(')')?;
            return Ok(inner);
        }
        let Some(Token::Word(path)) = self.tokens.next() else { return Err("an object path is missing in the pattern".to_owned()) };
        if self.word("NOT") || self.sign('!') {
            return Err(format!("{path}: what must not be there cannot be looked for"));
        }
        let one = |value: String| vec![vec![vec![Fact { kind: kind_of(&path), value }]]];
        if self.sign('=') {
            return Ok(one(self.literal()?));
        }
        if self.word("IN") {
            if !self.sign('(') {
                return Err("a list in ( ) is missing after IN in the pattern".to_owned());
            }
            let mut all = one(self.literal()?);
            while self.sign(',') {
                all.extend(one(self.literal()?));
            }
            self.closed(')')?;
            return Ok(all);
        }
        if self.word("LIKE") {
            let literal = self.literal()?;
            // A name with anything before its first dot is the name with all below it; other wildcards have no column to ask.
            let plain = literal.strip_prefix("%.").unwrap_or(&literal);
            if plain.contains(['%', '_']) && kind_of(&path).is_some() {
                return Err(format!("{path} LIKE '{literal}': only a leading %. is understood"));
            }
            return Ok(one(plain.to_owned()));
        }
        if self.word("ISSUBSET") {
            return Ok(one(self.literal()?));
        }
        Err(format!("{path}: only =, IN, LIKE and ISSUBSET are understood"))
    }

    fn literal(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Text(text) | Token::Word(text)) => Ok(text),
            _ => Err("a value is missing in the pattern".to_owned()),
        }
    }
}

/// Every alternative of one side with every alternative of the other.
fn crossed(
    a: &Alternatives,
    b: &Alternatives,
    join: impl Fn(&[Vec<Fact>], &[Vec<Fact>]) -> Result<Vec<Vec<Fact>>, String>,
) -> Result<Alternatives, String> {
    if a.len().saturating_mul(b.len()) > MOST_ALTERNATIVES {
        return Err(format!("a pattern of more than {MOST_ALTERNATIVES} alternatives"));
    }
    a.iter().flat_map(|a| b.iter().map(|b| join(a, b))).collect()
}

/// Facts that must all be there, in whatever order.
fn together(a: &[Vec<Fact>], b: &[Vec<Fact>]) -> Result<Vec<Vec<Fact>>, String> {
    match (a, b) {
        ([a], [b]) => Ok(vec![[a.as_slice(), b.as_slice()].concat()]),
        _ => Err("FOLLOWEDBY inside AND is not understood".to_owned()),
    }
}

/// The kind of fact behind an object path.
fn kind_of(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let (object, property) = path.split_once(':')?;
    match object {
        "ipv4-addr" | "ipv6-addr" => Some("ip"),
        "domain-name" => Some("domain"),
        "url" => Some("url"),
        "email-addr" => Some("email"),
        "mac-addr" => Some("mac"),
        "email-message" if property.ends_with("ref.value") || property.ends_with("refs.value") => Some("email"),
        "network-traffic" if property.ends_with("_ref.value") => Some("ip"),
        "network-traffic" if property.ends_with("user-agent") => Some("user_agent"),
        "file" if property.starts_with("hashes.") => Some("hash"),
        "file" if property == "name" => Some("filename"),
        "x509-certificate" if property.ends_with("sha-1") => Some("cert_sha1"),
        "x509-certificate" if property.ends_with("sha-256") => Some("cert_sha256"),
        _ => None,
    }
}
