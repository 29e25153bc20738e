//! What a key takes: how a value is read from the file and from the environment, and how it is shown.

use std::path::PathBuf;
use std::time::Duration;

use chatroom_callback::IpNet;
use toml::Value;
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::listen::{self, ListenAddress};
use super::origins::Origins;
use super::public_url::PublicUrl;
use super::units;

/// A value as a layer gives it.
pub(super) enum Input<'a> {
    /// From the file, with the type that it has there.
    File(&'a DeValue<'a>),
    /// From the environment: a text, whose type the key decides.
    Text(&'a str),
}

/// Why a value was not taken.
pub(super) enum Wrong {
    /// It is not what the key takes; this was found.
    Found(String),
    /// It is what the key takes and still no good.
    Because(String),
}

/// What a key takes.
pub(super) trait Kind<T>: Send + Sync + 'static {
    /// In words, for errors and for the documentation: "a whole number from 1 to 1000".
    fn takes(&self) -> String;
    fn read(&self, input: &Input<'_>) -> Result<T, Wrong>;
    /// As it would stand in a file; `None` if there is no value.
    fn show(&self, value: &T) -> Option<Value>;
}

impl Input<'_> {
    /// What was found, by its type; the content of texts, which errors about texts name, is `quoted`.
    pub(super) fn found(&self) -> Wrong {
        Wrong::Found(match self {
            Self::File(value) => type_of(value).to_owned(),
            Self::Text(text) => quoted(text),
        })
    }

    pub(super) fn text(&self) -> Result<&str, Wrong> {
        match self {
            Self::File(DeValue::String(text)) => Ok(text),
            Self::File(_) => Err(self.found()),
            Self::Text(text) => Ok(text),
        }
    }

    fn whole(&self) -> Result<u64, Wrong> {
        let (digits, radix) = match self {
            Self::File(DeValue::Integer(number)) => (number.as_str(), number.radix()),
            Self::File(_) => return Err(self.found()),
            Self::Text(text) => (*text, 10),
        };
        u64::from_str_radix(digits, radix).or_else(|_| refused(digits))
    }

    /// A list of strings in the file; in the environment, what stands between commas.
    fn list(&self) -> Result<Vec<&str>, Wrong> {
        match self {
            Self::File(DeValue::Array(items)) => items
                .iter()
                .map(|item| {
                    item.get_ref()
                        .as_str()
                        .ok_or_else(|| Wrong::Found(format!("a list with {}", type_of(item.get_ref()))))
                })
                .collect(),
            Self::File(_) => Err(self.found()),
            Self::Text(text) => Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
        }
    }
}

/// The type of a value of the file, as people call it.
pub(super) fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() { "an empty text".to_owned() } else { format!("`{}`", text.escape_debug()) }
}

fn refused<T>(text: &str) -> Result<T, Wrong> {
    Err(Wrong::Found(quoted(text)))
}

/// A whole number between two bounds, which it may reach.
pub(super) struct Whole {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl<N: TryFrom<u64> + TryInto<i64> + Copy> Kind<N> for Whole {
    fn takes(&self) -> String {
        format!("a whole number from {} to {}", self.least, self.most)
    }

    fn read(&self, input: &Input<'_>) -> Result<N, Wrong> {
        let number = input.whole()?;
        if !(self.least..=self.most).contains(&number) {
            return refused(&number.to_string());
        }
        N::try_from(number).or_else(|_| refused(&number.to_string()))
    }

    fn show(&self, value: &N) -> Option<Value> {
        (*value).try_into().ok().map(Value::Integer)
    }
}

/// A duration between two bounds, which it may reach.
pub(super) struct Within {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl Kind<Duration> for Within {
    fn takes(&self) -> String {
        let (least, most) = (units::show_duration(self.least), units::show_duration(self.most));
        format!("a duration from `{least}` to `{most}`, with the unit `ms`, `s`, `m`, `h` or `d`")
    }

    fn read(&self, input: &Input<'_>) -> Result<Duration, Wrong> {
        let text = input.text()?;
        match units::duration(text) {
            Some(duration) if (self.least..=self.most).contains(&duration) => Ok(duration),
            _ => refused(text),
        }
    }

    fn show(&self, value: &Duration) -> Option<Value> {
        Some(Value::String(units::show_duration(*value)))
    }
}

/// A number of bytes between two bounds, which it may reach.
pub(super) struct Size {
    pub(super) least: u64,
    pub(super) most: u64,
}

impl<N: TryFrom<u64> + TryInto<u64> + Copy> Kind<N> for Size {
    fn takes(&self) -> String {
        let (least, most) = (units::show_size(self.least), units::show_size(self.most));
        format!("a size from `{least}` to `{most}`, with the unit `B`, `KiB`, `MiB`, `GiB` or `TiB`")
    }

    fn read(&self, input: &Input<'_>) -> Result<N, Wrong> {
        let text = input.text()?;
        match units::size(text).filter(|bytes| (self.least..=self.most).contains(bytes)).map(N::try_from) {
            Some(Ok(bytes)) => Ok(bytes),
            _ => refused(text),
        }
    }

    fn show(&self, value: &N) -> Option<Value> {
        (*value).try_into().ok().map(|bytes| Value::String(units::show_size(bytes)))
    }
}

/// One of a few names.
pub(super) struct Names<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq + Send + Sync + 'static> Kind<T> for Names<T> {
    fn takes(&self) -> String {
        choice(self.0.iter().map(|(name, _)| name))
    }

    fn read(&self, input: &Input<'_>) -> Result<T, Wrong> {
        let text = input.text()?;
        let found = self.0.iter().find(|(name, _)| *name == text);
        found.map_or_else(|| refused(text), |(_, value)| Ok(*value))
    }

    fn show(&self, value: &T) -> Option<Value> {
        self.0.iter().find(|(_, named)| named == value).map(|(name, _)| Value::String((*name).to_owned()))
    }
}

/// One of a few numbers.
pub(super) struct Numbers<T: 'static>(pub(super) &'static [(u32, T)]);

impl<T: Copy + PartialEq + Send + Sync + 'static> Kind<T> for Numbers<T> {
    fn takes(&self) -> String {
        choice(self.0.iter().map(|(number, _)| number))
    }

    fn read(&self, input: &Input<'_>) -> Result<T, Wrong> {
        let asked = input.whole()?;
        let found = self.0.iter().find(|(number, _)| u64::from(*number) == asked);
        found.map_or_else(|| refused(&asked.to_string()), |(_, value)| Ok(*value))
    }

    fn show(&self, value: &T) -> Option<Value> {
        self.0.iter().find(|(_, named)| named == value).map(|(number, _)| Value::Integer((*number).into()))
    }
}

fn choice(names: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => names.concat(),
    }
}

/// A key that may be left out.
pub(super) struct Optional<K>(pub(super) K);

impl<T, K: Kind<T>> Kind<Option<T>> for Optional<K> {
    fn takes(&self) -> String {
        self.0.takes()
    }

    fn read(&self, input: &Input<'_>) -> Result<Option<T>, Wrong> {
        self.0.read(input).map(Some)
    }

    fn show(&self, value: &Option<T>) -> Option<Value> {
        value.as_ref().and_then(|value| self.0.show(value))
    }
}

/// The path of a file or a directory.
pub(super) struct Path;

impl Kind<PathBuf> for Path {
    fn takes(&self) -> String {
        "a path".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<PathBuf, Wrong> {
        let text = input.text()?;
        if text.is_empty() || text.contains('\0') { refused(text) } else { Ok(text.into()) }
    }

    fn show(&self, value: &PathBuf) -> Option<Value> {
        Some(Value::String(value.display().to_string()))
    }
}

/// One listen address or more.
pub(super) struct Listen;

impl Kind<Vec<ListenAddress>> for Listen {
    fn takes(&self) -> String {
        format!("an address or a list of them, each {}", listen::FORMS)
    }

    fn read(&self, input: &Input<'_>) -> Result<Vec<ListenAddress>, Wrong> {
        let texts = match input {
            Input::File(DeValue::String(one)) => vec![one.as_ref()],
            _ => input.list()?,
        };
        if texts.is_empty() {
            return Err(Wrong::Found("an empty list".to_owned()));
        }
        texts.into_iter().map(|text| text.parse().or_else(|_| refused(text))).collect()
    }

    fn show(&self, value: &Vec<ListenAddress>) -> Option<Value> {
        match value.as_slice() {
            [one] => Some(Value::String(one.to_string())),
            several => Some(strings(several.iter().map(ToString::to_string))),
        }
    }
}

/// What `uri` begins with.
pub(super) struct Url;

impl Kind<PublicUrl> for Url {
    fn takes(&self) -> String {
        "a URL such as `https://im.example.com`, without a query".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<PublicUrl, Wrong> {
        let text = input.text()?;
        text.parse().or_else(|_| refused(text))
    }

    fn show(&self, value: &PublicUrl) -> Option<Value> {
        Some(Value::String(value.as_str().to_owned()))
    }
}

/// Who may call from a browser.
pub(super) struct OriginList;

impl Kind<Origins> for OriginList {
    fn takes(&self) -> String {
        "a list of origins such as `https://chat.example.com`, without a path, or of `*` alone".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<Origins, Wrong> {
        Origins::parse(&input.list()?).or_else(|wrong| refused(&wrong.0))
    }

    fn show(&self, value: &Origins) -> Option<Value> {
        Some(strings(value.texts().into_iter()))
    }
}

/// Networks, by their addresses and prefixes.
pub(super) struct Networks;

impl Kind<Vec<IpNet>> for Networks {
    fn takes(&self) -> String {
        "a list of networks such as `127.0.0.0/8` or `fd00::/8`".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<Vec<IpNet>, Wrong> {
        input.list()?.into_iter().map(|text| text.parse().or_else(|_| refused(text))).collect()
    }

    fn show(&self, value: &Vec<IpNet>) -> Option<Value> {
        Some(strings(value.iter().map(ToString::to_string)))
    }
}

/// Which log lines are written.
pub(super) struct Filter;

impl Kind<String> for Filter {
    fn takes(&self) -> String {
        "a level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as `info,chatroom_server=debug`".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<String, Wrong> {
        let text = input.text()?;
        // The filter takes a word that is no level for the name of a crate: `inof` would log nothing.
        let levelled = |part: &str| part.contains('=') || part.trim().parse::<LevelFilter>().is_ok();
        let fits = text.split(',').all(levelled) && EnvFilter::builder().parse(text).is_ok();
        if fits { Ok(text.to_owned()) } else { refused(text) }
    }

    fn show(&self, value: &String) -> Option<Value> {
        Some(Value::String(value.clone()))
    }
}

fn strings(texts: impl Iterator<Item = String>) -> Value {
    Value::Array(texts.map(Value::String).collect())
}
