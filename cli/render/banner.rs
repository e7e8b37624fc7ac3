//! Name, version and the quote of the day.

use std::io::{IsTerminal as _, Write as _};

use super::{escape, terminal};

/// Sayings of the trade; our own.
const QUOTES: [&str; 16] = [
    "The wire does not argue.",
    "A packet is a fact; everything above it is an interpretation.",
    "Absence of a frame is not evidence of silence.",
    "First hash it, then open it.",
    "Every port is only a suggestion.",
    "The second capture point tells what the first one missed.",
    "A baseline is worth a thousand alerts.",
    "Name the frame, or it did not happen.",
    "Time stamps agree only where clocks do.",
    "The quietest host on the plant floor deserves a look.",
    "Encryption hides the words, not the conversation.",
    "Beacons are patient; so are analysts.",
    "Read the handshake before the payload.",
    "A write to a PLC is a question to somebody.",
    "What the tool left out should be in the report.",
    "Follow the bytes, not the theory.",
];
/// Days from the year 1 to 1970, the first day being 1.
const DAYS_TO_1970: i128 = 719_163;

/// The banner, between rules.
pub fn text() -> String {
    let mut text = String::new();
    terminal::rule('=', &mut text);
    text.push_str(&format!("pcapper {}\nQuote of the Day: \"{}\"\n", env!("CARGO_PKG_VERSION"), quote()));
    terminal::rule('=', &mut text);
    text
}

/// Shows the banner on stderr where a person looks on, or asked for a quote.
pub fn greet() {
    let asked = ["PCAPPER_QUOTE", "PCAPPER_QUOTE_SEED"].iter().any(|name| std::env::var_os(name).is_some());
    let mut stderr = std::io::stderr();
    if asked || stderr.is_terminal() {
        // Nobody is harmed where it cannot be shown.
        let _ = stderr.write_all(text().as_bytes());
    }
}

fn quote() -> String {
    if let Some(own) = std::env::var_os("PCAPPER_QUOTE") {
        return escape::text(own.to_string_lossy().lines().next().unwrap_or_default());
    }
    let seed = std::env::var("PCAPPER_QUOTE_SEED").map_or_else(|_| today(), |seed| number(&seed));
    let at = usize::try_from(seed.rem_euclid(QUOTES.len() as i128)).unwrap_or_default();
    QUOTES.get(at).copied().unwrap_or_default().to_owned()
}

/// A seed as a number: an integer, or the sum of the text's code points.
fn number(seed: &str) -> i128 {
    seed.trim().parse().unwrap_or_else(|_| seed.chars().map(|letter| i128::from(u32::from(letter))).sum())
}

/// The day in UTC, counted from the year 1.
fn today() -> i128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i128::from(now / 86_400) + DAYS_TO_1970
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn seeds_are_numbers_or_texts() {
        assert_eq!((number("42"), number("-3"), number("ab")), (42, -3, 195));
    }
}
