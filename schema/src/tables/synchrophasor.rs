//! `synchrophasor`: frames of IEEE C37.118.

use crate::table;

table! {
    /// One row per IEEE C37.118.2 frame (TCP 4712, UDP 4713, or any port: sync byte 0xAA).
    pub struct Synchrophasor("synchrophasor", "message", Network) {
        /// Sent by the originator.
        is_orig: bool,
        /// `tcp`, `udp`.
        transport: word,
        /// 0 data, 1 header, 2 config-1, 3 config-2, 4 command, 5 config-3.
        frame_type: u8 = "synphasor.frtype",
        /// `data`, `header`, `config_1`, `config_2`, `command`, `config_3`.
        frame_type_name: word,
        /// 1 (2005), 2 (2011).
        version: u8 = "synphasor.version",
        /// FRAMESIZE.
        frame_size: u16 = "synphasor.frsize",
        /// IDCODE: stream in data, config, header frames; addressed PMU or PDC in commands.
        id_code: u16 = "synphasor.idcode_stream_source|synphasor.idcode_data_source",
        /// SOC plus FRACSEC of the frame.
        soc: time = "synphasor.soc",
        /// FRACSEC raw 24-bit count.
        fracsec: u32 = "synphasor.fracsec_raw",
        /// Message time quality nibble: 0 locked, 15 failed.
        time_quality: u8 = "synphasor.timeqal.timequalindic",
        /// A leap second comes.
        leap_pending: bool = "synphasor.timeqal.lspend",
        /// data: frame time minus capture time.
        offset_ms: f64,
        /// CRC-CCITT.
        crc_ok: bool = "synphasor.checksum.status",
        /// Command.
        command: u16 = "synphasor.command",
        /// `data_off` 1, `data_on` 2, `send_header` 3, `send_config_1` 4, `send_config_2` 5, `send_config_3` 6, `extended_frame` 8.
        command_name: word,
        /// config: measurement units in the stream.
        num_pmu: u16 = "synphasor.conf.numpmu",
        /// config: parts of a second that FRACSEC counts.
        time_base: u32 = "synphasor.conf.timebase",
        /// config: frames a second, negative is seconds a frame.
        data_rate: i32 = "synphasor.rate_of_transmission",
        /// config: STN of each PMU, trimmed.
        station_names: list_text = "synphasor.station_name",
        /// config: IDCODE of each PMU.
        pmu_ids: list_u16,
        /// config: phasor, analog and digital names, trimmed.
        channel_names: list_text = "synphasor.channel_name",
        /// config: 50 or 60 of each PMU.
        nominal_hz: list_u8,
        /// config: counts changes of the configuration; of the first unit.
        config_count: u16 = "synphasor.conf.cfgcnt",
        /// header: text.
        header_text: text,
        /// data: of each PMU, once its config is known.
        frequency_hz: list_f64 = "synphasor.actual_frequency_value",
        /// data: rate of change of frequency.
        rocof: list_f64 = "synphasor.rate_change_frequency",
        /// data: magnitude and angle in degrees, alternately, in configuration order.
        phasors: list_f64,
        /// data: analog values.
        analogs: list_f64,
        /// data: digital status words.
        digitals: list_u16 = "synphasor.digital_status_word",
        /// data: STAT words.
        stat: list_u16,
        /// data: STAT bits 15-14 of each PMU: 0 good, 1 error, 2 test mode, 3 error.
        data_error: list_u8 = "synphasor.data_error",
        /// data: STAT bit 13, true when synchronised.
        pmu_sync: list_bool,
        /// data: STAT bit 11.
        trigger: list_bool,
        /// data: STAT bit 10.
        config_change: list_bool,
        /// data: a config frame for this id was seen, so values are filled.
        decoded: bool,
    }
}
