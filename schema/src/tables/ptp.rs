//! `ptp`: messages of the Precision Time Protocol.

use crate::table;

table! {
    /// One row per PTP message (IEEE 1588 v1, v2, v2.1; 802.1AS), over Ethernet 0x88F7, UDP 319/320.
    pub struct Ptp("ptp", "message", Link) {
        /// `ethernet`, `udp4`, `udp6`.
        transport: word,
        /// Innermost VLAN.
        vlan_id: u16,
        /// versionPTP.
        version: u8 = "ptp.v2.versionptp",
        /// v2.1.
        minor_version: u8 = "ptp.v2.minorversionptp",
        /// transportSpecific: 0 default, 1 802.1AS.
        major_sdo_id: u8 = "ptp.v2.majorsdoid",
        /// `default`, `gptp`, `power` (C37.238 TLV), `telecom_g8275` (domains 24-43, G.8275.1), null if undecided.
        profile: word,
        /// Message type.
        message_type: u8 = "ptp.v2.messagetype",
        /// `sync` 0, `delay_req` 1, `pdelay_req` 2, `pdelay_resp` 3, `follow_up` 8, `delay_resp` 9, `pdelay_resp_follow_up` 10, `announce` 11, `signaling` 12, `management` 13.
        message_type_name: word,
        /// Domain number.
        domain: u8 = "ptp.v2.domainnumber",
        /// clockIdentity, 16 hex digits after `0x`; in version 1 the 12 of sourceUuid.
        source_clock: word = "ptp.v2.clockidentity",
        /// Port of that clock.
        source_port_number: u16 = "ptp.v2.sourceportid",
        /// Each message type of a port has its own sequence.
        sequence_id: u16 = "ptp.v2.sequenceid",
        /// logMessageInterval.
        log_interval: i32 = "ptp.v2.logmessageperiod",
        /// The time follows in a message of its own.
        two_step: bool = "ptp.v2.flags.twostep",
        /// Sent to one receiver.
        unicast: bool = "ptp.v2.flags.unicast",
        /// The offset to UTC is right.
        utc_reasonable: bool = "ptp.v2.flags.utcreasonable",
        /// The time comes from a primary reference.
        time_traceable: bool = "ptp.v2.flags.timetraceable",
        /// The frequency comes from a primary reference.
        frequency_traceable: bool = "ptp.v2.flags.frequencytraceable",
        /// The time is TAI.
        ptp_timescale: bool = "ptp.v2.flags.timescale",
        /// The last minute of the day has 61 seconds.
        leap61: bool = "ptp.v2.flags.li61",
        /// The last minute of the day has 59 seconds.
        leap59: bool = "ptp.v2.flags.li59",
        /// correctionField.
        correction_ns: f64 = "ptp.v2.correction.ns",
        /// Timestamp carried (origin, precise origin, receive), in the timescale of the sender; null where it is zero.
        origin_ts: time,
        /// sync (one step) or follow_up, scale corrected by UTC offset if PTP: origin_ts minus capture time.
        offset_ms: f64,
        /// announce: grandmasterIdentity.
        gm_clock: word = "ptp.v2.an.grandmasterclockidentity",
        /// announce: clockClass of the grandmaster (6 locked to a primary reference, 7 holding over, 52 and above degraded, 255 slave only).
        gm_class: u8 = "ptp.v2.an.grandmasterclockclass",
        /// announce: clockAccuracy of the grandmaster (0x20 25 ns ... 0x31 over 10 s, 0xFE unknown).
        gm_accuracy: u8 = "ptp.v2.an.grandmasterclockaccuracy",
        /// announce: offsetScaledLogVariance of the grandmaster.
        gm_variance: u16 = "ptp.v2.an.grandmasterclockvariance",
        /// announce: first criterion of the choice of a master; less is better.
        priority1: u8 = "ptp.v2.an.priority1",
        /// announce: the criterion among equals.
        priority2: u8 = "ptp.v2.an.priority2",
        /// announce: boundary clocks between grandmaster and sender.
        steps_removed: u16 = "ptp.v2.an.localstepsremoved",
        /// announce: 0x20 GNSS, 0x40 PTP, 0x50 NTP, 0xA0 internal oscillator.
        time_source: u8,
        /// announce: currentUtcOffset.
        utc_offset_s: i32 = "ptp.v2.an.origincurrentutcoffset",
        /// delay_resp, pdelay_resp: clock answered.
        requesting_clock: word,
        /// management: 0 get, 1 set, 2 response, 3 command, 4 acknowledge.
        management_action: u8 = "ptp.v2.mm.action",
        /// `get`, `set`, `response`, `command`, `acknowledge`.
        management_action_name: word,
        /// management: 0x2005 PRIORITY1, 0x0003 SAVE_IN_NON_VOLATILE_STORAGE, 0x0005 INITIALIZE, 0x2000 DEFAULT_DATA_SET, 0x200F TIME, ...
        management_id: u16 = "ptp.v2.mm.managementId",
        /// Name of the management id.
        management_name: word,
        /// management: managementErrorId of an answer that refuses (MANAGEMENT_ERROR_STATUS TLV); null in all others.
        management_error_code: u16,
        /// `RESPONSE_TOO_BIG` 1, `NO_SUCH_ID` 2, `WRONG_LENGTH` 3, `WRONG_VALUE` 4, `NOT_SETABLE` 5, `NOT_SUPPORTED` 6, `GENERAL_ERROR` 0xFFFE.
        management_error: word,
        /// management: targetPortIdentity, all ones for any.
        target_clock: word = "ptp.v2.mm.targetportidentity",
        /// messageLength.
        message_len: u16 = "ptp.v2.messagelength",
        /// v2.1 AUTHENTICATION TLV present.
        has_auth_tlv: bool,
    }
}
