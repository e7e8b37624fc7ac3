//! `dga_score(name)`: how much the registered label of a name looks made by a machine, 0 to 1.
//!
//! Letters follow one another in words as in others: each pair of a label costs the bits that it tells against the pairs of
//! English words (the table below, made from the words of free documentation); digits inside cost as much as rare pairs. Short
//! labels tell little, and are held down. A hint to sort by, not a verdict: product names and abbreviations score as well.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::{FunctionDoc, Kind, of_text};

pub const DOC: FunctionDoc = FunctionDoc {
    name: "dga_score",
    kind: Kind::Scalar,
    signature: "dga_score(name utf8) -> f64",
    meaning: "How much a domain name looks generated, 0 to 1, by the pairs of letters in its registered label; null for no name. A hint to sort by.",
    example: "dga_score('wikipedia.org') < 0.2 AND dga_score('xjwqzkfhdplm.com') > 0.8",
    gives: "true",
};

/// Cost of a letter after another, in steps of 1/2.2 bit from `a`: a row for the start of a word and for each letter, a column
/// for each letter and for the end.
const COSTS: [&[u8; 27]; 27] = [
    b"jkijkklmjookjllirjhjmnmrsrz",
    b"skiksqlslwohkhzkwhignoqpotl",
    b"homohrqtimugpqipwjjohtzxlsi",
    b"humqhqshkyjjptfqukmhlsuypwj",
    b"jqpmfppsgssmqpkqullolqswqze",
    b"lqkimnotpxsklhqmqghjsopkpvg",
    b"jsqniiqvfxwjppgsujlljzutnzh",
    b"ksorfrnkjzylokkqzikolsuwttd",
    b"fssqfrtuhztnnohrxlojmwstnzg",
    b"lljlkmlyvwrjkeimvliiumzpymm",
    b"gqlmgnsrjqpytrgltrjrhomyqyi",
    b"jqpnepnqhrrkqmlptpinlunwpwf",
    b"hsqmfqrvgvrirqipzsllmqxwjvh",
    b"fmqofsuxhzsmlqihvslpltuuqzi",
    b"jsjiimgsktoosnkqwsignouwqvg",
    b"omkkrnntnsnjjfmkxgkkjmlqtuk",
    b"gtoogrrlkxqisrikwgmjlvswmzi",
    b"orspsoyyyyyinopyyolpcnsytrg",
    b"hrmmfqnuhzoolmipyljknptzmzg",
    b"mvlrhqsliypnpqllrrjgktswowe",
    b"isnqfpujgzvnprjoziklmsrvltg",
    b"lkkmjnmxkwtijgojzhhhtvwswtn",
    b"fsoscrrxgzuuprkvzqqpszyuuuj",
    b"gttnhpsjgzpmsjiqtikouuqwrzh",
    b"lpjpfpsojzznmqphsqngquumnwf",
    b"mqnqmqotmtxlmkmhxnjkrppxrsc",
    b"iozzdstqgzrolskrrpnpouttomi",
];
const STEPS_A_BIT: f64 = 2.2;
/// Cost of a digit, in steps.
const DIGIT: u8 = 13;
/// Mean bits a pair at which a label is a word, and at which it is noise.
const WORD: f64 = 4.6;
const NOISE: f64 = 7.0;
/// Letters from which on a label tells all it can.
const LONG: f64 = 10.0;

/// The function.
pub fn function() -> ScalarUDF {
    of_text(DOC.name, DataType::Float64, score)
}

fn score(name: &str) -> Option<f64> {
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    let registered = psl::domain_str(&lower).unwrap_or(&lower);
    let label = registered.split('.').next().unwrap_or_default();
    if label.is_empty() {
        return None;
    }
    // Names in other scripts are spelled in ASCII by rule, which looks like noise.
    if label.starts_with("xn--") {
        return Some(0.0);
    }
    let (mut before, mut steps, mut pairs) = (0, 0u32, 0u32);
    for octet in label.bytes() {
        match octet {
            b'a'..=b'z' => {
                let letter = usize::from(octet - b'a');
                steps += u32::from(cost(before, letter));
                pairs += 1;
                before = letter + 1;
            }
            b'0'..=b'9' => {
                steps += u32::from(DIGIT);
                pairs += 1;
                before = 0;
            }
            _ => before = 0,
        }
    }
    if before > 0 {
        steps += u32::from(cost(before, 26));
        pairs += 1;
    }
    let bits = f64::from(steps) / STEPS_A_BIT / f64::from(pairs.max(1));
    let weight = (label.len() as f64 / LONG).min(1.0);
    Some(((bits - WORD) / (NOISE - WORD)).clamp(0.0, 1.0) * weight)
}

fn cost(before: usize, letter: usize) -> u8 {
    COSTS.get(before).and_then(|row| row.get(letter)).map_or(DIGIT, |code| code.saturating_sub(b'a'))
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn words_and_noise() {
        for name in ["www.google.com", "wikipedia.org", "windowsupdate.com", "a.b.githubusercontent.com", "tagesschau.de", "bbc.co.uk"] {
            assert!(score(name).unwrap() < 0.3, "{name} {:?}", score(name));
        }
        for name in ["xjwqzkfhdplm.com", "ngxwtvqmbqeu.biz", "kq3v9z7xw1.info", "pcrddhjmwltgk.ru"] {
            assert!(score(name).unwrap() > 0.7, "{name} {:?}", score(name));
        }
        assert_eq!(score("xn--bcher-kva.example"), Some(0.0));
        assert_eq!(score(""), None);
    }
}
