//! Bytes for people: sixteen a line, in hexadecimal and as text.

/// One line.
pub struct Line {
    pub offset: u64,
    pub hex: String,
    pub text: String,
}

/// The lines of some bytes, the first of which is at `offset`.
pub fn lines(bytes: &[u8], offset: u64) -> impl Iterator<Item = Line> + '_ {
    bytes.chunks(16).zip(0..).map(move |(chunk, number)| {
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = chunk.iter().map(|byte| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { '.' }).collect();
        Line { offset: offset + number * 16, hex: hex.join(" "), text }
    })
}
