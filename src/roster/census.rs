//! Where a patient stands with the house: who is in it now is spoken of, who left long ago seldom.

use crate::roster::Day;

/// Days for which somebody who left is still kept in the census; what of them counts is a setting of the reader.
pub(super) const KEPT: i32 = 180;

/// Where a patient stands with the house on some day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stay {
    /// In the house.
    InHouse,
    /// Left so many days ago.
    Left(i32),
    /// Nothing says that they were ever in it.
    Unknown,
}

impl Stay {
    /// How somebody with these days stands on a day. A day to leave on that is still to come has not come.
    pub fn on(today: Day, admitted: Option<Day>, discharged: Option<Day>) -> Self {
        match (admitted, discharged) {
            (_, Some(left)) if left <= today => Self::Left(today.0 - left.0),
            (Some(_), _) | (None, Some(_)) => Self::InHouse,
            (None, None) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stay;
    use crate::roster::Day;

    #[test]
    fn who_came_and_did_not_leave_is_in_the_house() {
        let today = Day(20_000);
        for (admitted, discharged, want) in [
            (Some(19_990), None, Stay::InHouse),
            (Some(19_990), Some(20_005), Stay::InHouse),
            (Some(19_990), Some(20_000), Stay::Left(0)),
            (Some(19_000), Some(19_970), Stay::Left(30)),
            (None, Some(19_970), Stay::Left(30)),
            (None, None, Stay::Unknown),
            // Expected tomorrow: their bed is made.
            (Some(20_001), None, Stay::InHouse),
        ] {
            assert_eq!(Stay::on(today, admitted.map(Day), discharged.map(Day)), want);
        }
    }
}
