//! Charts: traffic over time, findings over time, series and tops of tables.
//!
//! Axes and bars over time are drawn by plotters; colours are written as they look on white paper, and the style sheet turns them
//! for dark screens. Times are nanoseconds since 1970.

use std::fmt::Write as _;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use pcapper_queries::report::{Section, Shape, Unit, label};
use plotters::prelude::*;

use super::escape;
use crate::export::found::{Kind, rank};
use crate::render::value::{self, Place, Secrets};

/// The style sheet knows these colours by their values.
const BAR: RGBColor = RGBColor(0x3b, 0x6e, 0xa8);
const MUTED: RGBColor = RGBColor(0x5b, 0x65, 0x70);
const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);

/// Width of drawings that span the page, and of the room for labels on their left, in units of the drawing.
const WIDTH: u32 = 960;
const LEFT: u32 = 230;
const RIGHT: u32 = 16;
/// Steps of an axis.
const GRAIN: i32 = 100_000;
/// Lanes of findings at most.
const LANES: usize = 14;
/// Bars of a top chart.
const BARS: usize = 8;

/// A stretch of time.
#[derive(Clone, Copy)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

impl Span {
    fn length(self) -> f64 {
        (self.to as f64 - self.from as f64).max(1.0)
    }

    /// Round moments in it, some eight, each with its label.
    fn ticks(self) -> Vec<(i64, String)> {
        const SECOND: i64 = 1_000_000_000;
        const STEPS: &[i64] = &[
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000,
            7_776_000, 31_536_000,
        ];
        const PARTS: &[i64] = &[1, 2, 5, 10, 20, 50, 100, 200, 500];
        let parts = PARTS.iter().map(|ms| ms * (SECOND / 1000));
        let step = parts.chain(STEPS.iter().map(|s| s * SECOND)).find(|step| self.length() / *step as f64 <= 8.0);
        let Some(step) = step else { return Vec::new() };
        let first = self.from.div_euclid(step).saturating_add(i64::from(self.from.rem_euclid(step) != 0)).saturating_mul(step);
        let moments = std::iter::successors(Some(first), |at| at.checked_add(step)).take_while(|at| *at <= self.to).take(16);
        moments.map(|at| (at, moment(at, step))).collect()
    }

    /// Place of a moment between 0 and 1.
    fn share(self, at: i64) -> f64 {
        ((at as f64 - self.from as f64) / self.length()).clamp(0.0, 1.0)
    }
}

/// A moment as precise as steps of such a length need it.
fn moment(at: i64, step: i64) -> String {
    let text = value::time(at, 3);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    match step {
        ..1_000_000_000 => part(11, 23),
        1_000_000_000..60_000_000_000 => part(11, 19),
        60_000_000_000..86_400_000_000_000 => part(11, 16),
        _ => part(0, 10),
    }
}

/// Round values from 0 up to at least `most`: 1, 2 or 5 times a power of ten, of bytes a power of 1024.
fn rounds(most: f64, unit: Unit) -> Vec<f64> {
    let base = if unit == Unit::Bytes { 1024_f64.powf((most.max(1.0).ln() / 1024_f64.ln()).floor()) } else { 1.0 };
    let goal = (most / base / 4.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(goal.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= goal).unwrap_or(power * 10.0) * base;
    let steps = (most / step).ceil().clamp(1.0, 8.0) as u32;
    (0..=steps).map(|at| f64::from(at) * step).collect()
}

fn measure(amount: f64, unit: Unit) -> String {
    let whole = amount.fract() == 0.0 && !matches!(unit, Unit::Seconds | Unit::Milliseconds | Unit::Share);
    let number = if whole { serde_json::json!(amount as i64) } else { serde_json::json!(amount) };
    let text = value::text(&number, unit, if unit == Unit::Count { Place::Fact } else { Place::Cell });
    text.replace(".0 ", " ")
}

/// Bars, each from x to x with a height; x runs from 0 to 1.
struct Bars<'a> {
    bars: &'a [(f64, f64, f64)],
    x: Vec<(f64, String)>,
    unit: Unit,
    left: u32,
    size: (u32, u32),
    /// What it shows, for who cannot see it.
    about: &'a str,
}

impl Bars<'_> {
    fn draw(&self) -> String {
        let mut svg = String::new();
        // Drawing into memory fails only if plotters refuses the ranges, which are never empty.
        if self.onto(&mut svg).is_err() {
            return String::new();
        }
        svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escape::text(self.about)), 1)
    }

    fn onto(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let highest = self.bars.iter().map(|bar| bar.2).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let rounds = rounds(highest, self.unit);
        let top = rounds.last().copied().filter(|top| *top > 0.0).unwrap_or(highest);
        // Axes with marks of one's own count in whole numbers.
        let across = |share: f64| (share * f64::from(GRAIN)).round() as i32;
        let up = |amount: f64| (amount / top * f64::from(GRAIN)).round() as i32;
        let x: Vec<(i32, &str)> = self.x.iter().map(|(at, name)| (across(*at), name.as_str())).collect();
        let y: Vec<(i32, String)> = rounds.iter().map(|amount| (up(*amount), measure(*amount, self.unit))).collect();
        let area = SVGBackend::with_string(svg, self.size).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin_right(RIGHT)
            .margin_top(10)
            .set_label_area_size(LabelAreaPosition::Left, self.left)
            .set_label_area_size(LabelAreaPosition::Bottom, 26)
            .build_cartesian_2d(
                (0..GRAIN).with_key_points(x.iter().map(|(at, _)| *at).collect()),
                (0..GRAIN).with_key_points(y.iter().map(|(at, _)| *at).collect()),
            )?;
        let below = |at: &i32| x.iter().find(|(key, _)| key == at).map(|(_, name)| (*name).to_owned()).unwrap_or_default();
        let beside = |at: &i32| y.iter().find(|(key, _)| key == at).map(|(_, name)| name.clone()).unwrap_or_default();
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(("sans-serif", 14).into_font().color(&MUTED))
            .x_label_formatter(&below)
            .y_label_formatter(&beside)
            .draw()?;
        chart
            .draw_series(self.bars.iter().map(|(from, to, height)| Rectangle::new([(across(*from), 0), (across(*to), up(*height))], BAR.filled())))?;
        area.present()?;
        Ok(())
    }
}

/// Bytes over time: bins of equal length that fill the span.
pub fn traffic(rows: &RecordBatch, bins: usize, span: Span) -> String {
    let (Some(at), Some(bytes)) = (numbers(rows, "bin"), numbers(rows, "bytes")) else { return String::new() };
    let width = 1.0 / bins.max(1) as f64;
    let bars: Vec<_> = at.iter().zip(&bytes).map(|(bin, bytes)| (bin * width, (bin + 0.86) * width, *bytes)).collect();
    let Some(peak) = bars.iter().max_by(|a, b| a.2.total_cmp(&b.2)) else { return String::new() };
    let when = span.from.saturating_add((peak.0 * span.length()) as i64);
    let about = format!("Bytes over time; most, {}, in the interval from {}", measure(peak.2, Unit::Bytes), value::time(when, 0));
    let x = span.ticks().into_iter().map(|(at, name)| (span.share(at), name)).collect();
    Bars { bars: &bars, x, unit: Unit::Bytes, left: LEFT, size: (WIDTH, 190), about: &about }.draw()
}

/// When findings of each kind were seen: a lane a kind, on the axis of [`traffic`].
pub fn lanes(kinds: &[Kind], span: Span) -> String {
    let dated: Vec<&Kind> =
        kinds.iter().filter(|kind| kind.severity() != "info" && kind.members.iter().any(|finding| finding.ts.is_some())).collect();
    if dated.is_empty() {
        return String::new();
    }
    let shown = dated.iter().take(LANES);
    let height = 22 * dated.len().min(LANES) + 8;
    let (left, width) = (f64::from(LEFT), f64::from(WIDTH - LEFT - RIGHT));
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"When findings were seen, a lane a kind\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" class=\"lanes\">\n"
    );
    for (at, _) in span.ticks() {
        let x = left + span.share(at) * width;
        let _ = writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{height}\"/>");
    }
    for (lane, kind) in shown.enumerate() {
        let y = 22 * lane + 15;
        let Some(first) = kind.first() else { continue };
        let class = severity_class(kind.severity());
        let _ = write!(svg, "<line class=\"lane\" x1=\"{left}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>", left + width);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"end\"><title>{}</title>{}</text>",
            left - 12.0,
            y + 4,
            escape::text(&first.title),
            escape::label(&first.title, 32)
        );
        // Marks that would fall on one another are one.
        let mut taken = std::collections::HashSet::new();
        for finding in &kind.members {
            let Some(ts) = finding.ts else { continue };
            let from = left + span.share(ts) * width;
            let to = left + span.share(finding.end_ts.unwrap_or(ts)) * width;
            if taken.insert((from.round() as i64, to.round() as i64)) {
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{}\" width=\"{:.1}\" height=\"8\" rx=\"2\"><title>{} {}</title></rect>",
                    from - 2.0,
                    y - 4,
                    (to - from).max(0.0) + 4.0,
                    value::time(ts, 0),
                    escape::text(&finding.hosts("→"))
                );
            }
        }
        svg.push('\n');
    }
    svg.push_str("</svg>\n");
    if dated.len() > LANES {
        let _ =
            writeln!(svg, "<p class=\"more\">{} more kinds of findings have no lane here; the list of findings has them.</p>", dated.len() - LANES);
    }
    svg
}

/// Class of a severity in the style sheet.
pub fn severity_class(severity: &str) -> &'static str {
    ["critical", "high", "medium", "low"].get(rank(severity)).copied().unwrap_or("info")
}

/// The chart of a report: its first series, else the top of its first table that is ordered by a measure.
pub fn of(sections: &[Section], secrets: &mut Secrets) -> Option<String> {
    let series = sections.iter().find(|section| section.shape == Shape::Series && section.rows.num_rows() > 1);
    if let Some(drawn) = series.and_then(series_chart) {
        return Some(drawn);
    }
    sections.iter().filter(|section| section.shape == Shape::Table).find_map(|section| top(section, secrets))
}

/// A measure over classes or time: the first column names them, the first number after it is the measure.
pub fn series_chart(section: &Section) -> Option<String> {
    let (rows, schema) = (&section.rows, section.rows.schema());
    let (at, field) = schema.fields().iter().enumerate().skip(1).find(|(_, field)| is_measure(field.name(), field.data_type()))?;
    let heights = numbers(rows, field.name())?;
    let count = heights.len().min(400);
    let width = 1.0 / count.max(1) as f64;
    let bars: Vec<_> =
        heights.iter().take(count).enumerate().map(|(at, height)| (at as f64 * width, (at as f64 + 0.86) * width, height.max(0.0))).collect();
    let unit = Unit::of(schema.field(0).name(), schema.field(0).data_type());
    let mut secrets = Secrets::default();
    let every = count.div_ceil(7).max(1);
    let x = (0..count)
        .step_by(every)
        .map(|row| {
            let name = value::shown(rows.column(0), row, unit, Place::Cell, 0, &mut secrets);
            let name = if unit == Unit::Time { name.get(11..19).unwrap_or(&name).to_owned() } else { escape::cut(&name, 14).0.to_owned() };
            ((row as f64 + 0.43) * width, crate::render::escape::text(&name))
        })
        .collect();
    let measured = label(schema.field(at).name());
    let about = format!("{}: {measured}", section.name);
    let svg = Bars { bars: &bars, x, unit: Unit::of(field.name(), field.data_type()), left: 76, size: (620, 180), about: &about }.draw();
    (!svg.is_empty()).then(|| {
        format!(
            "<figure class=\"chart\"><figcaption>{} <span>{}</span></figcaption>{svg}</figure>\n",
            escape::text(&section.name),
            escape::text(&measured)
        )
    })
}

/// The first rows of a table that a measure orders, as bars.
fn top(section: &Section, secrets: &mut Secrets) -> Option<String> {
    let (rows, schema) = (&section.rows, section.rows.schema());
    let count = rows.num_rows().min(BARS);
    if count < 3 {
        return None;
    }
    let named = schema.fields().iter().position(|field| Unit::of(field.name(), field.data_type()) == Unit::Text)?;
    let (field, heights) = schema.fields().iter().filter(|field| is_measure(field.name(), field.data_type())).find_map(|field| {
        let heights = numbers(rows, field.name())?;
        let falls = heights.windows(2).take(count).all(|pair| matches!(pair, [a, b] if a >= b));
        (falls && heights.first()? > heights.get(count - 1)?).then_some((field, heights))
    })?;
    let unit = Unit::of(field.name(), field.data_type());
    let highest = heights.first().copied().filter(|highest| *highest > 0.0)?;
    let (width, from, room) = (520.0, 190.0, 250.0);
    let height = 22 * count + 4;
    let measured = label(field.name());
    let (name, measured) = (escape::text(&section.name), escape::text(&measured));
    let mut svg = format!(
        "<svg role=\"img\" aria-label=\"{name}: {measured}, the first {count} of {}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" class=\"top\">\n",
        rows.num_rows()
    );
    for (row, amount) in heights.iter().take(count).enumerate() {
        let y = 22 * row;
        let shown = value::shown(rows.column(named), row, Unit::Text, Place::Cell, 0, secrets);
        let bar = (amount / highest * room).max(1.0);
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{}\" text-anchor=\"end\"><title>{}</title>{}</text><rect x=\"{from:.0}\" y=\"{}\" width=\"{bar:.1}\" height=\"14\" rx=\"1\"/><text class=\"v\" x=\"{:.1}\" y=\"{}\">{}</text>",
            from - 8.0,
            y + 15,
            escape::label(&shown, 120),
            escape::label(&shown, 28),
            y + 4,
            from + bar + 6.0,
            y + 15,
            escape::text(&measure(*amount, unit))
        );
    }
    svg.push_str("</svg>");
    Some(format!("<figure class=\"chart\"><figcaption>{name} <span>{measured}</span></figcaption>{svg}</figure>\n"))
}

fn is_measure(name: &str, data_type: &DataType) -> bool {
    matches!(Unit::of(name, data_type), Unit::Count | Unit::Bytes | Unit::Seconds | Unit::Milliseconds)
}

/// A column as numbers; null counts as nothing.
pub fn numbers(rows: &RecordBatch, name: &str) -> Option<Vec<f64>> {
    let column = cast(rows.column_by_name(name)?, &DataType::Float64).ok()?;
    let column = column.as_primitive::<Float64Type>();
    Some((0..column.len()).map(|row| if column.is_null(row) { 0.0 } else { column.value(row) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let minute = 60_000_000_000;
        let names: Vec<_> = Span { from: minute / 2, to: 7 * minute }.ticks().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["00:01", "00:02", "00:03", "00:04", "00:05", "00:06", "00:07"]);
        assert!(Span { from: i64::MIN, to: i64::MAX }.ticks().len() <= 16);
        assert!(Span { from: 5, to: 5 }.ticks().len() <= 16);
    }

    #[test]
    fn rounds_cover() {
        assert_eq!(rounds(7.0, Unit::Count), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(rounds(3000.0, Unit::Bytes), [0.0, 1024.0, 2048.0, 3072.0]);
        assert_eq!(measure(3072.0, Unit::Bytes), "3 KB");
    }
}
