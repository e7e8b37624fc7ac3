//! What an ICMP message carries: its shape, and how surprising its bytes are.

/// Fewest bytes whose entropy says anything.
const ENTROPY_MIN: usize = 16;
/// Fewest bytes of which chance can be told from choice.
const RANDOM_MIN: usize = 32;
/// Bits a byte that a sample may stay below what chance gives.
const RANDOM_SLACK: f64 = 0.3;

/// Shannon entropy in bits a byte; `None` under 16 bytes.
pub fn entropy(bytes: &[u8]) -> Option<f64> {
    if bytes.len() < ENTROPY_MIN {
        return None;
    }
    let mut counts = [0_u32; 256];
    for &octet in bytes {
        if let Some(count) = counts.get_mut(usize::from(octet)) {
            *count = count.saturating_add(1);
        }
    }
    let total = bytes.len() as f64;
    let bits: f64 = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total).map(|p| -p * p.log2()).sum();
    // A single value gives -0.0.
    Some(bits + 0.0)
}

/// The entropy that `count` evenly distributed random bytes show on average.
fn entropy_of_chance(count: usize) -> f64 {
    let count = count as f64;
    let mean = count / 256.0;
    if mean > 16.0 {
        // Miller and Madow's correction of the estimate, exact enough for large samples.
        return 8.0 - 255.0 / (2.0 * count * std::f64::consts::LN_2);
    }
    // How often a value occurs is Poisson-distributed; a value that occurs k times takes k log k from log n.
    let (mut chance, mut loss) = ((-mean).exp(), 0.0);
    for k in 1..=80_u32 {
        let k = f64::from(k);
        chance *= mean / k;
        loss += chance * k * k.log2();
    }
    count.log2() - 256.0 / count * loss
}

/// The shape of what an echo, or a message of a type without a structure of its own, carries: a value of `payload_class`.
/// `None` without a byte.
pub fn class(bytes: &[u8]) -> Option<&'static str> {
    let (&first, rest) = bytes.split_first()?;
    let counts = |bytes: &[u8]| bytes.windows(2).all(|pair| matches!(pair, [a, b] if *b == a.wrapping_add(1)));
    // `ping` fills each byte with its own offset, then writes the time over the first 8 or 16.
    let offsets =
        |from: usize| bytes.get(from..).is_some_and(|rest| rest.len() >= 8 && rest.iter().zip(from..).all(|(octet, at)| *octet == at as u8));
    Some(if rest.iter().all(|octet| *octet == first) {
        if first == 0 { "zero" } else { "constant" }
    } else if bytes.len() >= 8 && bytes.iter().zip((b'a'..=b'w').cycle()).all(|(octet, letter)| *octet == letter) {
        "windows_ping"
    } else if bytes.len() >= 4 && counts(bytes) {
        "counting"
    } else if offsets(8) || offsets(16) {
        "unix_ping"
    } else if is_ip_packet(bytes) {
        "ip_packet"
    } else if bytes.len() >= 4 && bytes.iter().all(|octet| matches!(octet, b' '..=b'~' | b'\t' | b'\r' | b'\n')) {
        "text"
    } else if bytes.len() >= RANDOM_MIN && entropy(bytes).is_some_and(|bits| bits >= entropy_of_chance(bytes.len()) - RANDOM_SLACK) {
        "random"
    } else {
        "other"
    })
}

/// An IPv4 header with a right checksum or a right length, or an IPv6 header with a right length, starts here.
fn is_ip_packet(bytes: &[u8]) -> bool {
    match bytes {
        [first @ 0x45..=0x4f, _, high, low, ..] => {
            let header = bytes.get(..usize::from(first & 0x0f) * 4);
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            header.is_some_and(|header| {
                length >= header.len() && length <= bytes.len() && (length == bytes.len() || super::ones_sum(0, header) == 0xffff)
            })
        }
        [0x60..=0x6f, _, _, _, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])) + 40 == bytes.len(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of a linear congruential generator.
    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1_u32;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(count)
        .collect()
    }

    #[test]
    fn tells_shapes_apart() {
        assert_eq!(class(b""), None);
        assert_eq!(class(b"abcdefghijklmnopqrstuvwabcdefghi"), Some("windows_ping"));
        let linux: Vec<u8> = [0x5f, 0x3a, 0x11, 0x60, 0, 0, 0, 0, 0x9e, 0x21, 6, 0, 0, 0, 0, 0].into_iter().chain(16..56).collect();
        assert_eq!(class(&linux), Some("unix_ping"));
        assert_eq!(class(&(0..56).collect::<Vec<u8>>()), Some("counting"));
        assert_eq!(class(&[0; 56]), Some("zero"));
        assert_eq!(class(&[0xff; 56]), Some("constant"));
        assert_eq!(class(b"GET /index.html HTTP/1.0\r\n"), Some("text"));
        let mut ip = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        ip.extend([0; 8]);
        assert_eq!(class(&ip), Some("ip_packet"));
        ip.push(1);
        assert_eq!(class(&ip), Some("other"));
        for count in [32, 64, 256, 1400, 8000] {
            assert_eq!(class(&noise(count)), Some("random"), "{count}");
        }
    }

    #[test]
    fn entropy_needs_sixteen_bytes() {
        assert_eq!(entropy(&[0; 15]), None);
        assert_eq!(entropy(&[7; 16]).map(f64::to_bits), Some(0));
        assert_eq!(entropy(&(0..64).collect::<Vec<u8>>()), Some(6.0));
    }
}
