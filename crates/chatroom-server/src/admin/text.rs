//! Values that go over the control socket as people write them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// One, or none.
pub(super) mod optional {
    use super::{Deserialize, Deserializer, Display, Error, FromStr, Serialize, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Some, or all that there are.
pub(super) mod choice {
    use super::{BTreeSet, Deserialize, Deserializer, Display, Error, FromStr, Serialize, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<BTreeSet<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let texts = value.as_ref().map(|set| set.iter().map(ToString::to_string).collect::<Vec<_>>());
        texts.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<BTreeSet<T>>, D::Error>
    where
        T: FromStr<Err: Display> + Ord,
        D: Deserializer<'de>,
    {
        let texts = Option::<Vec<String>>::deserialize(deserializer)?;
        let read = |texts: Vec<String>| texts.iter().map(|text| text.parse()).collect();
        texts.map(read).transpose().map_err(D::Error::custom)
    }
}

/// The same of classes of events.
pub(super) mod classes {
    use chatroom_core::EventClass;

    use super::{BTreeSet, Deserialize, Deserializer, Error};

    pub(crate) use super::choice::serialize;

    pub(crate) fn deserialize<'de, D>(deserializer: D) -> Result<Option<BTreeSet<EventClass>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let Some(texts) = Option::<Vec<String>>::deserialize(deserializer)? else { return Ok(None) };
        let mut classes = BTreeSet::new();
        for text in texts {
            classes.extend(EventClass::parse(&text).map_err(D::Error::custom)?);
        }
        Ok(Some(classes))
    }
}
