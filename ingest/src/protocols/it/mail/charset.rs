//! Character sets of mail (RFC 2978): octets to text.

/// Upper halves of single-octet character sets, from 0x80 on; U+FFFD where a set has no character.
static UPPER: &[(&str, &str)] = &[
    (
        "windows-1250",
        "€\u{fffd}‚\u{fffd}„…†‡\u{fffd}‰Š‹ŚŤŽŹ\u{fffd}‘’“”•–—\u{fffd}™š›śťžź\u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    ),
    (
        "windows-1251",
        "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{fffd}™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
    ),
    (
        "windows-1252",
        "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
    ),
    (
        "koi8-r",
        "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥\u{a0}⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
    ),
    (
        "iso-8859-2",
        "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
    ),
    (
        "iso-8859-15",
        "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\u{a0}¡¢£€¥Š§š©ª«¬\u{ad}®¯°±²³Žµ¶·ž¹º»ŒœŸ¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
    ),
];

/// Text of octets in the character set named. `None` for sets not known here, unless the octets are ASCII and the set leaves those
/// as they are.
pub fn decode(charset: &str, octets: &[u8]) -> Option<String> {
    let name = charset.to_ascii_lowercase();
    let upper = match name.as_str() {
        "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => return Some(String::from_utf8_lossy(octets).into_owned()),
        "iso-8859-1" | "latin1" => return Some(octets.iter().copied().map(char::from).collect()),
        name => {
            UPPER.iter().find(|(known, _)| *known == name || known.strip_prefix("windows-").is_some_and(|page| name.strip_prefix("cp") == Some(page)))
        }
    };
    let Some((_, upper)) = upper else {
        // ISO-2022, HZ and UTF-7 write other letters with octets of ASCII, UTF-16 and UTF-32 with zeros between.
        let shifted = ["iso-2022", "hz", "utf-7", "utf-16", "utf-32", "unicode"].iter().any(|known| name.starts_with(known));
        return (octets.is_ascii() && !shifted).then(|| octets.iter().copied().map(char::from).collect());
    };
    let upper: Vec<char> = upper.chars().collect();
    let letter = |octet: u8| match octet.checked_sub(0x80) {
        None => char::from(octet),
        Some(index) => upper.get(usize::from(index)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some(octets.iter().copied().map(letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        assert_eq!(UPPER.iter().map(|(_, letters)| letters.chars().count()).collect::<Vec<_>>(), [128; 6]);
        assert_eq!(decode("Windows-1251", b"\xcf\xf0\xe8\xe2\xe5\xf2").as_deref(), Some("Привет"));
        assert_eq!(decode("koi8-r", b"\xf0\xd2\xc9").as_deref(), Some("При"));
        assert_eq!(decode("ISO-8859-15", b"\xa4 5").as_deref(), Some("€ 5"));
        assert_eq!(decode("cp1252", b"\x93x\x94").as_deref(), Some("“x”"));
        assert_eq!(decode("big5", b"plain").as_deref(), Some("plain"));
        assert_eq!(decode("big5", b"\xa4\xa4"), None);
        assert_eq!(decode("iso-2022-jp", b"\x1b$B"), None);
    }
}
