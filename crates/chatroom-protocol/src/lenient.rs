//! What clients in the field send is not always of the documented type. These readers accept what is meant.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads `null` as the default.
pub(crate) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Reads a whole number, also as a string (`"200"`); `null` and an empty string are none.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = Option<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number that is not negative")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
            match u64::try_from(number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            match text.trim() {
                "" => Ok(None),
                digits => match digits.parse() {
                    Ok(number) => Ok(Some(number)),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                },
            }
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    from.deserialize_any(Number)
}

/// Reads an object only. Without it, a struct is read from an array of its fields in their order too, which nobody
/// means.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfObject<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        from.deserialize_map(OfObject(std::marker::PhantomData))
    }
}

/// Reads an object as one, an array as many. Unlike an untagged enum it keeps the error of the element.
pub(crate) fn one_or_many<'de, D, T, R>(
    from: D,
    one: impl FnOnce(T) -> R,
    many: impl FnOnce(Vec<T>) -> R,
) -> Result<R, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T, O, M>(O, M, std::marker::PhantomData<T>);

    impl<'de, T, R, O, M> Visitor<'de> for OneOrMany<T, O, M>
    where
        T: Deserialize<'de>,
        O: FnOnce(T) -> R,
        M: FnOnce(Vec<T>) -> R,
    {
        type Value = R;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object, or an array of objects")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<R, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<R, A::Error> {
            let objects = Vec::<Object<T>>::deserialize(SeqAccessDeserializer::new(seq))?;
            Ok((self.1)(objects.into_iter().map(|object| object.0).collect()))
        }
    }

    from.deserialize_any(OneOrMany(one, many, std::marker::PhantomData))
}
