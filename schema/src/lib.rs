//! What a table is.
//!
//! Every typed table of pcapper is declared once, in [`tables`], as a Rust struct whose fields and doc comments are its
//! columns and their documentation. Arrow schema, builder, data dictionary, Wireshark twins and the list of secret
//! columns all come from that declaration. [`lake`] says where the tables lie on disk.
//!
//! This crate knows none of the others.

pub mod column;
pub mod lake;
pub mod table;
pub mod tables;

pub use column::Mac;
pub use table::{ColumnDef, Common, Row, Shape, TableBuilder, TableDef};
pub use tables::{TableSet, all};

/// Version of the tables' meaning. It is part of every capture id: captures decoded by an older schema are decoded anew.
pub const SCHEMA_VERSION: u32 = 4;
