//! Cells in columns.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

/// Blanks between columns.
const GAP: u16 = 2;

/// Header and rows, left-aligned, two blanks apart, without trailing blanks. `paint` may dress a cell up: it is told row,
/// column and text, and what it adds takes no room.
pub fn grid(header: &[String], rows: &[Vec<String>], paint: impl Fn(usize, usize, &str) -> Option<String>) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header.to_vec());
    table.add_rows(rows.iter().cloned());
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP)).set_cell_alignment(CellAlignment::Left);
    }
    let widths: Vec<usize> = table.column_max_content_widths().into_iter().map(usize::from).collect();
    let plain = table.lines().map(|line| line.trim_end().to_owned());
    // A painted line is put together anew: what dresses a cell up takes no room, which the layout cannot know.
    let painted = |number: usize, row: &[String]| {
        let dressed: Vec<Option<String>> = row.iter().enumerate().map(|(at, text)| paint(number, at, text.trim_end())).collect();
        dressed.iter().any(Option::is_some).then(|| {
            let mut line = String::new();
            for ((text, dress), width) in row.iter().zip(dressed).zip(&widths) {
                let pad = width.saturating_sub(text.trim_end().width());
                line.push_str(&dress.unwrap_or_else(|| text.trim_end().to_owned()));
                line.extend(std::iter::repeat_n(' ', pad + usize::from(GAP)));
            }
            line.trim_end().to_owned()
        })
    };
    plain.enumerate().map(|(at, line)| at.checked_sub(1).and_then(|number| painted(number, rows.get(number)?)).unwrap_or(line)).collect()
}

/// Rows alone, as [`grid`] sets them.
pub fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let header = vec![String::new(); rows.iter().map(Vec::len).max().unwrap_or_default()];
    grid(&header, rows, |_, _, _| None).into_iter().skip(1).collect()
}

#[cfg(test)]
mod tests {
    use super::grid;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = vec![vec!["a".to_owned(), "longer".to_owned()], vec!["漢字".to_owned(), String::new()]];
        assert_eq!(grid(&["One".to_owned(), "Two".to_owned()], &rows, |_, _, _| None), ["One   Two", "a     longer", "漢字"]);
        let red = |row: usize, at: usize, text: &str| (row == 0 && at == 0).then(|| format!("\x1b[31m{text}\x1b[0m"));
        assert_eq!(grid(&["One".to_owned(), "Two".to_owned()], &rows, red)[1], "\x1b[31ma\x1b[0m     longer");
    }
}
