//! Rows under a head, for people.

/// Widths that only grow, so that what is printed page by page stays under its head as far as it can.
pub(super) struct Table<const N: usize> {
    widths: [usize; N],
}

impl<const N: usize> Table<N> {
    /// Columns at least so wide.
    pub(super) fn of(widths: [usize; N]) -> Self {
        Self { widths }
    }

    /// The rows as lines. The last column is not filled up.
    pub(super) fn lines(&mut self, rows: &[[String; N]]) -> String {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(self.widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        rows.iter().map(line).collect()
    }
}
