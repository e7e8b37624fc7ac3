//! Table of melsec records.

use crate::table;

table! {
    /// One row per Mitsubishi message: MC protocol / SLMP (1E, 3E, 4E; binary or ASCII; TCP or UDP), or MELSOFT engineering frames, whose framing alone is decoded.
    pub struct Melsec("melsec", "message", Network) {
        /// `1E`, `3E`, `4E`, `melsoft`, `melsoft_discovery`.
        framing: word,
        /// `binary` or `ascii`.
        encoding: text,
        /// Subheader 0x5000/0x5400/0x57/0x5A request, 0xD000/0xD400/0xD7/0xDA answer (1E: answer has bit 7 of the subheader).
        is_request: bool,
        /// Subheader as on the wire.
        subheader: u16,
        /// 4E.
        serial_number: u16,
        /// Network number.
        network: u8,
        /// PC (station) number; 0xFF own.
        pc_number: u8,
        /// Request destination module I/O.
        io_number: u16,
        /// Multidrop station.
        station: u8,
        /// Request or answer data length.
        length: u16,
        /// Unit of 250 ms.
        monitoring_timer: u16,
        /// Command.
        command_code: u16,
        /// Subcommand.
        subcommand: u16,
        /// `batch_read` 0x0401, `random_read` 0x0403, `block_read` 0x0406, `batch_write` 0x1401, `random_write` 0x1402, `block_write` 0x1406, `entry_monitor` 0x0801, `execute_monitor` 0x0802, `remote_run` 0x1001, `remote_stop` 0x1002, `remote_pause` 0x1003, `remote_latch_clear` 0x1005, `remote_reset` 0x1006, `read_type_name` 0x0101, `self_test` 0x0619, `error_led_clear` 0x1617, `unlock` 0x1630, `lock` 0x1631, `directory_read` 0x1810, `file_open` 0x1827, `file_read` 0x1828, `file_write` 0x1829, `file_close` 0x182A, `file_new` 0x1820, `file_delete` 0x1822, `memory_read` 0x0613, `memory_write` 0x1613, `node_search` 0x0E30, `ip_address_set` 0x0E31.
        command: word,
        /// `read`, `write`, `mode`, `file`, `access`, `identity`, `monitor`, `test`, `discovery`, `engineering`, `other`.
        category: word,
        /// Answer: 0 normal.
        end_code: u16,
        /// Meaning of the end code.
        end_text: text,
        /// Answer: frame of the request.
        request_frame: u64,
        /// `D`, `W`, `R`, `ZR`, `M`, `X`, `Y`, `B`, `L`, `SM`, `SD`, `TN`, `CN`, ...
        device_code: word,
        /// First device number.
        head_device: u32,
        /// Points.
        points_count: u16,
        /// `D100`, `X1F` (hex for X, Y, B, W).
        point: text,
        /// Words or bits read or written.
        values: list_u32,
        /// Read type name answer, or the model string of a MELSOFT answer.
        cpu_model: word,
        /// Remote run: 0 no clear, 1 except latch, 2 all.
        clear_mode: u8,
        /// Remote run/pause: force (0x0003).
        force: bool,
        /// Unlock or lock request.
        @secret password: text,
        /// File commands.
        file_name: word,
        /// MELSOFT: the two octets at the end of the fixed part, shown raw; names are not public.
        melsoft_command: u16,
        /// `high` MC/SLMP lengths right; `medium` MELSOFT framing both ways; `low` port only.
        confidence: text,
        /// First 256 octets of undecoded content.
        data: bytes,
        /// `length_mismatch`, `bad_ascii`, `truncated`; null when sound.
        malformed: word,
    }
}
