//! Values of options that built-in queries ask for: the table `settings`.

use pcapper_schema::table::{Common, Row, TableBuilder};
use pcapper_schema::tables::Settings;

use crate::Result;
use crate::catalog::Catalog;

/// Makes options known to a catalog.
pub fn bring(catalog: &Catalog, options: &[(&str, &str)]) -> Result<()> {
    let mut table = TableBuilder::<<Settings<'_> as Row>::Columns>::default();
    for (name, value) in options {
        table.push(&Common::default(), Settings { name: Some(name), value: Some(value) });
    }
    catalog.bring("settings", table.finish("", ""))
}
