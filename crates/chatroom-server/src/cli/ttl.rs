use crate::config::units;

/// A hundred years: whoever wants more writes `0s`.
const LONGEST: u64 = 36_500 * 86_400;

/// Reads how long a token is valid, in whole seconds.
///
/// # Errors
/// A sentence for the person who typed it.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let duration = units::duration(text).ok_or("write a duration such as `3600s`, `12h` or `7d`")?;
    match duration.as_secs() {
        _ if duration.subsec_nanos() != 0 => Err("write whole seconds".to_owned()),
        longer if longer > LONGEST => Err("write at most `36500d`, or `0s` for ever".to_owned()),
        seconds => Ok(seconds),
    }
}
