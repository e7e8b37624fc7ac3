//! Calendar times as devices write them, in nanoseconds since 1970.

/// A date and time of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub nanosecond: u32,
}

impl Civil {
    /// Nanoseconds since 1970 as if in UTC; `None` for what is no date or no time of day.
    pub fn nanoseconds(self) -> Option<i64> {
        let fits = (1..=12).contains(&self.month)
            && (1..=days_in(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.nanosecond < 1_000_000_000
            && (1678..=2261).contains(&self.year);
        if !fits {
            return None;
        }
        // Years are counted from March, so that the leap day is the last of its year.
        let (year, month) = if self.month > 2 { (self.year, i64::from(self.month) - 3) } else { (self.year - 1, i64::from(self.month) + 9) };
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
        let seconds = days * 86_400 + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(seconds * 1_000_000_000 + i64::from(self.nanosecond))
    }
}

/// A time in UTC as ISO 8601 writes it, whole seconds.
pub fn iso(nanoseconds: i64) -> String {
    seconds(nanoseconds) + "Z"
}

/// A time as ISO 8601 writes it, to the millisecond and without a zone: what a device's clock is set to, whose zone only the
/// device knows.
pub fn clock(nanoseconds: i64) -> String {
    let milliseconds = nanoseconds.rem_euclid(1_000_000_000) / 1_000_000;
    format!("{}.{milliseconds:03}", seconds(nanoseconds))
}

fn seconds(nanoseconds: i64) -> String {
    let seconds = nanoseconds.div_euclid(1_000_000_000);
    let (days, time) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    // The inverse of the count above: eras of 400 years, years from March.
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60)
}

/// Days of a month.
fn days_in(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(clock(1_454_972_890_047_000_000), "2016-02-08T23:08:10.047");
        assert_eq!(iso(951_782_400_000_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn days_are_counted() {
        let day = |year, month, day| Civil { year, month, day, ..Civil::default() }.nanoseconds().map(|ns| ns / 86_400_000_000_000);
        assert_eq!(day(1970, 1, 1), Some(0));
        assert_eq!(day(2000, 2, 29), Some(11_016));
        assert_eq!(day(2024, 12, 31), Some(20_088));
        assert_eq!(day(1969, 12, 31), Some(-1));
        assert_eq!(day(2023, 2, 29), None);
    }
}
