//! Names and places in scripts that have no capitals: Chinese, Korean and Arabic.
//!
//! What a capital says elsewhere, a surname, a title behind the name or a word before it says here.

use crate::detect::compose::words::Reading;
use crate::detect::token::Gap;
use crate::rules::Class;

/// The common surnames of one character, both ways of writing.
const SURNAMES: &str = "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林高罗羅郑鄭梁谢謝宋唐许許邓鄧冯馮韩韓曹曾彭萧蕭肖蔡潘田董袁于余\
叶葉蒋蔣杜苏蘇魏程吕呂丁沈任姚卢盧傅钟鐘鍾姜崔谭譚廖范汪陆陸金石戴贾賈韦韋夏邱丘方侯邹鄒熊孟秦白江阎閻薛尹段雷黎史龙龍陶贺賀顾顧毛郝龚龔\
邵万萬钱錢严嚴赖賴覃洪武莫孔汤湯康施牛乔喬温溫庞龐樊葛邢安殷颜顏倪章鲁魯蔺藺戚欧歐邬鄔柯简簡游詹涂翁巫阮鲍鮑司甄邝鄺麦麥";
/// What follows a surname or name: `王奶奶`, `林玉珍女士`.
const TITLES: &[&str] = &[
    "奶奶", "爷爷", "爺爺", "先生", "太太", "女士", "叔", "伯", "姨", "阿姨", "大爷", "大爺",
    "大妈", "大媽", "婆婆", "公公", "老师", "老師", "师傅", "師傅", "太", "妈", "媽", "嫂", "哥",
    "姐", "小姐", "同学", "同學", "老伯", "大叔", "大哥", "大姐", "教授", "牧师", "牧師", "老板",
    "老闆", "婆", "家属", "家屬",
];
/// What stands before a name: `病人陈国栋`, `太太叫彩鳳`.
const CALLS: &[&str] = &[
    "叫",
    "姓",
    "病人",
    "患者",
    "家属",
    "家屬",
    "哥哥",
    "妹妹",
    "姐姐",
    "弟弟",
    "女儿",
    "女兒",
    "儿子",
    "兒子",
    "太太",
    "老公",
    "老婆",
    "妈妈",
    "媽媽",
    "认识",
    "認識",
    "名字是",
    "關於",
    "关于",
];
/// Characters that are no part of a given name and bound one.
const BOUNDS: &str = "的是在和跟与與给給说說今昨走被来來因要从從没沒已出住了也就又还還把都很不有我你他她您们們这這那个個得着著过過去到会會能吗嗎呢吧啊想让讓对對，。家";
/// After `老`, `小` or `阿` these make a word and no name.
const NO_NAMES: &str = "时時孩心朋姐人板闆师師公婆伯太姨嬤妈媽便儿兒区區女子弟妹腿学學组組费費事狗家年大爷爺乡鄉外实實伴了的是样樣爸哥号號吃夜脑腦肠腸手脚腳说說满滿虎鼠总總";

/// The last word of a name that begins at a word of such a script.
pub(super) fn name(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let c = reading.word(at).chars().next().filter(|c| !c.is_ascii())?;
    match c {
        '\u{3400}'..='\u{9fff}' => chinese(reading, at),
        '\u{ac00}'..='\u{d7ff}' => korean(reading, at),
        '\u{600}'..='\u{6ff}' => arabic(reading, at),
        _ => None,
    }
}

/// The last word of a place that begins at a word of such a script.
pub(super) fn place(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let c = reading.word(at).chars().next().filter(|c| !c.is_ascii())?;
    match c {
        '\u{3400}'..='\u{9fff}' => chinese_place(reading, at),
        '\u{ac00}'..='\u{d7ff}' => korean_place(reading, at),
        _ => None,
    }
}

/// Whether nothing stands between a word and the one before.
fn glued(reading: &Reading<'_>, at: usize) -> bool {
    reading.gap(at) == Gap::default()
}

fn character(reading: &Reading<'_>, at: usize) -> Option<char> {
    let mut chars = reading.word(at).chars();
    chars.next().filter(|c| chars.next().is_none() && ('\u{3400}'..='\u{9fff}').contains(c))
}

/// Whether the words from `at` on read as one of these, all glued to what stands before.
fn follows(reading: &Reading<'_>, at: usize, wanted: &str) -> bool {
    wanted
        .chars()
        .enumerate()
        .all(|(nth, c)| glued(reading, at + nth) && character(reading, at + nth) == Some(c))
}

/// Whether the words before `at` end with one of these.
fn called(reading: &Reading<'_>, at: usize) -> bool {
    glued(reading, at)
        && CALLS.iter().any(|call| {
            let n_chars = call.chars().count();
            at.checked_sub(n_chars).is_some_and(|from| {
                call.chars().enumerate().all(|(nth, c)| character(reading, from + nth) == Some(c))
            })
        })
}

fn chinese(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let first = character(reading, at)?;
    let next = character(reading, at + 1).filter(|_| glued(reading, at + 1));
    // `老蔺`, `阿琛`, `小豆豆`
    if matches!(first, '老' | '阿' | '小') {
        let given = next.filter(|next| !NO_NAMES.contains(*next) && !BOUNDS.contains(*next))?;
        let twice = glued(reading, at + 2) && character(reading, at + 2) == Some(given);
        return Some(if twice { at + 2 } else { at + 1 });
    }
    let compound = next.is_some_and(|next| {
        matches!(
            (first, next),
            ('欧' | '歐', '阳' | '陽')
                | ('司', '徒' | '马' | '馬')
                | ('上', '官')
                | ('诸' | '諸', '葛')
        )
    });
    let surname = SURNAMES.contains(first);
    let given = |at: usize| {
        glued(reading, at) && character(reading, at).is_some_and(|c| !BOUNDS.contains(c))
    };
    if surname || compound {
        let length = if compound { 2 } else { 1 };
        for n_given in 0..=3 {
            let end = at + length + n_given;
            if TITLES.iter().any(|title| follows(reading, end, title)) {
                return Some(end - 1);
            }
            if !given(end) {
                break;
            }
        }
    }
    let after = called(reading, at);
    if !surname && !compound {
        // `妹妹宵宵`, `叫彩鳳`
        let pair = after && given(at + 1) && !BOUNDS.contains(first);
        let bound = !given(at + 2) || next == Some(first);
        return (pair && bound).then_some(at + 1);
    }
    // `邬慎之,`, `林玉珍的`: a surname and what a name is long, between bounds.
    let begins = after
        || !glued(reading, at)
        || at.checked_sub(1).and_then(|at| character(reading, at)).is_none_or(|c| {
            BOUNDS.contains(c) || matches!(c, '位' | '名' | '见' | '見' | '床' | '号' | '號' | '识')
        });
    let n_given = (1..=2).take_while(|nth| given(at + nth)).count();
    let ends = !given(at + n_given + 1);
    (begins && n_given > 0 && (ends || after)).then_some(at + n_given)
}

/// What follows a name in Korean.
const KOREAN_TITLES: &[&str] = &[
    "할머니",
    "할아버지",
    "할머님",
    "아저씨",
    "아주머니",
    "아줌마",
    "씨",
    "님",
    "여사",
    "사장",
    "권사",
    "집사",
    "장로",
    "목사",
    "어르신",
    "언니",
    "오빠",
    "누나",
    "형님",
    "이모",
    "삼촌",
    "산모",
    "선생님",
    "어머님",
    "아버님",
    "엄마",
    "아빠",
    "환자",
    "학생",
    "어머니",
    "아버지",
    "사모님",
    "남편",
    "아내",
];
/// What stands before a title and is nobody's name.
const NOBODY: &[&str] = &[
    "우리",
    "저희",
    "그",
    "이",
    "저",
    "옆집",
    "동네",
    "환자",
    "모든",
    "병동",
    "아이",
    "애",
    "아기",
    "새",
    "친정",
    "시",
    "제",
    "내",
    "네",
    "남의",
    "어떤",
    "한",
    "두",
    "그런",
    "이런",
    "세탁소",
    "간호사",
    "의사",
    "담당",
    "젊은",
    "늙은",
    "옆",
    "앞",
    "같은",
    "다른",
    "여기",
    "진짜",
    "어느",
    "호",
    "교회",
    "아니",
    "오늘",
    "어제",
];

/// `김순자 할머니`, `민준이 엄마`, `강 집사님`, `도담이네`, `박영호씨`
fn korean(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let word = reading.word(at);
    let n_syllables = word.chars().count();
    if n_syllables > 6 || NOBODY.contains(&word) || KOREAN_TITLES.contains(&word) {
        return None;
    }
    let title = |word: &str| KOREAN_TITLES.iter().any(|title| word.starts_with(title));
    let titled = reading.gap(at + 1).only(Gap::SPACE) && title(reading.word(at + 1));
    if titled && n_syllables <= 4 && !title(word) {
        return Some(at);
    }
    let ends = ["씨", "님", "이네", "네는"].iter().any(|end| word.ends_with(end));
    if ends && (3..=6).contains(&n_syllables) && !title(word) && word.contains("이네")
        || word.ends_with('씨') && (3..=4).contains(&n_syllables)
    {
        return Some(at);
    }
    let named = at.checked_sub(1).is_some_and(|before| {
        ["이름", "환자", "산모", "성함", "환아"]
            .iter()
            .any(|cue| reading.word(before).starts_with(cue))
            || ["아저씨", "할머니", "할아버지"].contains(&reading.word(before))
    }) && reading.gap(at).only(Gap::SPACE);
    (named && (2..=5).contains(&n_syllables) && !title(word)).then_some(at)
}

/// `أبو نضال`, `اسمه عبد الرزاق`: what is part of a name and has its own word.
fn arabic(reading: &Reading<'_>, at: usize) -> Option<usize> {
    let next = reading.at(at, 1)?;
    let parted = matches!(reading.word(at), "أبو" | "ابو" | "أم" | "ام" | "عبد" | "أبا" | "أبي");
    let unlisted = next.entry.classes.is_empty() && next.token.span.len() > 4;
    (parted && unlisted && next.token.gap.only(Gap::SPACE)).then_some(at + 1)
}

/// `回法拉盛`, `住在日落区`, `林肯小学`, `Stockton街`
fn chinese_place(reading: &Reading<'_>, at: usize) -> Option<usize> {
    const KINDS: &[&str] = &[
        "区",
        "區",
        "市",
        "镇",
        "鎮",
        "县",
        "縣",
        "街",
        "路",
        "大道",
        "小学",
        "小學",
        "中学",
        "中學",
        "高中",
        "教堂",
        "唐人街",
        "村",
        "公园",
        "公園",
        "茶楼",
        "餐馆",
        "餐館",
        "中心",
        "高地",
        "教会",
        "教會",
    ];
    const NO_PLACES: &[&str] = &[
        "医院", "醫院", "这里", "這裡", "那里", "那裡", "我们", "病房", "一起", "家里", "急诊",
        "心里",
    ];
    let first = character(reading, at)?;
    if BOUNDS.contains(first) || NO_PLACES.iter().any(|no| starts_with(reading, at, no)) {
        return None;
    }
    let part = |at: usize| {
        glued(reading, at) && character(reading, at).is_some_and(|c| !BOUNDS.contains(c))
    };
    let kind = (1..=4)
        .take_while(|nth| *nth == 1 || part(at + nth - 1))
        .filter_map(|nth| {
            let kind = KINDS.iter().find(|kind| follows(reading, at + nth, kind))?;
            Some(at + nth + kind.chars().count() - 1)
        })
        .last();
    let begins = !glued(reading, at)
        || at
            .checked_sub(1)
            .and_then(|at| character(reading, at))
            .is_none_or(|c| BOUNDS.contains(c) || c == '回');
    if let Some(last) = kind.filter(|last| begins && *last >= at + 2) {
        return Some(last);
    }
    let led = glued(reading, at)
        && at.checked_sub(1).and_then(|at| character(reading, at)).is_some_and(|c| {
            matches!(c, '回' | '住' | '从' | '從' | '自')
                || c == '在'
                    && at.checked_sub(2).and_then(|at| character(reading, at)) == Some('住')
        });
    let n_more = (1..=3).take_while(|nth| part(at + nth)).count();
    (led && n_more >= 1).then_some(at + n_more)
}

/// Whether the words from `at` on read so; the first may stand apart from what is before.
fn starts_with(reading: &Reading<'_>, at: usize, wanted: &str) -> bool {
    wanted.chars().enumerate().all(|(nth, c)| {
        character(reading, at + nth) == Some(c) && (nth == 0 || glued(reading, at + nth))
    })
}

/// `애난데일에서`, `콜린 파월 초등학교`, `센터빌 쪽`
fn korean_place(reading: &Reading<'_>, at: usize) -> Option<usize> {
    const NO_PLACES: &[&str] = &[
        "병원",
        "병동",
        "응급실",
        "집",
        "여기",
        "거기",
        "학교",
        "교회",
        "앞",
        "뒤",
        "옆",
        "중환자실",
        "식당",
        "복도",
        "한국",
        "미국",
        "방",
    ];
    const KINDS: &[&str] =
        &["초등학교", "중학교", "고등학교", "사거리", "마켓", "아파트", "교회", "주차장"];
    let word = reading.word(at);
    if reading.at(at, 0)?.classes.has(Class::Weekday)
        || NO_PLACES.iter().any(|no| word.starts_with(no))
    {
        return None;
    }
    let n_syllables = word.chars().count();
    let next = |at: usize| reading.gap(at).only(Gap::SPACE);
    let kind =
        (at + 1..at + 3).find(|at| KINDS.iter().any(|kind| reading.word(*at).starts_with(kind)));
    if let Some(last) = kind.filter(|last| (at + 1..=*last).all(next)) {
        return Some(last);
    }
    let toward = next(at + 1) && reading.word(at + 1).starts_with('쪽') && n_syllables >= 2;
    ((word.ends_with("에서") && n_syllables >= 5) || toward).then_some(at)
}
