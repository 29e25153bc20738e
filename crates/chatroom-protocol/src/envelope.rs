//! What surrounds every successful answer but that of `POST …/token` (contract §1.3, decision 22).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::lenient;

/// A successful answer: `D` is the operation's result, `E` an entity (users, on the `users` endpoints).
///
/// Keys are written in the page's order; what is `None` is not written. For writing, every string can be
/// borrowed. Reading tolerates what recorded answers leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de>, E: Deserialize<'de>"))]
pub struct Envelope<'a, D, E = NoEntity> {
    /// The HTTP method in lower case.
    #[serde(default)]
    pub action: Cow<'a, str>,
    /// The app's UUID. Opaque, and the same on every node (decision 32).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Cow<'a, str>>,
    /// The query as it was sent, on paged lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Params<'a>>,
    /// The collection's path, on the `users` endpoints only: `/users`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// The URL of the request without its query (decision 21).
    #[serde(default)]
    pub uri: Cow<'a, str>,
    /// Users on the `users` endpoints, empty elsewhere.
    #[serde(default = "Vec::new", deserialize_with = "nullable")]
    pub entities: Vec<E>,
    /// The operation's result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<D>,
    /// When the answer was made: milliseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub timestamp: i64,
    /// How long the request took: whole milliseconds.
    #[serde(default)]
    pub duration: u64,
    /// The organization: the first half of the app key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Cow<'a, str>>,
    /// The app's name: the second half of the app key. Some recorded answers leave it out.
    #[serde(rename = "applicationName", skip_serializing_if = "Option::is_none")]
    pub application_name: Option<Cow<'a, str>>,
    /// How many items this answer lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Where the next page of a list by cursor begins. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cow<'a, str>>,
}

fn nullable<'de, D: Deserializer<'de>, E: Deserialize<'de>>(from: D) -> Result<Vec<E>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The entity of endpoints that have none: `entities` is `[]` there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoEntity {}

/// A query as the envelope repeats it: each name once, with the array of its values, in the order sent.
/// Unknown parameters are repeated too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params<'a>(Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>);

impl<'a> Params<'a> {
    /// Collects decoded pairs of a query; a name that comes again adds a value.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Self {
        let mut all: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)> = Vec::new();
        for (name, value) in pairs {
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => all.push((name, vec![value])),
            }
        }
        Self(all)
    }

    /// Whether the query had no parameter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value of `name`.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        let (_, values) = self.0.iter().find(|(known, _)| known == name)?;
        values.first().map(AsRef::as_ref)
    }
}

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, values) in &self.0 {
            map.serialize_entry(name, values)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Params<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Params<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of arrays of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((name, values)) = map.next_entry::<String, Vec<String>>()? {
                    all.push((Cow::Owned(name), values.into_iter().map(Cow::Owned).collect()));
                }
                Ok(Params(all))
            }
        }

        from.deserialize_map(Pairs)
    }
}

/// `data` of a kind that is an object for one and an array for many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// An object.
    One(T),
    /// An array, also of one element.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        lenient::one_or_many(from, Self::One, Self::Many)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An envelope as the samples have it, around this `data`.
    pub(crate) fn around<D>(action: &'static str, uri: &'static str, data: D) -> Envelope<'static, D> {
        Envelope {
            action: action.into(),
            application: Some("8beXXXX02".into()),
            params: None,
            path: None,
            uri: uri.into(),
            entities: vec![],
            data: Some(data),
            timestamp: 1542555744726,
            duration: 1,
            organization: Some("XXXX".into()),
            application_name: Some("testapp".into()),
            count: None,
            cursor: None,
        }
    }

    #[test]
    fn decision_22_all_keys_come_in_the_pages_order() {
        let pair = |name: &'static str, value: &'static str| (Cow::Borrowed(name), Cow::Borrowed(value));
        let mut all = around("get", "http://h/o/a/chatrooms", ["x"]);
        all.params = Some(Params::from_pairs([pair("limit", "2"), pair("_v", "1"), pair("limit", "3")]));
        all.path = Some("/users".into());
        all.count = Some(1);
        all.cursor = Some("next".into());
        insta::assert_snapshot!(serde_json::to_string(&all).unwrap(), @r#"{"action":"get","application":"8beXXXX02","params":{"limit":["2","3"],"_v":["1"]},"path":"/users","uri":"http://h/o/a/chatrooms","entities":[],"data":["x"],"timestamp":1542555744726,"duration":1,"organization":"XXXX","applicationName":"testapp","count":1,"cursor":"next"}"#);
        assert_eq!(all.params.as_ref().unwrap().first("limit"), Some("2"));
        let again: Envelope<'_, [String; 1]> =
            serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
        assert_eq!(again.params, all.params);
    }

    #[test]
    fn an_envelope_that_leaves_out_most_is_read() {
        let read: Envelope<'_, Vec<String>> =
            serde_json::from_str(r#"{"data":[],"properties":{},"host":"a1","entities":null}"#).unwrap();
        assert_eq!(read.data, Some(vec![]));
        assert_eq!(read.application_name, None);
        let read: Envelope<'_, Vec<String>> = serde_json::from_str("{}").unwrap();
        assert_eq!(read.data, None);
    }
}
