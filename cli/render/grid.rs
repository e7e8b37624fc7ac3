//! Cells in columns.

use unicode_width::UnicodeWidthStr as _;

/// Blanks between columns.
const GAP: usize = 2;

/// Header and rows, left-aligned, two blanks apart, without trailing blanks. `paint` may dress a cell up: it is told row,
/// column and text, and what it adds takes no room.
pub fn grid(header: &[String], rows: &[Vec<String>], paint: impl Fn(usize, usize, &str) -> Option<String>) -> Vec<String> {
    let mut widths: Vec<usize> = header.iter().map(|text| text.width()).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.width());
        }
    }
    let line = |texts: &[String], painted: &dyn Fn(usize, &str) -> Option<String>| {
        let last = texts.iter().rposition(|text| !text.trim_end().is_empty());
        let mut line = String::new();
        for (at, (text, width)) in texts.iter().zip(&widths).enumerate() {
            let text = if Some(at) == last { text.trim_end() } else { text };
            match painted(at, text) {
                Some(painted) => line.push_str(&painted),
                None => line.push_str(text),
            }
            if Some(at) >= last {
                break;
            }
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width()) + GAP));
        }
        line
    };
    let mut lines = Vec::with_capacity(rows.len() + 1);
    lines.push(line(header, &|_, _| None));
    lines.extend(rows.iter().enumerate().map(|(number, row)| line(row, &|at, text| paint(number, at, text))));
    lines
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
