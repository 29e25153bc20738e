//! The newest groups, so that what just happened is delivered without reading the disk.

use std::collections::VecDeque;
use std::sync::Arc;

/// How many bytes are kept at most.
const BYTES: usize = 4 << 20;
/// What a blob takes beside its own bytes, about: with few operations in a group that is as much again.
const BESIDE: usize = 48;

/// The blobs of the newest groups, oldest first.
#[derive(Default)]
pub(crate) struct Recent {
    blobs: VecDeque<(u64, Arc<[u8]>)>,
    bytes: usize,
}

impl Recent {
    /// Keeps the blob of a group that is newer than all that are kept.
    pub(crate) fn push(&mut self, group: u64, blob: &[u8]) {
        if blob.len() > BYTES {
            return;
        }
        self.bytes += blob.len() + BESIDE;
        self.blobs.push_back((group, blob.into()));
        while self.bytes > BYTES {
            let Some((_, gone)) = self.blobs.pop_front() else { return };
            self.bytes -= gone.len() + BESIDE;
        }
    }

    pub(crate) fn get(&self, group: u64) -> Option<Arc<[u8]>> {
        let at = self.blobs.binary_search_by_key(&group, |(number, _)| *number).ok()?;
        self.blobs.get(at).map(|(_, blob)| blob.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_groups_are_found_and_the_oldest_go_when_it_is_too_much() {
        let mut recent = Recent::default();
        for group in [3, 4, 7] {
            recent.push(group, &vec![u8::try_from(group).unwrap(); BYTES / 3 - BESIDE]);
        }
        assert_eq!(recent.get(7).and_then(|blob| blob.first().copied()), Some(7));
        assert!(recent.get(3).is_some() && recent.get(5).is_none());
        recent.push(8, &[8; 100]);
        assert!(recent.get(3).is_none() && recent.get(4).is_some() && recent.get(8).is_some());
    }

    #[test]
    fn small_blobs_take_no_more_than_large_ones() {
        let mut recent = Recent::default();
        for group in 0..200_000 {
            recent.push(group, &[1]);
        }
        assert!((50_000..=BYTES / BESIDE).contains(&recent.blobs.len()), "{}", recent.blobs.len());
    }

    #[test]
    fn a_group_that_is_too_large_is_not_kept_and_drives_no_other_out() {
        let mut recent = Recent::default();
        recent.push(1, &[1; 10]);
        recent.push(2, &vec![2; BYTES + 1]);
        assert!(recent.get(1).is_some() && recent.get(2).is_none());
    }
}
