//! Dates of the proleptic Gregorian calendar, as people read and write them.

/// Days from 1970-01-01 to a date.
///
/// Years are counted from March, so that the leap day ends one; 400 of them have 146,097 days.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - DAYS_TO_1970
}

/// The year, month and day that lie so many days after 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let era = days.div_euclid(DAYS_OF_400_YEARS);
    let day_of_era = days.rem_euclid(DAYS_OF_400_YEARS);
    // Days that are leap days are taken out: one in 4 years, but not in a 100th, but in the 400th.
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// An instant as RFC 3339 writes it, in UTC, to the millisecond.
///
/// - `ms`: milliseconds since 1970.
pub fn instant_text(ms: i64) -> String {
    let (seconds, fraction) = (ms.div_euclid(1_000), ms.rem_euclid(1_000));
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
/// Days of 400 years.
const DAYS_OF_400_YEARS: i64 = 146_097;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_is_found_again() {
        let mut last = (1599, 12, 31);
        for days in days_from_civil(1600, 1, 1)..days_from_civil(2400, 1, 1) {
            let date = civil_from_days(days);
            assert!(date > last, "{date:?} follows {last:?}");
            assert_eq!(days_from_civil(date.0, date.1, date.2), days);
            last = date;
        }
        assert_eq!(last, (2399, 12, 31));
    }

    #[test]
    fn instants_read_as_rfc_3339() {
        assert_eq!(instant_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(instant_text(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(instant_text(-1), "1969-12-31T23:59:59.999Z");
    }
}
