use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use chatroom_core::{Permit, RollingSecond};

use crate::clock::Stopwatch;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// An address. Of IPv6 only the network's half: one customer has that many addresses.
    Ip(IpAddr),
    /// Somebody on this machine, through a Unix socket.
    Local,
}

impl Peer {
    /// The peer of this address.
    #[must_use]
    pub(crate) fn of(ip: IpAddr) -> Self {
        Self::Ip(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
            }
        })
    }
}

/// How many peers are counted one by one. A second with more counts the rest as one.
const MOST: usize = 4_096;

/// The calls of `POST …/token` in the last second, each peer on its own. Memory is bounded.
#[derive(Debug, Default)]
pub(crate) struct ClientCalls(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    single: HashMap<Peer, RollingSecond>,
    rest: RollingSecond,
}

impl ClientCalls {
    /// Asks for one call of this peer.
    pub(crate) fn take(&self, peer: Peer, limit: NonZeroU32, watch: &dyn Stopwatch) -> Permit {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = watch.micros();
        if counted.single.len() >= MOST && !counted.single.contains_key(&peer) {
            counted.single.retain(|_, calls| !calls.is_idle(now));
            if counted.single.len() >= MOST {
                return counted.rest.take(limit.get(), now);
            }
        }
        counted.single.entry(peer).or_default().take(limit.get(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Hand(AtomicU64);
    impl Stopwatch for Hand {
        fn micros(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn peer(n: usize) -> Peer {
        Peer::of(IpAddr::V4(u32::try_from(n).unwrap().into()))
    }

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

    #[test]
    fn decision_18_each_address_has_calls_of_its_own() {
        let (calls, watch) = (ClientCalls::default(), Hand::default());
        for _ in 0..2 {
            assert!(matches!(calls.take(peer(1), TWO, &watch), Permit::Admitted { .. }));
        }
        assert!(matches!(calls.take(peer(1), TWO, &watch), Permit::Exhausted { .. }));
        assert!(matches!(calls.take(peer(2), TWO, &watch), Permit::Admitted { .. }));
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_peer() {
        let of = |text: &str| Peer::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn more_addresses_than_are_kept_share_one_count_until_the_second_is_over() {
        let (calls, watch) = (ClientCalls::default(), Hand::default());
        for n in 0..MOST {
            calls.take(peer(n), TWO, &watch);
        }
        let late: Vec<_> = (MOST..MOST + 3).map(|n| calls.take(peer(n), TWO, &watch)).collect();
        assert!(matches!(
            late[..],
            [Permit::Admitted { .. }, Permit::Admitted { .. }, Permit::Exhausted { .. }]
        ));
        assert!(calls.0.lock().unwrap().single.len() <= MOST);
        watch.0.store(1_000_001, Ordering::SeqCst);
        assert!(matches!(calls.take(peer(MOST + 9), TWO, &watch), Permit::Admitted { .. }));
        assert_eq!(calls.0.lock().unwrap().single.len(), 1);
    }
}
