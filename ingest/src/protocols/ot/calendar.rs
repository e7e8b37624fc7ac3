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
    fn days_are_counted() {
        let day = |year, month, day| Civil { year, month, day, ..Civil::default() }.nanoseconds().map(|ns| ns / 86_400_000_000_000);
        assert_eq!(day(1970, 1, 1), Some(0));
        assert_eq!(day(2000, 2, 29), Some(11_016));
        assert_eq!(day(2024, 12, 31), Some(20_088));
        assert_eq!(day(1969, 12, 31), Some(-1));
        assert_eq!(day(2023, 2, 29), None);
    }
}
