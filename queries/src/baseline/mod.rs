//! A network as it was known to be good: written as JSON, read back as tables that `analyzers/base/baseline.sql` compares with.
//!
//! The keys of the older form (`hosts`, `services`, `ot_commands`, `control_targets`, ...) are kept; under `schema: 2` stand
//! conversations, functions a pair, names and servers, so that more can be compared.

mod load;
mod save;

pub use load::{Baseline, load};
pub use save::snapshot;
