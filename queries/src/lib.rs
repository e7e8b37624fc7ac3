//! Rows to answers.
//!
//! [`catalog`] opens a lake as a DataFusion session; [`analyzer`] reads the reports and detections that stand in
//! `analyzers/*.sql`; [`run`] turns one into a [`report::Report`]; [`functions`] are what SQL itself lacks.

pub mod across;
pub mod analyzer;
pub mod baseline;
pub mod catalog;
pub mod functions;
pub mod ioc;
pub mod ot_rules;
pub mod report;
pub mod run;
pub mod settings;

pub use datafusion;
pub use datafusion::error::DataFusionError;

/// Result of asking a question.
pub type Result<T> = std::result::Result<T, DataFusionError>;
