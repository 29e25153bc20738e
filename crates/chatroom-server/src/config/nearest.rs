//! "Did you mean": the known name that is nearest to an unknown one.

use strsim::damerau_levenshtein;

use super::{apps, callbacks, keys};

/// The key or section of a file that is nearest to an unknown one.
pub(super) fn in_file(unknown: &str) -> &'static str {
    let keys = keys::all().iter().map(|key| key.name.as_str());
    let tables = [&apps::APPS, &callbacks::CALLBACKS];
    let of_tables =
        tables.iter().flat_map(|table| table.keys.iter().map(|key| key.name).chain([table.section]));
    nearest(unknown, keys.chain(keys::sections()).chain(of_tables))
}

/// The key that is nearest to an unknown one, among those that the environment may set.
pub(super) fn in_environment(unknown: &str) -> &'static str {
    nearest(unknown, keys::all().iter().map(|key| key.name.as_str()))
}

/// The name that is nearest to an unknown one, by the edits between them; empty if none is known. A key that stands in
/// the wrong section is one edit away from the same key in the right one, if it is nearly the same.
pub(crate) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let unknown = unknown.to_lowercase();
    let distance = |known: &str| {
        let whole = damerau_levenshtein(&unknown, known);
        let alone = damerau_levenshtein(last(&unknown), last(known));
        let misplaced = known.contains('.') && alone * 3 <= last(known).len();
        (if misplaced { whole.min(alone + 1) } else { whole }, whole)
    };
    known.min_by_key(|known| distance(known)).unwrap_or_default()
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_over_typing_errors_and_wrong_sections() {
        for (unknown, known) in [
            ("rate_limit.per_secnd", "rate_limit.per_second"),
            ("limits.per_second", "rate_limit.per_second"),
            ("ratelimit.overrides.creat_room", "rate_limit.overrides.create_room"),
            ("listne", "listen"),
            ("Listen", "listen"),
            ("public-url", "public_url"),
            ("data.path", "store.path"),
            ("batch", "limits.batch"),
            ("apps.client_key", "apps.client_id"),
            ("apps.callback.url", "apps.callbacks.url"),
            ("apps.callbacks.secrt", "apps.callbacks.secret"),
            ("cros", "cors"),
            ("app", "apps"),
        ] {
            assert_eq!(in_file(unknown), known, "{unknown}");
        }
    }
}
