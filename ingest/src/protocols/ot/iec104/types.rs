//! Types, causes and qualifiers of ASDUs (IEC 60870-5-101 ed. 2 section 7.2 and 7.3, IEC 60870-5-104 ed. 2 section 6,
//! IEC/TS 60870-5-7 for the types of secure authentication).

/// What an information object starts with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Info {
    /// Nothing.
    None,
    /// Single point with quality.
    Siq,
    /// Double point with quality.
    Diq,
    /// Step position, transient bit.
    Vti,
    /// 32 bits.
    Bsi,
    /// Normalised value.
    Nva,
    /// Scaled value.
    Sva,
    /// Short float.
    R32,
    /// Binary counter reading.
    Bcr,
    /// Event of protection equipment, with its elapsed or run time.
    Sep,
    /// Start events of protection equipment, quality, relay duration.
    Spe,
    /// Output circuits of protection equipment, quality, operating time.
    Oci,
    /// Sixteen bits and which of them changed.
    Scd,
    /// Single command.
    Sco,
    /// Double command.
    Dco,
    /// Regulating step command.
    Rco,
    /// This many octets without a number worth a column.
    Octets(u8),
}

/// What follows the information.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    None,
    /// Quality descriptor.
    Qds,
    /// A qualifier octet.
    Qualifier,
}

/// The time behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    None,
    /// Minute and milliseconds.
    Cp24,
    /// Date and time.
    Cp56,
}

/// Name and layout of a type.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    pub name: &'static str,
    pub info: Info,
    pub tail: Tail,
    pub time: Time,
    /// Objects are of one fixed length, so that how many there are can be checked.
    pub is_fixed: bool,
}

/// The type of this number.
pub fn find(code: u8) -> Option<Type> {
    use Info as I;
    use Tail::{Qds, Qualifier};
    use Time::{Cp24, Cp56};
    const NO_TAIL: Tail = Tail::None;
    const NO_TIME: Time = Time::None;
    let (name, info, tail, time) = match code {
        1 => ("M_SP_NA_1", I::Siq, NO_TAIL, NO_TIME),
        2 => ("M_SP_TA_1", I::Siq, NO_TAIL, Cp24),
        3 => ("M_DP_NA_1", I::Diq, NO_TAIL, NO_TIME),
        4 => ("M_DP_TA_1", I::Diq, NO_TAIL, Cp24),
        5 => ("M_ST_NA_1", I::Vti, Qds, NO_TIME),
        6 => ("M_ST_TA_1", I::Vti, Qds, Cp24),
        7 => ("M_BO_NA_1", I::Bsi, Qds, NO_TIME),
        8 => ("M_BO_TA_1", I::Bsi, Qds, Cp24),
        9 => ("M_ME_NA_1", I::Nva, Qds, NO_TIME),
        10 => ("M_ME_TA_1", I::Nva, Qds, Cp24),
        11 => ("M_ME_NB_1", I::Sva, Qds, NO_TIME),
        12 => ("M_ME_TB_1", I::Sva, Qds, Cp24),
        13 => ("M_ME_NC_1", I::R32, Qds, NO_TIME),
        14 => ("M_ME_TC_1", I::R32, Qds, Cp24),
        15 => ("M_IT_NA_1", I::Bcr, NO_TAIL, NO_TIME),
        16 => ("M_IT_TA_1", I::Bcr, NO_TAIL, Cp24),
        17 => ("M_EP_TA_1", I::Sep, NO_TAIL, Cp24),
        18 => ("M_EP_TB_1", I::Spe, NO_TAIL, Cp24),
        19 => ("M_EP_TC_1", I::Oci, NO_TAIL, Cp24),
        20 => ("M_PS_NA_1", I::Scd, Qds, NO_TIME),
        21 => ("M_ME_ND_1", I::Nva, NO_TAIL, NO_TIME),
        30 => ("M_SP_TB_1", I::Siq, NO_TAIL, Cp56),
        31 => ("M_DP_TB_1", I::Diq, NO_TAIL, Cp56),
        32 => ("M_ST_TB_1", I::Vti, Qds, Cp56),
        33 => ("M_BO_TB_1", I::Bsi, Qds, Cp56),
        34 => ("M_ME_TD_1", I::Nva, Qds, Cp56),
        35 => ("M_ME_TE_1", I::Sva, Qds, Cp56),
        36 => ("M_ME_TF_1", I::R32, Qds, Cp56),
        37 => ("M_IT_TB_1", I::Bcr, NO_TAIL, Cp56),
        38 => ("M_EP_TD_1", I::Sep, NO_TAIL, Cp56),
        39 => ("M_EP_TE_1", I::Spe, NO_TAIL, Cp56),
        40 => ("M_EP_TF_1", I::Oci, NO_TAIL, Cp56),
        45 => ("C_SC_NA_1", I::Sco, NO_TAIL, NO_TIME),
        46 => ("C_DC_NA_1", I::Dco, NO_TAIL, NO_TIME),
        47 => ("C_RC_NA_1", I::Rco, NO_TAIL, NO_TIME),
        48 => ("C_SE_NA_1", I::Nva, Qualifier, NO_TIME),
        49 => ("C_SE_NB_1", I::Sva, Qualifier, NO_TIME),
        50 => ("C_SE_NC_1", I::R32, Qualifier, NO_TIME),
        51 => ("C_BO_NA_1", I::Bsi, NO_TAIL, NO_TIME),
        58 => ("C_SC_TA_1", I::Sco, NO_TAIL, Cp56),
        59 => ("C_DC_TA_1", I::Dco, NO_TAIL, Cp56),
        60 => ("C_RC_TA_1", I::Rco, NO_TAIL, Cp56),
        61 => ("C_SE_TA_1", I::Nva, Qualifier, Cp56),
        62 => ("C_SE_TB_1", I::Sva, Qualifier, Cp56),
        63 => ("C_SE_TC_1", I::R32, Qualifier, Cp56),
        64 => ("C_BO_TA_1", I::Bsi, NO_TAIL, Cp56),
        70 => ("M_EI_NA_1", I::None, Qualifier, NO_TIME),
        100 => ("C_IC_NA_1", I::None, Qualifier, NO_TIME),
        101 => ("C_CI_NA_1", I::None, Qualifier, NO_TIME),
        102 => ("C_RD_NA_1", I::None, NO_TAIL, NO_TIME),
        103 => ("C_CS_NA_1", I::None, NO_TAIL, Cp56),
        104 => ("C_TS_NA_1", I::Octets(2), NO_TAIL, NO_TIME),
        105 => ("C_RP_NA_1", I::None, Qualifier, NO_TIME),
        106 => ("C_CD_NA_1", I::Octets(2), NO_TAIL, NO_TIME),
        107 => ("C_TS_TA_1", I::Octets(2), NO_TAIL, Cp56),
        110 => ("P_ME_NA_1", I::Nva, Qualifier, NO_TIME),
        111 => ("P_ME_NB_1", I::Sva, Qualifier, NO_TIME),
        112 => ("P_ME_NC_1", I::R32, Qualifier, NO_TIME),
        113 => ("P_AC_NA_1", I::None, Qualifier, NO_TIME),
        120 => ("F_FR_NA_1", I::Octets(6), NO_TAIL, NO_TIME),
        121 => ("F_SR_NA_1", I::Octets(7), NO_TAIL, NO_TIME),
        122 => ("F_SC_NA_1", I::Octets(4), NO_TAIL, NO_TIME),
        123 => ("F_LS_NA_1", I::Octets(5), NO_TAIL, NO_TIME),
        124 => ("F_AF_NA_1", I::Octets(4), NO_TAIL, NO_TIME),
        126 => ("F_DR_TA_1", I::Octets(6), NO_TAIL, Cp56),
        127 => ("F_SC_NB_1", I::Octets(16), NO_TAIL, NO_TIME),
        // Of a length that they say themselves, or that their procedure decides.
        41 => return Some(open("S_IT_TC_1")),
        81 => return Some(open("S_CH_NA_1")),
        82 => return Some(open("S_RP_NA_1")),
        83 => return Some(open("S_AR_NA_1")),
        84 => return Some(open("S_KR_NA_1")),
        85 => return Some(open("S_KS_NA_1")),
        86 => return Some(open("S_KC_NA_1")),
        87 => return Some(open("S_ER_NA_1")),
        90 => return Some(open("S_US_NA_1")),
        91 => return Some(open("S_UQ_NA_1")),
        92 => return Some(open("S_UR_NA_1")),
        93 => return Some(open("S_UK_NA_1")),
        94 => return Some(open("S_UA_NA_1")),
        95 => return Some(open("S_UC_NA_1")),
        125 => return Some(open("F_SG_NA_1")),
        _ => return None,
    };
    Some(Type { name, info, tail, time, is_fixed: true })
}

fn open(name: &'static str) -> Type {
    Type { name, info: Info::None, tail: Tail::None, time: Time::None, is_fixed: false }
}

impl Type {
    /// Octets of one object behind its address.
    pub fn length(&self) -> usize {
        let info = match self.info {
            Info::None => 0,
            Info::Siq | Info::Diq | Info::Vti | Info::Sco | Info::Dco | Info::Rco => 1,
            Info::Nva | Info::Sva => 2,
            Info::Sep => 3,
            Info::Bsi | Info::R32 | Info::Spe | Info::Oci | Info::Scd => 4,
            Info::Bcr => 5,
            Info::Octets(count) => usize::from(count),
        };
        let tail = usize::from(self.tail != Tail::None);
        let time = match self.time {
            Time::None => 0,
            Time::Cp24 => 3,
            Time::Cp56 => 7,
        };
        info + tail + time
    }
}

/// What a type is for.
pub fn category(code: u8) -> &'static str {
    match code {
        1..=41 => "monitor",
        45..=47 | 51 | 58..=60 | 64 => "control",
        48..=50 | 61..=63 => "setpoint",
        70 => "end_of_init",
        100..=107 => "system",
        110..=113 => "parameter",
        120..=127 => "file",
        _ => "other",
    }
}

/// What kind of point holds such information, and the type of its value.
pub fn point(info: Info) -> (&'static str, &'static str) {
    match info {
        Info::Siq | Info::Sco => ("single_point", "bool"),
        Info::Diq | Info::Dco => ("double_point", "double_bit"),
        Info::Vti => ("step_position", "i7"),
        Info::Rco => ("regulating_step", "double_bit"),
        Info::Bsi => ("bitstring", "u32"),
        Info::Nva => ("measured_normalised", "i16"),
        Info::Sva => ("measured_scaled", "i16"),
        Info::R32 => ("measured_short_float", "f32"),
        Info::Bcr => ("integrated_total", "i32"),
        Info::Sep => ("protection_event", "double_bit"),
        Info::Spe | Info::Oci => ("protection_event", "u8"),
        Info::Scd => ("status_bits", "u16"),
        Info::None | Info::Octets(_) => ("other", "bytes"),
    }
}

/// Name of a cause of transmission (IEC 60870-5-101 section 7.2.3).
pub fn cause(code: u8) -> Option<&'static str> {
    const GROUPS: [&str; 16] = [
        "inro1", "inro2", "inro3", "inro4", "inro5", "inro6", "inro7", "inro8", "inro9", "inro10", "inro11", "inro12", "inro13", "inro14", "inro15",
        "inro16",
    ];
    Some(match code {
        1 => "per/cyc",
        2 => "back",
        3 => "spont",
        4 => "init",
        5 => "req",
        ACT => "act",
        ACTCON => "actcon",
        DEACT => "deact",
        DEACTCON => "deactcon",
        ACTTERM => "actterm",
        11 => "retrem",
        12 => "retloc",
        13 => "file",
        14 => "auth",
        15 => "seskey",
        16 => "usrkey",
        20 => "inrogen",
        21..=36 => return GROUPS.get(usize::from(code - 21)).copied(),
        37 => "reqcogen",
        38 => "reqco1",
        39 => "reqco2",
        40 => "reqco3",
        41 => "reqco4",
        44 => "unknown_type",
        45 => "unknown_cause",
        46 => "unknown_asdu",
        47 => "unknown_object",
        _ => return None,
    })
}

pub const ACT: u8 = 6;
pub const ACTCON: u8 = 7;
pub const DEACT: u8 = 8;
pub const DEACTCON: u8 = 9;
pub const ACTTERM: u8 = 10;

/// Name of a qualifier of the type.
pub fn qualifier(type_id: u8, code: u8) -> Option<&'static str> {
    const GROUPS: [&str; 16] = [
        "group_1", "group_2", "group_3", "group_4", "group_5", "group_6", "group_7", "group_8", "group_9", "group_10", "group_11", "group_12",
        "group_13", "group_14", "group_15", "group_16",
    ];
    Some(match (type_id, code) {
        (45..=47 | 58..=60, 1) => "short_pulse",
        (45..=47 | 58..=60, 2) => "long_pulse",
        (45..=47 | 58..=60, 3) => "persistent",
        (70, 0 | 0x80) => "local_power_on",
        (70, 1 | 0x81) => "local_manual_reset",
        (70, 2 | 0x82) => "remote_reset",
        (100, 20) => "station_interrogation",
        (100, 21..=36) => return GROUPS.get(usize::from(code - 21)).copied(),
        (101, _) => match (code & 0x3f, code >> 6) {
            (1..=4, 0) => return GROUPS.get(usize::from((code & 0x3f) - 1)).copied(),
            (5, 0) => "general",
            (_, 1) => "freeze",
            (_, 2) => "freeze_reset",
            (_, 3) => "reset",
            _ => return None,
        },
        (105, 1) => "general_reset",
        (105, 2) => "reset_event_buffer",
        (110..=112, _) => match code & 0x3f {
            1 => "threshold",
            2 => "smoothing",
            3 => "low_limit",
            4 => "high_limit",
            _ => return None,
        },
        (113, 1) => "general_parameters",
        (113, 2) => "object_parameter",
        (113, 3) => "cyclic_transmission",
        _ => return None,
    })
}

/// Name of a U-format function (IEC 60870-5-104 section 5.1).
pub fn u_function(control: u8) -> Option<&'static str> {
    Some(match control {
        0x07 => "STARTDT_act",
        0x0b => "STARTDT_con",
        0x13 => "STOPDT_act",
        0x23 => "STOPDT_con",
        0x43 => "TESTFR_act",
        0x83 => "TESTFR_con",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_their_lengths() {
        let length = |code| find(code).unwrap().length();
        for (code, expected) in [
            (1, 1),
            (4, 4),
            (9, 3),
            (13, 5),
            (15, 5),
            (17, 6),
            (18, 7),
            (20, 5),
            (30, 8),
            (36, 12),
            (37, 12),
            (40, 11),
            (63, 12),
            (103, 7),
            (127, 16),
        ] {
            assert_eq!(length(code), expected, "{code}");
        }
        assert!(find(22).is_none());
    }

    #[test]
    fn qualifiers_are_of_their_type() {
        assert_eq!(qualifier(100, 36), Some("group_16"));
        assert_eq!(qualifier(101, 0x45), Some("freeze"));
        assert_eq!(qualifier(45, 36), None);
        assert_eq!(cause(36), Some("inro16"));
    }
}
