//! A capture whose every text is an attack on whoever shows it.

use std::path::Path;

/// Names asked for over DNS and lines sent to syslog.
pub const TEXTS: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style></title></svg><svg onload=alert(1)>",
    "@everyone see #12 and owner/repo@deadbeef",
    "[click](http://evil.example/) ![x](http://evil.example/x.png)",
    "a|b\\|c`d``e",
    "\u{202e}txt.exe\u{200b}",
    "http://www.evil.example/ mail@evil.example",
];

/// Writes the capture: Ethernet, IPv4, UDP.
pub fn write(path: &Path) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        file.extend(word.to_le_bytes());
    }
    let mut second = 1_700_000_000_u32;
    for text in TEXTS {
        for (port, payload) in
            [(53, question(text)), (514, format!("<13>Oct 11 22:14:15 {} app: {text}", text.split(' ').next().unwrap()).into_bytes())]
        {
            let frame = frame(port, &payload);
            for word in [second, 0, frame.len() as u32, frame.len() as u32] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
            second += 1;
        }
    }
    std::fs::write(path, file).unwrap();
}

fn question(name: &str) -> Vec<u8> {
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let label = &name.as_bytes()[..name.len().min(60)];
    message.push(label.len() as u8);
    message.extend(label);
    message.extend(b"\x07example\x00\x00\x01\x00\x01");
    message
}

fn frame(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let length = (28 + payload.len()) as u16;
    let mut ip = vec![0x45, 0];
    ip.extend(length.to_be_bytes());
    ip.extend([0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    let sum = ip.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum::<u32>();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    frame.extend(ip);
    frame.extend(40_000_u16.to_be_bytes());
    frame.extend(port.to_be_bytes());
    frame.extend((8 + payload.len() as u16).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}
