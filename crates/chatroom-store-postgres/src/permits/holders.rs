//! Holders as bytes: a version, then 32 bytes each.

use chatroom_core::permits::{Holder, NodeId};
use chatroom_core::{StorageError, StorageErrorKind};

/// The newest version that this code writes and reads.
const VERSION: u8 = 1;

pub(super) fn encode(holders: &[Holder]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for holder in holders {
        bytes.extend_from_slice(&holder.node.0.to_be_bytes());
        for number in [holder.share, holder.given, holder.rested, holder.demand] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
    }
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Holder>, StorageError> {
    let corrupt = || {
        let message = "permits are not readable, or a newer version wrote them";
        StorageError::new(StorageErrorKind::Corrupt, message)
    };
    let (holders, rest) = bytes.strip_prefix(&[VERSION]).ok_or_else(corrupt)?.as_chunks();
    if rest.is_empty() { Ok(holders.iter().map(holder).collect()) } else { Err(corrupt()) }
}

fn holder(bytes: &[u8; 32]) -> Holder {
    let number =
        |index: usize| bytes.iter().skip(index).take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    let node = bytes.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    Holder {
        node: NodeId(node),
        share: number(16),
        given: number(20),
        rested: number(24),
        demand: number(28),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_read_as_they_were_written() {
        let holder = |node, share| Holder {
            node: NodeId(node),
            share,
            given: 0x0102_0304,
            rested: u32::MAX,
            demand: 7,
        };
        let holders = vec![holder(u128::MAX, 0), holder(1 << 16, u32::MAX)];
        assert_eq!(decode(&encode(&holders)).unwrap(), holders);
        assert_eq!(decode(&encode(&[])).unwrap(), []);
    }

    #[test]
    fn what_is_cut_or_newer_is_corrupt() {
        for bytes in [&[][..], &[2], &[VERSION, 0]] {
            assert_eq!(decode(bytes).unwrap_err().kind(), StorageErrorKind::Corrupt);
        }
    }
}
