//! What the user brings to a run: indicators, a baseline, rules for commands, alerts of Suricata. Each becomes a table, or changes one.

use std::sync::Arc;

use pcapper_queries::DataFusionError;
use pcapper_queries::catalog::Catalog;
use pcapper_queries::settings;

use crate::arguments::Arguments;
use crate::{ioc, render};

/// Makes all of it known to a catalog.
pub async fn bring(arguments: &Arguments, catalog: &Catalog) -> Result<(), String> {
    let told = |error: DataFusionError| render::sql::one_line(&error);
    catalog.focus(&arguments.timeline.focus);
    if let Some(loaded) = &arguments.ioc {
        ioc::bring(loaded, catalog).await?;
    }
    let minimum = arguments.correlate.map(|minimum| minimum.to_string());
    let options: Vec<(&str, &str)> = minimum
        .iter()
        .map(|minimum| ("correlate_min", minimum.as_str()))
        .chain(arguments.countries.iter().map(|country| ("geoip_country", country.as_str())))
        .collect();
    settings::bring(catalog, &options).map_err(told)?;
    if let Some(rules) = &arguments.ot_rules {
        Arc::clone(rules).bring(catalog).await.map_err(told)?;
    }
    if let Some(baseline) = &arguments.baseline.compare {
        baseline.bring(catalog).map_err(told)?;
    }
    if let Some(source) = &arguments.suricata {
        source.bring(catalog)?;
    }
    Ok(())
}
