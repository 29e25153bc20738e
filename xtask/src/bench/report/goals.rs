use super::Table;

/// What a goal asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Not less than the first; the second, if there is one, is the aim.
    AtLeast(f64, Option<f64>),
    /// Not more than that.
    AtMost(f64, Option<f64>),
}

/// Goals beside what was measured.
pub(crate) struct Goals(Table);

impl Goals {
    pub(crate) fn new() -> Self {
        Self(Table::new(&["goal", "measured", "asked for", "aim", "reached"]))
    }

    /// Adds a goal; `show` writes the numbers.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        measured: f64,
        bound: Bound,
        show: fn(f64) -> String,
    ) {
        let (sign, least, aim) = match bound {
            Bound::AtLeast(least, aim) => ("≥", least, aim),
            Bound::AtMost(most, aim) => ("≤", most, aim),
        };
        let told = |bound: f64| format!("{sign} {}", show(bound));
        self.0.row(vec![
            what.into(),
            show(measured),
            told(least),
            aim.map_or_else(|| "–".to_owned(), told),
            reached(measured, bound).to_owned(),
        ]);
    }

    /// A goal that could not be measured, and why not.
    pub(crate) fn missing(&mut self, what: impl Into<String>, why: &str) {
        let none = || "–".to_owned();
        self.0.row(vec![what.into(), why.to_owned(), none(), none(), "not measured".to_owned()]);
    }

    pub(crate) fn table(&self) -> &Table {
        &self.0
    }
}

/// What is not a number reaches nothing.
fn reached(measured: f64, bound: Bound) -> &'static str {
    let (holds, least, aim): (fn(&f64, &f64) -> bool, _, _) = match bound {
        Bound::AtLeast(least, aim) => (f64::ge, least, aim),
        Bound::AtMost(most, aim) => (f64::le, most, aim),
    };
    match (holds(&measured, &least), aim) {
        (true, Some(aim)) if holds(&measured, &aim) => "the aim",
        (true, _) => "yes",
        (false, _) => "no",
    }
}

#[cfg(test)]
mod tests {
    use super::super::ratio;
    use super::{Bound, Goals, reached};

    #[test]
    fn a_goal_is_reached_at_its_bound() {
        let least = Bound::AtLeast(0.55, Some(0.75));
        assert_eq!([0.54, 0.55, 0.75].map(|value| reached(value, least)), ["no", "yes", "the aim"]);
        let most = Bound::AtMost(3.0, Some(2.0));
        assert_eq!([3.1, 3.0, 2.0].map(|value| reached(value, most)), ["no", "yes", "the aim"]);
        assert_eq!(reached(f64::NAN, most), "no");
        assert_eq!(reached(1.0, Bound::AtMost(1.0, None)), "yes");
    }

    #[test]
    fn goals_stand_beside_what_was_measured() {
        let mut goals = Goals::new();
        goals.add("to bare", 0.6, Bound::AtLeast(0.55, Some(0.75)), ratio);
        goals.missing("beside a snapshot", "none was written");
        assert_eq!(
            goals.table().markdown(),
            "| goal | measured | asked for | aim | reached |\n| --- | --- | --- | --- | --- |\n\
             | to bare | 0.60 | ≥ 0.55 | ≥ 0.75 | yes |\n\
             | beside a snapshot | none was written | – | – | not measured |\n"
        );
    }
}
