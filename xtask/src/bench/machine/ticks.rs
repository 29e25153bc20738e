use std::fs;

/// How long the processors of this machine did what, since it was started, in ticks of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticks {
    all: u64,
    /// Somebody else ran on them, of whom this machine knows nothing: what it was about to do waited.
    stolen: u64,
}

impl Ticks {
    /// None where the system does not tell.
    pub(crate) fn now() -> Option<Self> {
        Self::of(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line adds up all processors: user, nice, system, idle, iowait, irq, softirq, steal, and what is in
    /// these already, says `proc_stat(5)`.
    fn of(stat: &str) -> Option<Self> {
        let words = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
        let ticks: Vec<u64> = words.map(str::parse).collect::<Result<_, _>>().ok()?;
        Some(Self { all: ticks.iter().sum(), stolen: *ticks.get(7)? })
    }

    /// The share of the time since then that was stolen.
    pub(crate) fn stolen_since(self, began: Self) -> f64 {
        self.stolen.saturating_sub(began.stolen) as f64 / self.all.saturating_sub(began.all).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Ticks;

    #[test]
    fn what_the_host_took_is_told_from_the_rest() {
        let began = Ticks::of("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 9 9 9 9 9 9 9 9 9 9\n").unwrap();
        let now = Ticks::of("cpu  20 0 20 120 0 0 0 40 5 0\n").unwrap();
        assert_eq!(began, Ticks { all: 100, stolen: 10 });
        assert!((now.stolen_since(began) - 0.3).abs() < 1e-9);
        assert_eq!((Ticks::of(""), Ticks::of("cpu  1 2 3 4\n")), (None, None));
    }
}
