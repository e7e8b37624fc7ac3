//! Industrial protocols.

pub mod calendar;
pub mod dnp3;
pub mod goose;
pub mod iec104;
pub mod modbus;
pub mod points;
