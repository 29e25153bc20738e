//! What two sides compare: how many records there are of each kind, and a hash of them that no order changes.

use std::fmt;

use chatroom_core::PortableKind;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::line::Line;

/// The records of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sum {
    pub(crate) records: u64,
    pub(crate) hash: SetHash,
}

/// The SHA-256 of each record, added up in four lanes of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SetHash([u64; 4]);

/// A sum for each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums([Sum; PortableKind::ALL.len()]);

impl Sums {
    /// Counts a record whose line is `text`.
    pub(super) fn add_line(
        &mut self,
        kind: PortableKind,
        compared: Option<&Line<'_>>,
        text: &[u8],
    ) -> serde_json::Result<()> {
        match compared {
            Some(line) => self.add(kind, &serde_json::to_vec(line)?),
            None => self.add(kind, text),
        }
        Ok(())
    }

    fn add(&mut self, kind: PortableKind, line: &[u8]) {
        let Some((_, sum)) = PortableKind::ALL.iter().zip(&mut self.0).find(|(other, _)| **other == kind)
        else {
            return;
        };
        sum.records += 1;
        let digest = Sha256::digest(line);
        for (lane, bytes) in sum.hash.0.iter_mut().zip(digest.chunks_exact(8)) {
            *lane = lane.wrapping_add(bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)));
        }
    }

    /// Each kind with its sum.
    pub(crate) fn each(&self) -> impl Iterator<Item = (PortableKind, Sum)> {
        PortableKind::ALL.into_iter().zip(self.0)
    }

    /// How many records there are in all.
    pub(crate) fn records(&self) -> u64 {
        self.0.iter().map(|sum| sum.records).sum()
    }
}

impl fmt::Display for SetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

impl Serialize for SetHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SetHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let lane =
            |n: usize| text.get(16 * n..16 * (n + 1)).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        let lanes = (text.len() == 64).then(|| Some([lane(0)?, lane(1)?, lane(2)?, lane(3)?]));
        lanes.flatten().map(Self).ok_or_else(|| D::Error::custom("a hash is 64 hexadecimal digits"))
    }
}

impl Serialize for Sums {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (kind, sum) in self.each() {
            map.serialize_entry(kind.as_str(), &sum)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut by_name = std::collections::BTreeMap::<String, Sum>::deserialize(from)?;
        let mut sums = Self::default();
        for (kind, sum) in PortableKind::ALL.iter().zip(&mut sums.0) {
            let found = by_name.remove(kind.as_str());
            *sum = found.ok_or_else(|| D::Error::custom(format!("no sum for `{}`", kind.as_str())))?;
        }
        match by_name.keys().next() {
            Some(unknown) => Err(D::Error::custom(format!("a sum for `{unknown}`"))),
            None => Ok(sums),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Sums {
        let mut sums = Sums::default();
        lines.iter().for_each(|line| sums.add(PortableKind::User, line.as_bytes()));
        sums
    }

    #[test]
    fn the_order_of_records_does_not_matter_and_their_number_does() {
        assert_eq!(of(&["a", "b", "c"]), of(&["c", "a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["a", "c"]));
        assert_ne!(of(&["a", "a"]), of(&["a"]));
        assert_eq!(of(&["a", "a"]).records(), 2);
    }

    #[test]
    fn one_record_has_its_sha_256() {
        insta::assert_snapshot!(
            of(&["abc"]).0[1].hash,
            @"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn sums_are_read_as_they_are_written() {
        let sums = of(&["a", "b"]);
        let text = serde_json::to_string(&sums).unwrap();
        assert_eq!(serde_json::from_str::<Sums>(&text).unwrap(), sums);
        assert!(serde_json::from_str::<Sums>(&text.replace("room", "mute")).is_err());
    }
}
