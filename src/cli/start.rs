//! Where reading starts: `beginning`, `end`, an offset, the last few records, a point in time.

use std::str::FromStr;

use crate::civil::days_from_civil;

/// See the file's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The first record there is.
    Beginning,
    /// Behind the last record.
    End,
    /// An offset.
    Offset(i64),
    /// So many records before the end of each partition.
    Last(i64),
    /// The first record of this time or later, ms since 1970.
    Time(i64),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "'{text}' is none of: beginning, end, OFFSET, -N for the last N records, \
                 @MILLISECONDS since 1970, 2026-01-31T12:00:00Z"
            )
        };
        match text {
            "beginning" | "earliest" => return Ok(Self::Beginning),
            "end" | "latest" => return Ok(Self::End),
            _ => {}
        }
        if let Some(ms) = text.strip_prefix('@') {
            return ms.parse().map(Self::Time).map_err(|_| refuse());
        }
        match text.parse::<i64>() {
            Ok(number) if number < 0 => Ok(Self::Last(number.saturating_neg())),
            Ok(number) => Ok(Self::Offset(number)),
            Err(_) => instant_ms(text).map(Self::Time).ok_or_else(refuse),
        }
    }
}

/// Reads `2026-01-31`, `2026-01-31T12:00:00Z`, fractions and offsets included, as ms since 1970;
/// without an offset it is UTC. Source: RFC 3339.
pub(crate) fn instant_ms(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, "00:00:00Z"));
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    let (clock, offset_minutes) = zone(time)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset_minutes * 60) * 1_000 + digits.parse::<i64>().ok()?)
}

/// Splits the offset from a time: the rest, and minutes east of UTC.
fn zone(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, offset) = time.split_at(at);
    let (hours, minutes) = offset[1..].split_once(':')?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some((clock, if offset.starts_with('-') { -minutes } else { minutes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_say_where() {
        assert_eq!("beginning".parse(), Ok(Start::Beginning));
        assert_eq!("end".parse(), Ok(Start::End));
        assert_eq!("17".parse(), Ok(Start::Offset(17)));
        assert_eq!("-5".parse(), Ok(Start::Last(5)));
        assert_eq!("@1700000000000".parse(), Ok(Start::Time(1_700_000_000_000)));
        assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(Start::Time(1_700_000_000_000)));
        assert!("yesterday".parse::<Start>().is_err());
        assert!("2023-13-01".parse::<Start>().is_err());
    }

    #[test]
    fn points_in_time_are_read_as_rfc_3339_says() {
        assert_eq!(instant_ms("1970-01-01"), Some(0));
        assert_eq!(instant_ms("1969-12-31T23:59:59.5Z"), Some(-500));
        assert_eq!(instant_ms("2000-02-29T00:00:00Z"), Some(951_782_400_000));
        assert_eq!(instant_ms("2000-03-01T01:30:00+01:30"), Some(951_868_800_000));
        assert_eq!(instant_ms("1999-12-31T19:00:00.123-05:00"), Some(946_684_800_123));
        assert_eq!(instant_ms("2024-01-01T24:00:00Z"), None);
    }
}
