//! Telnet, event by event.

use crate::table;

table! {
    /// One row per Telnet event: an option negotiation, a sub-negotiation, a line of text in one direction, a login prompt answered.
    pub struct Telnet("telnet", "event", Network) {
        /// command, option, suboption, line, login, password.
        event: word,
        /// client or server.
        direction: word,
        /// IAC command number (240 to 254).
        command_code: u8 = "telnet.cmd",
        /// will, wont, do, dont, sb, ayt, ip, brk, nop ...
        command: word,
        /// Option number.
        option_code: u8,
        /// echo, suppress_go_ahead, terminal_type, naws, terminal_speed, remote_flow_control, linemode, environment, new_environ, authentication, encryption, tn3270e, com_port ...
        option: word,
        /// Sub-negotiation value: terminal type, window size as 80x24, environment as NAME=VALUE.
        value: text,
        /// The line, control codes removed, back-space applied, echo not doubled.
        text: text = "telnet.data",
        /// Server text that repeats what the client typed.
        is_echo: bool,
        /// Name typed at a login prompt.
        @bloom username: word,
        /// Text typed at a password prompt.
        @secret password: text,
        /// success, failure or null (from what the server said next).
        login_result: word,
    }
}
