//! A moment as a user writes it: seconds since 1970, or ISO 8601.

/// Nanoseconds since 1970 of `2025-01-01`, `2025-01-01T10:00`, `2025-01-01 10:00:00.5+02:00`, `1735689600.25`; without a zone
/// it is UTC.
pub fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text.len() == 4 && text.chars().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("a year alone is no moment; write {text}-01-01"));
    }
    let wrong = || "seconds since 1970 or a time such as 2025-01-01T10:00:00Z are needed".to_owned();
    let ns = if text.get(..text.len().min(5)).is_some_and(|start| start.ends_with('-')) { iso(text) } else { epoch(text) };
    ns.ok_or_else(wrong)
}

/// Seconds with a fraction of up to nine digits.
fn epoch(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = digits(seconds, 1, 11)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds(fraction)?)
}

fn iso(text: &str) -> Option<i64> {
    let (date, rest) = match text.split_once(['T', 't', ' ']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let (year, month, day) = (digits(year, 4, 4)?, digits(month, 2, 2)?, digits(day, 2, 2)?);
    let days = days(year, month, day)?;
    let Some(rest) = rest else { return days.checked_mul(86_400_000_000_000) };
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = (rest.get(..zone_at)?, rest.get(zone_at..)?);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (digits(hour, 2, 2)?, digits(minute, 2, 2)?, 0),
        [hour, minute, second] => (digits(hour, 2, 2)?, digits(minute, 2, 2)?, digits(second, 2, 2)?),
        _ => return None,
    };
    // A leap second is the first of the next minute.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds(fraction)?)
}

/// Seconds east of Greenwich: `Z`, `+02:00`, `+0200`, `+02` or nothing.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        None => return Some(0),
        Some('Z' | 'z') => return (zone.len() == 1).then_some(0),
        Some('+') => 1,
        Some(_) => -1,
    };
    let plain = zone.get(1..)?.replacen(':', "", 1);
    let (hours, minutes) = match plain.len() {
        2 => (digits(&plain, 2, 2)?, 0),
        4 => (digits(plain.get(..2)?, 2, 2)?, digits(plain.get(2..)?, 2, 2)?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// The part of a second behind the point.
fn nanoseconds(fraction: &str) -> Option<i64> {
    let value = digits(fraction, 1, 9)?;
    Some(value * 10_i64.pow(9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?))
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    ((least..=most).contains(&text.len()) && text.chars().all(|digit| digit.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; `None` if there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Years are counted from March, so that the leap day is a year's last.
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn moments() {
        const SECOND: i64 = 1_000_000_000;
        for (text, ns) in [
            ("1735689600", 1_735_689_600 * SECOND),
            ("1735689600.5", 1_735_689_600 * SECOND + 500_000_000),
            ("0.000000001", 1),
            ("2025-01-01", 1_735_689_600 * SECOND),
            ("2025-01-01T10:00", 1_735_725_600 * SECOND),
            ("2025-01-01 10:00:00.123456789Z", 1_735_725_600 * SECOND + 123_456_789),
            ("2025-01-01T12:00+02:00", 1_735_725_600 * SECOND),
            ("2025-01-01T12:00:00+0200", 1_735_725_600 * SECOND),
            ("2025-01-01T04:30-05:30", 1_735_725_600 * SECOND),
            ("2024-02-29", 1_709_164_800 * SECOND),
        ] {
            assert_eq!(parse(text), Ok(ns), "{text}");
        }
        for text in
            ["2025-02-29", "2025-13-01", "2025-01-01T24:00", "2025-01-01T10", "nan", "inf", "-5", "", "10:00", "2025-01-01T10:00+25", "1.1234567890"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("2025").unwrap_err().contains("2025-01-01"));
    }
}
