//! Days in languages that the calendar grammar does not read: Haitian, Tagalog, Polish, Russian, Vietnamese, Chinese
//! and Korean.

use crate::detect::compose::calendar::{Found, day_first};
use crate::detect::compose::model::Feature;
use crate::detect::compose::season::{before, found, spaced};
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Desk};
use crate::detect::token::Gap;
use crate::rules::Class;

/// `ika-5 ng Hunyo`, `1e novanm`, `22 mas`, `четвёртого июля`, `dwudziestego ósmego lutego`
pub(super) fn foreign_day(reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Found> {
    let text = reading.word(at);
    if text == "ika" && reading.gap(at + 1) == Gap::HYPHEN {
        let day = day_first(reading, desk, at + 1)?;
        return Some(Found { lead: 0, ..day });
    }
    let is_month = |at: usize| {
        reading.classes(at, 0).has(Class::Month) && desk.lexicons.month(reading.word(at)).is_some()
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let ordinal = (1..=2).contains(&digits)
        && matches!(
            text.get(digits..),
            Some("e" | "o" | "a" | "º" | "-й" | "го" | "er" | "ro" | "ho")
        );
    if ordinal && spaced(reading, at + 1) && is_month(at + 1) {
        return Some(found(at + 1, Feature::MonthDay, Composer::DatePartial, 0));
    }
    if (1..=2).contains(&digits)
        && digits == text.len()
        && reading.word(at + 1) == "mas"
        && spaced(reading, at + 1)
    {
        return Some(found(at + 1, Feature::MonthDay, Composer::DatePartial, 0));
    }
    let word = reading.at(at, 0)?;
    let inflected = word.entry.word == 0
        && (text.ends_with("ego")
            || text.ends_with("ого")
            || text.ends_with("его")
            || text.ends_with("ier"));
    if !inflected {
        return None;
    }
    let end = (at + 1..at + 3).find(|at| is_month(*at))?;
    (at + 1..=end).all(|at| spaced(reading, at)).then_some(found(
        end,
        Feature::MonthDay,
        Composer::DatePartial,
        0,
    ))
}

/// `thứ Sáu`, `chủ nhật`, `tháng mười`, `hôm 23`, `mùng 8 tháng 3`
pub(super) fn vietnamese(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let text = reading.word(at);
    if !matches!(text, "thu" | "chu" | "thang" | "hom" | "mung" | "ngay" | "bua") {
        return None;
    }
    let next = reading.at(at, 1).filter(|next| next.token.gap.only(Gap::SPACE))?;
    let word = reading.word(at + 1);
    let number = next.number.is_some_and(|number| (1..=31).contains(&number));
    let said =
        ["hai", "ba", "tu", "nam", "sau", "bay", "tam", "chin", "muoi", "gieng", "chap", "mot"]
            .contains(&word);
    match text {
        "thu" if said => Some(found(at + 1, Feature::WeekdayAlone, Composer::DateWeekday, 0)),
        "chu" if word == "nhat" => {
            Some(found(at + 1, Feature::WeekdayAlone, Composer::DateWeekday, 0))
        }
        "thang" if number || said => {
            Some(found(at + 1, Feature::MonthAlone, Composer::DatePartial, 0))
        }
        "hom" | "mung" | "ngay" | "bua" if number => {
            let month = reading.word(at + 2) == "thang"
                && reading.at(at, 3).is_some_and(|word| word.number.is_some());
            let last = if month { at + 3 } else { at + 1 };
            Some(found(last, Feature::MonthDay, Composer::DatePartial, 0))
        }
        _ => None,
    }
}

/// `上周二`, `星期五`, `四月初`, `八月二十六日`, `正月十五`, `지난 금요일`, `3월 셋째 주`
pub(super) fn eastern(reading: &Reading<'_>, at: usize) -> Option<Found> {
    let word = reading.word(at);
    let c = word.chars().next().filter(|c| !c.is_ascii())?;
    if ('\u{ac00}'..='\u{d7ff}').contains(&c) {
        return korean(reading, at);
    }
    let glued = |at: usize| reading.gap(at) == Gap::default();
    let numeral = |at: usize| {
        ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "廿", "初"]
            .contains(&reading.word(at))
            && glued(at)
    };
    let lead = usize::from(
        ["上", "下", "这", "這", "本", "前", "每"].contains(&before(reading, at)) && glued(at),
    );
    let day = |at: usize| {
        ["一", "二", "三", "四", "五", "六", "日", "天", "末"].contains(&reading.word(at))
            && glued(at)
    };
    let two =
        matches!((word, reading.word(at + 1)), ("星", "期") | ("禮" | "礼", "拜")) && glued(at + 1);
    if two && day(at + 2) {
        return Some(found(at + 2, Feature::WeekdayAlone, Composer::DateWeekday, lead));
    }
    if matches!(word, "周" | "週") && day(at + 1) {
        return Some(found(at + 1, Feature::WeekdayAlone, Composer::DateWeekday, lead));
    }
    if reading.classes(at, 0).has(Class::Holiday) && !reading.at(at, 0)?.within_phrase {
        let length = usize::from(reading.at(at, 0)?.phrase.max(1));
        return Some(found(at + length - 1, Feature::HolidayDate, Composer::DateHoliday, 0));
    }
    // `四月初`, `八月二十六日`, `正月十五`
    let first =
        matches!(word, "正" | "腊" | "臘") || (numeral_word(word) && !glued_numeral(reading, at));
    if !first {
        return None;
    }
    let month = (at + 1..at + 4).find(|at| reading.word(*at) == "月" && glued(*at))?;
    if !(at + 1..month).all(numeral) {
        return None;
    }
    let mut last = month;
    while last < month + 5
        && (numeral(last + 1)
            || (matches!(reading.word(last + 1), "日" | "号" | "號" | "底" | "中" | "末")
                && glued(last + 1)))
    {
        last += 1;
    }
    Some(found(last, Feature::MonthDay, Composer::DatePartial, 0))
}

fn numeral_word(word: &str) -> bool {
    ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"].contains(&word)
}

fn glued_numeral(reading: &Reading<'_>, at: usize) -> bool {
    reading.gap(at) == Gap::default() && numeral_word(before(reading, at))
}

/// `지난 금요일에`, `추석이`, `성탄절 새벽에`, `3월 셋째 주`
fn korean(reading: &Reading<'_>, at: usize) -> Option<Found> {
    const DAYS: &[&str] = &["월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"];
    const FEASTS: &[&str] =
        &["추석", "설날", "성탄절", "크리스마스", "어린이날", "어버이날", "부활절"];
    let word = reading.word(at);
    let lead = usize::from(
        matches!(before(reading, at), "지난" | "지난주" | "이번" | "이번주" | "다음" | "다음주")
            && spaced(reading, at),
    );
    if DAYS.iter().any(|day| word.starts_with(day)) {
        return Some(found(at, Feature::WeekdayAlone, Composer::DateWeekday, lead));
    }
    if FEASTS.iter().any(|feast| word.starts_with(feast)) {
        let dawn = ["새벽", "아침", "저녁", "밤", "날", "때"]
            .iter()
            .any(|part| reading.word(at + 1).starts_with(part));
        return Some(found(
            at + usize::from(dawn),
            Feature::HolidayDate,
            Composer::DateHoliday,
            lead,
        ));
    }
    let number = reading.at(at, -1).is_some_and(|word| word.number.is_some());
    if !(word.starts_with('월') && number && reading.gap(at) == Gap::default()) {
        return None;
    }
    let week = matches!(reading.word(at + 1), "첫째" | "둘째" | "셋째" | "넷째" | "마지막" | "첫")
        && reading.word(at + 2).starts_with('주');
    let part = ["초", "말", "중순"].iter().any(|part| reading.word(at + 1).starts_with(part));
    let last = at + if week { 2 } else { usize::from(part) };
    Some(found(last, Feature::MonthAlone, Composer::DatePartial, 1))
}
