use super::*;

fn offer<'a>(orig: &'a [u8], resp: &'a [u8], usual_port: bool) -> Offer<'a> {
    Offer {
        bytes: [orig, resp],
        dir: if resp.is_empty() { Dir::Orig } else { Dir::Resp },
        ports: [Some(40000), Some(if usual_port { 2404 } else { 4001 })],
        usual_port,
        src: None,
        dst: None,
    }
}

const START_ACT: &[u8] = &[0x68, 4, 7, 0, 0, 0];
/// S-format, then an interrogation of station 1.
const INTERROGATION: &[u8] = &[0x68, 4, 1, 0, 2, 0, 0x68, 14, 2, 0, 4, 0, 100, 1, 6, 0, 1, 0, 0, 0, 0, 20];

#[test]
fn several_apdus_of_a_segment_are_found() {
    let Found::Apdu(first, 6) = find(INTERROGATION) else { panic!() };
    assert_eq!(first.control, Control::Supervisory { received: 1 });
    let Found::Apdu(second, 16) = find(&INTERROGATION[6..]) else { panic!() };
    assert_eq!(second.control, Control::Information { sent: 1, received: 2 });
    assert!(is_sound(second.asdu));
    assert!(matches!(find(&INTERROGATION[6..12]), Found::Part));
}

#[test]
fn lost_starts_are_found_again() {
    let rubbish = [&[9, 0x68, 3, 0x68][..], INTERROGATION].concat();
    assert_eq!(resync(&rubbish), Some(4));
    assert_eq!(resync(&[0x68; 40]), None);
}

#[test]
fn probes_want_whole_apdus() {
    assert_eq!(probe(&offer(START_ACT, &[], false)), Verdict::Yes);
    assert_eq!(probe(&offer(INTERROGATION, &[], false)), Verdict::Yes);
    assert_eq!(probe(&offer(&INTERROGATION[..6], &[], false)), Verdict::More);
    assert_eq!(probe(&offer(&INTERROGATION[..6], &[], true)), Verdict::Yes);
    assert_eq!(probe(&offer(b"hello, world", &[], false)), Verdict::No);
    // One object announced, two there.
    let odd = [0x68, 14, 2, 0, 4, 0, 1, 1, 3, 0, 1, 0, 0, 0, 0, 20, 0, 0];
    assert_eq!(probe(&offer(&odd, &[], false)), Verdict::No);
}
