//! What the servers are told.

use std::net::SocketAddr;
use std::time::Duration;

/// The app that the server is told to have. Nothing outside this machine ever sees these.
pub(super) const CLIENT_ID: &str = "YXA6benchmark";
pub(super) const CLIENT_SECRET: &str = "YXA6secret-of-a-benchmark";

const CALLBACK_SECRET: &str = "secret-of-a-benchmark";
/// `callback.max_rules` as it is unless somebody changes it.
const MAX_RULES: usize = 4;

/// How many names one call may have, so that loading does not take hours.
pub(crate) const BATCH: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Embedded,
    Memory,
    Postgres,
}

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Memory => "memory",
            Self::Postgres => "postgres",
        }
    }
}

/// A rule of callbacks: removals are posted to this URL.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) url: String,
}

/// A configuration. All settings are the defaults, but for these and for the limits that would refuse what a
/// benchmark does.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) store: Store,
    /// `store.url`, of PostgreSQL.
    pub(crate) url: Option<String>,
    /// `limits.max_users`
    pub(crate) max_users: usize,
    /// `rate_limit.per_second`; 0 for no limit.
    pub(crate) per_second: u32,
    /// `callback.keep`
    pub(crate) keep: Option<Duration>,
    /// `[[apps.callbacks]]`; addresses on loopback are allowed if there are any.
    pub(crate) rules: Vec<Rule>,
}

impl Setup {
    pub(crate) fn of(store: Store, max_users: usize) -> Self {
        Self { store, url: None, max_users, per_second: 0, keep: None, rules: Vec::new() }
    }

    /// PostgreSQL, in this database.
    pub(crate) fn on(url: String, max_users: usize) -> Self {
        Self { url: Some(url), ..Self::of(Store::Postgres, max_users) }
    }

    pub(crate) fn with_rules(self, rules: Vec<Rule>) -> Self {
        Self { rules, ..self }
    }

    pub(super) fn to_toml(&self, address: SocketAddr) -> String {
        let Self { store, url, max_users, per_second, keep, rules } = self;
        let place =
            url.as_ref().map_or_else(|| "path = \"data\"".to_owned(), |url| format!("url = \"{url}\""));
        let mut lines = vec![
            format!("listen = \"{address}\""),
            format!("[store]\nkind = \"{}\"\n{place}", store.name()),
            format!("[rate_limit]\nper_second = {per_second}"),
            format!("[limits]\nbatch = {BATCH}\nmax_users = {max_users}"),
            "[callback]".to_owned(),
        ];
        lines.extend(keep.map(|keep| format!("keep = \"{}s\"", keep.as_secs())));
        if !rules.is_empty() {
            lines.push("allow_networks = [\"127.0.0.0/8\"]".to_owned());
        }
        if rules.len() > MAX_RULES {
            lines.push(format!("max_rules = {}", rules.len()));
        }
        lines.push("[[apps]]\norg = \"demo\"\napp = \"chat\"".to_owned());
        lines.push(format!("client_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\""));
        lines.extend(rules.iter().map(Rule::to_toml));
        lines.join("\n")
    }
}

impl Rule {
    fn to_toml(&self) -> String {
        let Self { name, url } = self;
        format!(
            "[[apps.callbacks]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"{CALLBACK_SECRET}\"\n\
             events = [\"LEAVE/KICK\"]"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rule, Setup, Store};

    #[test]
    fn only_what_a_benchmark_needs_is_said() {
        let address = ([127, 0, 0, 1], 80).into();
        let plain = Setup::of(Store::Memory, 7);
        let toml = plain.to_toml(address);
        assert!(toml.contains("max_users = 7\n[callback]\n[[apps]]\n"), "{toml}");
        let postgres = Setup::on("postgres://h/db".to_owned(), 7).to_toml(address);
        assert!(postgres.contains("kind = \"postgres\"\nurl = \"postgres://h/db\"\n"), "{postgres}");
        let rule = |number: usize| Rule { name: format!("r{number}"), url: format!("http://h/{number}") };
        let four = plain.clone().with_rules((0..4).map(rule).collect()).to_toml(address);
        assert!(four.contains("allow_networks") && !four.contains("max_rules"), "{four}");
        let five = Setup { keep: Some(Duration::from_mins(2)), ..plain }
            .with_rules((0..5).map(rule).collect())
            .to_toml(address);
        assert!(five.contains("keep = \"120s\"\n") && five.contains("max_rules = 5\n"), "{five}");
        assert!(five.ends_with(
            "url = \"http://h/4\"\nsecret = \"secret-of-a-benchmark\"\nevents = [\"LEAVE/KICK\"]"
        ));
    }
}
