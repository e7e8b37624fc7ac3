//! Values of options that queries ask for.

use crate::table;

table! {
    /// One row per option whose value a built-in query needs.
    pub struct Settings("settings", "option", Brought) {
        /// Name of the option, `_` for `-`.
        name: text,
        /// Its value as text.
        value: text,
    }
}
