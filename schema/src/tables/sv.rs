//! `sv`: sampled values of merging units.

use crate::table;

table! {
    /// One row per ASDU of IEC 61850-9-2 sampled values (EtherType 0x88BA, or routable in UDP). Thousands of rows a second a
    /// stream: reports read aggregates per stream.
    pub struct Sv("sv", "asdu", Link) {
        /// Innermost VLAN id.
        vlan_id: u16,
        /// VLAN PCP (4 by default for SV).
        priority: u8,
        /// APPID, 0x4000-0x7FFF.
        appid: u16 = "sv.appid",
        /// Length in the header.
        length: u16 = "sv.length",
        /// Reserved 1 top bit: simulation or test publisher.
        simulated: bool = "sv.reserve1.s_bit",
        /// ASDUs in the frame.
        no_asdu: u8 = "sv.noASDU",
        /// 0-based place in the frame.
        asdu_index: u8,
        /// Name of the stream (svID).
        sv_id: word = "sv.svID",
        /// Data set reference (datSet).
        dat_set: word = "sv.datSet",
        /// Sample counter (smpCnt).
        smp_cnt: u16 = "sv.smpCnt",
        /// Configuration revision (confRev).
        conf_rev: u32 = "sv.confRev",
        /// Refresh time of the buffer (refrTm).
        refr_tm: time = "sv.refrTm",
        /// 0 none, 1 local, 2 global, else grandmaster's identity number.
        smp_synch: u8 = "sv.smpSynch",
        /// Samples, by `smp_mod` (smpRate).
        smp_rate: u16 = "sv.smpRate",
        /// 0 samples a period, 1 samples a second, 2 seconds a sample (smpMod).
        smp_mod: u16 = "sv.smpMod",
        /// Grandmaster of the publisher's clock (gmIdentity, edition 2.1).
        gm_identity: bytes = "sv.gmidData",
        /// 9-2LE data set: eight INT32 values (Ia Ib Ic In Ua Ub Uc Un), when seqData is 64 bytes.
        values: list_i32 = "sv.meas_value",
        /// 9-2LE quality words.
        qualities: list_u32 = "sv.meas_quality",
        /// A quality word has the test bit.
        any_test: bool = "sv.meas_quality.test",
        /// A quality word's validity is not good.
        any_invalid: bool,
        /// Bytes of seqData.
        seq_data_len: u16,
        /// `truncated`, `bad_length`.
        malformed: word,
    }
}
