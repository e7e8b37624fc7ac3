//! Tables that fit the terminal: who looks at a screen sees each row on one line. Exports, pipes and `-v` have everything.

use unicode_width::UnicodeWidthStr as _;

use super::terminal::cut;
use super::value::NULL;

/// A text that is cut keeps at least so many columns.
const LEAST: usize = 22;
/// A hash keeps this much: enough to tell it from others, and to search for.
const LEAST_OF_HASH: usize = 17;
/// Columns that always stay.
const STAY: usize = 3;

/// What a column holds, as far as making room is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Time,
    /// A frame: where the evidence is.
    Frame,
    Number,
}

/// How a table was made to fit.
pub struct Fitted {
    /// Places of the columns that stayed.
    pub kept: Vec<usize>,
    /// Heads of columns that had to go, for want of room rather than of values.
    pub left_out: Vec<String>,
}

struct Column {
    /// Place among the columns given.
    at: usize,
    head: String,
    kind: Kind,
    cells: Vec<String>,
    wide: usize,
    can_cut: bool,
    /// Holds nothing but hashes.
    is_hash: bool,
}

impl Column {
    /// Width it can be made to have.
    fn least(&self) -> usize {
        if self.can_cut { self.wide.min(if self.is_hash { LEAST_OF_HASH } else { LEAST }.max(self.head.width())) } else { self.wide }
    }
}

/// Makes room in a table until it is at most `width` wide: columns without a value go first, then texts are cut, then go the later
/// times and the last columns.
pub fn fit(header: &mut Vec<String>, rows: &mut [Vec<String>], kinds: &[Kind], width: usize) -> Fitted {
    let mut columns: Vec<Column> = header
        .iter()
        .enumerate()
        .map(|(at, head)| {
            let cells: Vec<String> = rows.iter_mut().map(|row| row.get_mut(at).map(std::mem::take).unwrap_or_default()).collect();
            let wide = cells.iter().map(|cell| cell.width()).chain([head.width()]).max().unwrap_or(0);
            let kind = kinds.get(at).copied().unwrap_or(Kind::Text);
            let can_cut = kind == Kind::Text && !cells.iter().all(|cell| is_address(cell));
            let is_hash = cells.iter().all(|cell| is_hash(cell));
            Column { at, head: head.clone(), kind, cells, wide, can_cut, is_hash }
        })
        .collect();
    let mut left_out = Vec::new();
    let gaps = |columns: &[Column]| 2 * columns.len().saturating_sub(1);
    if columns.iter().map(|column| column.wide).sum::<usize>() + gaps(&columns) > width {
        columns.retain(|column| column.cells.iter().any(|cell| cell != NULL));
    }
    while columns.len() > STAY && columns.iter().map(Column::least).sum::<usize>() + gaps(&columns) > width {
        let times = columns.iter().filter(|column| column.kind == Kind::Time).count();
        let later = columns.iter().rposition(|column| column.kind == Kind::Time).filter(|_| times > 1);
        let last = columns.iter().rposition(|column| column.kind != Kind::Frame);
        let Some(goes) = later.or(last) else { break };
        left_out.push(columns.remove(goes).head);
    }
    // The widest texts give way until all fits.
    while columns.iter().map(|column| column.wide).sum::<usize>() + gaps(&columns) > width {
        let widest = columns.iter_mut().filter(|column| column.wide > column.least()).max_by_key(|column| column.wide);
        let Some(column) = widest else { break };
        column.wide -= 1;
    }
    *header = columns.iter().map(|column| column.head.clone()).collect();
    for (at, row) in rows.iter_mut().enumerate() {
        *row = columns.iter().map(|column| cut(column.cells.get(at).map(String::as_str).unwrap_or_default(), column.wide)).collect();
    }
    left_out.reverse();
    Fitted { kept: columns.iter().map(|column| column.at).collect(), left_out }
}

/// IP and MAC addresses, with ports: half of one is of no use.
fn is_address(cell: &str) -> bool {
    cell == NULL || (cell.contains(['.', ':']) && cell.bytes().all(|letter| letter.is_ascii_hexdigit() || b".:[]/%".contains(&letter)))
}

/// MD5 and longer, in hex.
fn is_hash(cell: &str) -> bool {
    cell == NULL || (cell.len() >= 32 && cell.bytes().all(|letter| letter.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&str]) -> (Vec<String>, Vec<Vec<String>>) {
        let heads = (0..cells.len()).map(|at| format!("H{at}")).collect();
        (heads, vec![cells.iter().map(|cell| (*cell).to_owned()).collect()])
    }

    #[test]
    fn what_fits_stays() {
        let (mut header, mut rows) = table(&["10.0.0.1", "-", "text"]);
        assert_eq!(fit(&mut header, &mut rows, &[Kind::Text; 3], 30).kept, [0, 1, 2]);
        assert_eq!(rows[0], ["10.0.0.1", "-", "text"]);
    }

    #[test]
    fn a_hash_gives_way_before_columns_go() {
        let hash = "e53be7b85276e3982233d128952b42a442cd82bdf12fea40e0c898c5d6d3f1b2";
        let (mut header, mut rows) = table(&["a name of some length", hash, "20"]);
        assert_eq!(fit(&mut header, &mut rows, &[Kind::Text, Kind::Text, Kind::Number], 44).kept, [0, 1, 2]);
        assert_eq!(rows[0], ["a name of some length", "e53be7b85276e398…", "20"]);
    }

    #[test]
    fn room_is_made_in_order() {
        let long = "x".repeat(60);
        let time = "2026-01-03T16:22:52Z";
        let cells = ["fe80::8d71:6124:a330:db93", "-", &long, time, "12", time, "7"];
        let kinds = [Kind::Text, Kind::Text, Kind::Text, Kind::Time, Kind::Number, Kind::Time, Kind::Frame];
        let (mut header, mut rows) = table(&cells);
        assert_eq!(fit(&mut header, &mut rows, &kinds, 110).kept, [0, 2, 3, 4, 5, 6]);
        assert_eq!(header, ["H0", "H2", "H3", "H4", "H5", "H6"]);
        assert!(rows[0][1].ends_with('…') && rows[0][0] == cells[0]);
        let (mut header, mut rows) = table(&cells);
        assert_eq!(fit(&mut header, &mut rows, &kinds, 80).left_out, ["H5"]);
        let (mut header, mut rows) = table(&cells);
        assert_eq!(fit(&mut header, &mut rows, &kinds, 60).left_out, ["H3", "H4", "H5"]);
        assert_eq!(header, ["H0", "H2", "H6"]);
    }
}
