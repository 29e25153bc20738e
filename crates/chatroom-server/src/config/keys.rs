//! The table of keys: the one place that knows their names. The layers, the suggestions, `check-config` and the
//! documentation all come from it.

use std::sync::LazyLock;
use std::time::Duration;

use toml::Value;

use super::kinds::{
    Filter, Input, Kind, Listen, Names, Networks, Numbers, Optional, OriginList, Path, Size, Url, Whole,
    Within, Wrong,
};
use super::store::{Database, Flag};
use super::{BlankToken, Config, Endpoint, LogFormat, NotMemberStatus, StoreKind, StoreRequire, StoreSync};

/// A key that all layers know.
pub(super) struct Key {
    /// With its section: `limits.batch`.
    pub(super) name: String,
    setting: Box<dyn Setting>,
}

trait Setting: Send + Sync {
    fn takes(&self) -> String;
    fn set(&self, config: &mut Config, input: &Input<'_>) -> Result<(), Wrong>;
    fn show(&self, config: &mut Config) -> Option<Value>;
}

/// A kind of value, and its place in the configuration.
struct Placed<K, P> {
    kind: K,
    place: P,
}

impl<T, K, P> Setting for Placed<K, (P, std::marker::PhantomData<fn() -> T>)>
where
    K: Kind<T>,
    P: Fn(&mut Config) -> &mut T + Send + Sync,
{
    fn takes(&self) -> String {
        self.kind.takes()
    }

    fn set(&self, config: &mut Config, input: &Input<'_>) -> Result<(), Wrong> {
        *(self.place.0)(config) = self.kind.read(input)?;
        Ok(())
    }

    fn show(&self, config: &mut Config) -> Option<Value> {
        self.kind.show((self.place.0)(config))
    }
}

impl Key {
    /// What it takes, in words.
    pub(super) fn takes(&self) -> String {
        self.setting.takes()
    }

    /// Reads a value into the configuration, or says in words what is wrong with it. `name` is how the layer calls
    /// the key.
    pub(super) fn set(&self, config: &mut Config, input: &Input<'_>, name: &str) -> Result<(), String> {
        self.setting.set(config, input).map_err(|wrong| match wrong {
            Wrong::Found(found) => format!("`{name}` must be {}, not {found}", self.takes()),
            Wrong::Because(why) => format!("`{name}` {why}"),
        })
    }

    /// The value in `config`, as a file would say it. The configuration is not changed: `mut` is there because one
    /// accessor both sets and shows.
    pub(super) fn show(&self, config: &mut Config) -> Option<Value> {
        self.setting.show(config)
    }

    /// Whether it stands in this section, or in one below it.
    pub(super) fn is_in(&self, section: &str) -> bool {
        self.name.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
    }

    /// The name of its variable: `CHATROOM__LIMITS__BATCH`.
    pub(super) fn variable(&self) -> String {
        variable(&self.name)
    }
}

/// The variable of a key.
pub(super) fn variable(name: &str) -> String {
    format!("CHATROOM__{}", name.to_uppercase().replace('.', "__"))
}

/// All keys but those of `[[apps]]`, section by section.
pub(super) fn all() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(keys);
    &KEYS
}

/// The key of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    all().iter().find(|key| key.name == name)
}

/// The names of the sections: `limits`, `rate_limit.overrides`.
pub(super) fn sections() -> impl Iterator<Item = &'static str> {
    all().iter().filter_map(|key| key.name.rsplit_once('.')).map(|(section, _)| section)
}

/// Whether a name is that of a section, or of what holds one.
pub(super) fn is_section(name: &str) -> bool {
    all().iter().any(|key| key.is_in(name))
}

fn key<T: 'static, K: Kind<T>>(
    name: &str,
    kind: K,
    place: impl Fn(&mut Config) -> &mut T + Send + Sync + 'static,
) -> Key {
    let setting = Box::new(Placed { kind, place: (place, std::marker::PhantomData) });
    Key { name: name.to_owned(), setting }
}

const fn whole(least: u64, most: u64) -> Whole {
    Whole { least, most }
}

const fn size(least: u64, most: u64) -> Size {
    Size { least, most }
}

const fn within(least_ms: u64, most_s: u64) -> Within {
    Within { least: Duration::from_millis(least_ms), most: Duration::from_secs(most_s) }
}

const STORES: Names<StoreKind> = Names(&[
    ("embedded", StoreKind::Embedded),
    ("postgres", StoreKind::Postgres),
    ("memory", StoreKind::Memory),
]);
const SYNCS: Names<StoreSync> = Names(&[("full", StoreSync::Full), ("none", StoreSync::None)]);
const REQUIREMENTS: Names<StoreRequire> = Names(&[("replicated", StoreRequire::Replicated)]);
const BLANK_TOKENS: Names<BlankToken> =
    Names(&[("documented", BlankToken::Documented), ("recorded", BlankToken::Recorded)]);
const FORMATS: Names<LogFormat> =
    Names(&[("auto", LogFormat::Auto), ("pretty", LogFormat::Pretty), ("json", LogFormat::Json)]);
const NOT_MEMBER: Numbers<NotMemberStatus> =
    Numbers(&[(400, NotMemberStatus::BadRequest), (403, NotMemberStatus::Forbidden)]);

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Well below a lease, which must not end under an attempt.
const LONGEST_ATTEMPT: u64 = 20;
/// More calls a second than one process answers.
const MOST_CALLS: u64 = 1_000_000;
/// More memberships than the memory of any machine holds.
const MOST_MEMBERS: u64 = 10_000_000_000;

fn keys() -> Vec<Key> {
    let mut keys = vec![
        key("listen", Listen, |c| &mut c.listen),
        key("public_url", Optional(Url), |c| &mut c.public_url),
        key("shutdown_grace", within(0, HOUR), |c| &mut c.shutdown_grace),
        key("store.kind", STORES, |c| &mut c.store.kind),
        key("store.path", Path, |c| &mut c.store.path),
        key("store.sync", SYNCS, |c| &mut c.store.sync),
        key("store.max_members", Optional(whole(1, MOST_MEMBERS)), |c| &mut c.store.max_members),
        key("store.url", Optional(Database), |c| &mut c.store.url),
        key("store.tls_ca", Optional(Path), |c| &mut c.store.tls_ca),
        key("store.migrate", Flag, |c| &mut c.store.migrate),
        key("store.require", Optional(REQUIREMENTS), |c| &mut c.store.require),
        key("rate_limit.per_second", whole(0, MOST_CALLS), |c| &mut c.rate_limit.per_second),
        key("rate_limit.token_per_second", whole(0, MOST_CALLS), |c| &mut c.rate_limit.token_per_second),
    ];
    keys.extend(Endpoint::ALL.into_iter().map(|endpoint| {
        let name = format!("rate_limit.overrides.{}", endpoint.as_str());
        key(&name, Optional(whole(0, MOST_CALLS)), move |c| c.rate_limit.overrides.slot(endpoint))
    }));
    keys.extend([
        key("limits.remove_batch", whole(1, 1_000), |c| &mut c.limits.calls.remove_batch),
        key("limits.batch", whole(1, 1_000), |c| &mut c.limits.calls.batch),
        key("limits.max_users", whole(1, 10_000_000), |c| &mut c.limits.calls.max_users),
        key("limits.head", size(8 << 10, 1 << 20), |c| &mut c.limits.head),
        key("limits.body", size(1 << 10, 1 << 30), |c| &mut c.limits.body),
        key("limits.head_timeout", within(1, HOUR), |c| &mut c.limits.head_timeout),
        key("limits.request_timeout", within(1, HOUR), |c| &mut c.limits.request_timeout),
        key("limits.connections", whole(1, 1_000_000), |c| &mut c.limits.connections),
        key("compat.not_member_status", NOT_MEMBER, |c| &mut c.compat.not_member_status),
        key("compat.blank_token", BLANK_TOKENS, |c| &mut c.compat.blank_token),
        key("cors.origins", OriginList, |c| &mut c.cors.origins),
        key("callback.keep", within(1, 3_650 * DAY), |c| &mut c.callback.keep),
        key("callback.keep_bytes", size(1 << 10, 1 << 50), |c| &mut c.callback.keep_bytes),
        key("callback.max_rules", whole(1, 1_000), |c| &mut c.callback.max_rules),
        key("callback.timeout", within(1, LONGEST_ATTEMPT), |c| &mut c.callback.timeout),
        key("callback.give_up_after", within(1, 3_650 * DAY), |c| &mut c.callback.give_up_after),
        key("callback.allow_networks", Networks, |c| &mut c.callback.allow_networks),
        key("log.level", Filter, |c| &mut c.log.level),
        key("log.format", FORMATS, |c| &mut c.log.format),
    ]);
    keys
}
