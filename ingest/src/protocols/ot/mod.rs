//! Industrial protocols.

pub mod goose;
pub mod modbus;
