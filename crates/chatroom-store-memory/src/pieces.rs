use std::collections::VecDeque;
use std::mem;

/// How many elements a full piece has.
const PIECE: usize = 256;

/// A queue in pieces of one size: its memory follows its length. One ring would double when it is full, and hold on to
/// that; and everybody would wait while it is copied, 60 ms for a million events.
#[derive(Debug)]
pub(crate) struct Pieces<T> {
    /// Pieces that were filled. Of the first, some elements may be gone; no other lacks any, and none is empty.
    filled: VecDeque<VecDeque<T>>,
    /// The end of the queue. It is never full.
    last: VecDeque<T>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { filled: VecDeque::new(), last: VecDeque::new() }
    }
}

impl<T> Pieces<T> {
    pub(crate) fn len(&self) -> usize {
        let between = self.filled.len().saturating_sub(1) * PIECE;
        self.filled.front().map_or(0, VecDeque::len) + between + self.last.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filled.is_empty() && self.last.is_empty()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        let Some(first) = self.filled.front() else { return self.last.get(at) };
        let Some(behind) = at.checked_sub(first.len()) else { return first.get(at) };
        let piece = 1 + behind / PIECE;
        let piece = if piece == self.filled.len() { &self.last } else { self.filled.get(piece)? };
        piece.get(behind % PIECE)
    }

    pub(crate) fn front(&self) -> Option<&T> {
        self.get(0)
    }

    /// All from this place on.
    pub(crate) fn from(&self, at: usize) -> impl Iterator<Item = &T> {
        (at..).map_while(|at| self.get(at))
    }

    /// How many at the beginning satisfy `holds`, which no element does behind the first that does not.
    pub(crate) fn count_while(&self, holds: impl Fn(&T) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(&holds) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(crate) fn push_back(&mut self, element: T) {
        self.last.push_back(element);
        if self.last.len() >= PIECE {
            let filled = mem::replace(&mut self.last, VecDeque::with_capacity(PIECE));
            self.filled.push_back(filled);
        }
    }

    pub(crate) fn pop_back(&mut self) -> Option<T> {
        if self.last.is_empty()
            && let Some(filled) = self.filled.pop_back()
        {
            self.last = filled;
        }
        self.last.pop_back()
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let Some(first) = self.filled.front_mut() else { return self.last.pop_front() };
        let popped = first.pop_front();
        if first.is_empty() {
            self.filled.pop_front();
        }
        popped
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives back what a queue that has become short does not need.
    pub(crate) fn shrink(&mut self) {
        let (filled, last) = (self.filled.len(), self.last.len());
        if self.filled.capacity() > 4 * filled + 16 {
            self.filled.shrink_to(2 * filled);
        }
        if filled == 0 && self.last.capacity() > 4 * last + 16 {
            self.last.shrink_to(2 * last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Push(usize),
        PopBack(usize),
        PopFront(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let many = 0..3 * PIECE;
        let step = prop_oneof![
            many.clone().prop_map(Step::Push),
            (0..PIECE).prop_map(Step::PopBack),
            many.prop_map(Step::PopFront)
        ];
        prop::collection::vec(step, 0..12)
    }

    proptest! {
        #[test]
        fn pieces_behave_like_one_queue(steps in steps()) {
            let (mut pieces, mut model, mut next) = (Pieces::default(), VecDeque::new(), 0);
            for step in steps {
                match step {
                    Step::Push(times) => for _ in 0..times {
                        next += 1;
                        pieces.push_back(next);
                        model.push_back(next);
                    },
                    Step::PopBack(times) => for _ in 0..times {
                        prop_assert_eq!(pieces.pop_back(), model.pop_back());
                    },
                    Step::PopFront(times) => for _ in 0..times {
                        prop_assert_eq!(pieces.pop_front(), model.pop_front());
                    },
                }
                pieces.shrink();
                prop_assert_eq!((pieces.len(), pieces.is_empty()), (model.len(), model.is_empty()));
                prop_assert!(pieces.from(0).eq(&model) && pieces.from(300).eq(model.iter().skip(300)));
                let early = |element: &i32| *element < next - 200;
                prop_assert_eq!(pieces.count_while(early), model.partition_point(early));
            }
        }
    }

    #[test]
    fn memory_follows_the_length() {
        let mut pieces = Pieces::default();
        let places = |pieces: &Pieces<u64>| {
            pieces.filled.iter().map(VecDeque::capacity).sum::<usize>() + pieces.last.capacity()
        };
        for element in 0..100_000 {
            pieces.push_back(element);
            if pieces.len() > 5_000 {
                pieces.pop_front();
            }
        }
        assert!(places(&pieces) <= 5_000 + 2 * PIECE, "{}", places(&pieces));
        while pieces.len() > 3 {
            pieces.pop_front();
        }
        pieces.shrink();
        assert!(places(&pieces) <= PIECE && pieces.filled.capacity() <= 16, "{pieces:?}");
    }
}
