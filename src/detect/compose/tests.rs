//! What is proposed, whatever it is worth: tables of texts and the words that a composer must see in them.

use jiff::civil::date;

use super::{Composer, Composers, Desk, Standing, propose};
use crate::detect::compose::words::Reading;
use crate::detect::token::Text;
use crate::rules::{Confidence, RuleSet};

/// The proposals of some composers in a text, in order.
fn proposed(text: &str, wanted: fn(Composer) -> bool) -> Vec<String> {
    let rules = RuleSet::embedded();
    let composers = Composers::build(&rules).unwrap();
    let cut = Text::of(text);
    let reading = Reading::of(&cut, &composers.lexicons);
    let desk = Desk {
        lexicons: &composers.lexicons,
        models: &composers.models,
        today: date(2026, 11, 22),
        explain: false,
    };
    let mut found: Vec<_> = propose(&reading, desk)
        .into_iter()
        .filter(|proposal| wanted(proposal.composer) && proposal.standing != Standing::Loose)
        .map(|proposal| cut.view.to_original(proposal.span))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|span| span.of(text).unwrap().to_owned()).collect()
}

#[track_caller]
fn check(cases: &[(&str, &[&str])], wanted: fn(Composer) -> bool) {
    for (text, want) in cases {
        assert_eq!(proposed(text, wanted), *want, "{text:?}");
    }
}

fn is_date(composer: Composer) -> bool {
    matches!(
        composer,
        Composer::DateCalendar
            | Composer::DatePartial
            | Composer::DateWeekday
            | Composer::DateHoliday
    )
}

fn is_place(composer: Composer) -> bool {
    matches!(
        composer,
        Composer::LocationAddress
            | Composer::LocationRoad
            | Composer::LocationCity
            | Composer::LocationFacility
            | Composer::LocationRoom
    )
}

#[test]
fn dates_in_every_form() {
    check(
        &[
            ("seen 3/14/2026 again", &["3/14/2026"]),
            ("seen 14.03.2026", &["14.03.2026"]),
            ("on 2026-03-14 at noon", &["2026-03-14"]),
            ("born 07-JUL-1977", &["07-JUL-1977"]),
            ("admit 20261118", &["20261118"]),
            ("on March 3rd, 2026 she", &["March 3rd, 2026"]),
            ("the ninth of June", &["the ninth of June"]),
            ("lo operaron el 12 de febrero de 2024", &["12 de febrero de 2024"]),
            ("on the list since 9/2024", &["9/2024"]),
            ("back on 4/18", &["4/18"]),
            ("home on the 14th.", &["the 14th"]),
            ("Saturday the 17th he", &["Saturday the 17th"]),
            ("died last Tuesday", &["last Tuesday"]),
            ("home this past Wednesday", &["this past Wednesday"]),
            ("two days before Thanksgiving", &["two days before Thanksgiving"]),
            ("on Valentine's Day", &["Valentine's Day"]),
            ("July 13 - 15", &["July 13 - 15"]),
            ("13 to 15 July", &["13 to 15 July"]),
            ("scope at 22:10 Nov 14", &["Nov 14"]),
            ("High, 2nd week of March. I", &["2nd week of March"]),
            ("out the Monday before Thanksgiving and", &["the Monday before Thanksgiving"]),
            ("collapsed the Friday before spring break", &["the Friday before spring break"]),
            ("the fall on the 8th should have", &["the 8th"]),
            ("the 12th she asked me", &["the 12th"]),
            ("in the winter of 2020 we", &["winter of 2020"]),
            ("after the crash on prom night.", &["prom night"]),
            ("he gave it in march", &["march"]),
            ("a body sat night", &["sat night"]),
            ("on Valentine's. She", &["Valentine's"]),
            ("the first of the month", &["the first of the month"]),
            ("tattoo on his arm: VI.XI.XXIV", &["VI.XI.XXIV"]),
            ("Baby Mateo 💙 9.14 💙 7lb", &["9.14"]),
            ("Faleceu domingo de Páscoa.", &["domingo de Páscoa"]),
            ("OP ist nächsten Donnerstag", &["nächsten Donnerstag"]),
            ("nung ika-5 ng Hunyo, tatlo", &["ika-5 ng Hunyo"]),
            ("bác sắp mổ thứ Sáu rồi", &["thứ Sáu"]),
            ("上周二中风", &["上周二"]),
            ("항암 지난 금요일에 끝", &["지난 금요일에"]),
        ],
        is_date,
    );
}

#[test]
fn what_only_looks_like_a_date() {
    check(
        &[
            ("since 2019", &[]),
            ("open 24/7", &[]),
            ("call 555-0142", &[]),
            ("version 1.12.2026.4", &[]),
            ("bp 120/80 and 99/60", &[]),
            ("may march on", &[]),
            ("he sat in the sun", &[]),
            ("the 3rd time", &[]),
            ("on the 4th floor", &[]),
            ("k 5.2 and creatinine 1.12 today", &[]),
            ("fall risk, spring in her step", &[]),
            ("ratio 31/12/1", &[]),
        ],
        is_date,
    );
}

#[test]
fn ages_over_89_only() {
    check(
        &[
            ("my 102-year-old patient", &["102-year-old"]),
            ("97yo F fell", &["97yo"]),
            ("he turns 94 on", &["94"]),
            ("she was ninety-two years old", &["ninety-two years old"]),
            ("tiene noventa y tres años", &["noventa y tres años"]),
            ("Wilhelmina, 100, was found", &["100"]),
            ("He's 98, in our unit", &["98"]),
            ("born in 1925", &["1925"]),
            ("Mavis turned a hundred and", &["a hundred"]),
            ("a great lady, one hundred and four today", &["one hundred and four"]),
            ("Happy 100th to our oldest", &["100th"]),
            ("Mom's 90th is Saturday", &["90th"]),
            ("Pop Singh is 95 and still", &["95"]),
            ("this lady 97 walked in", &["97"]),
            ("grandpa is 90 and a half and", &["90 and a half"]),
            ("her 100th shift", &[]),
            ("in room 98, bed 99", &[]),
            ("temp 101.4, hr 110", &[]),
            ("my 89-year-old patient", &[]),
            ("born in 1985", &[]),
            ("sats 94 on room air", &[]),
            ("spo2 97%", &[]),
            ("100 years of service", &[]),
            ("123 years old", &[]),
            ("bp 120/95", &[]),
        ],
        |composer| composer == Composer::AgeOver89,
    );
}

#[test]
fn places() {
    check(
        &[
            ("rolled up to 1184 Larkspur Lane", &["1184 Larkspur Lane"]),
            ("at 410 Orchard St Apt 4B today", &["410 Orchard St Apt 4B"]),
            ("33 W. Monroe, Eau Claire, WI 54701", &["33 W. Monroe, Eau Claire, WI"]),
            ("crash on Quail Run Ct", &["Quail Run Ct"]),
            ("deer on Route 9", &["Route 9"]),
            ("at Fifth and Juniper", &["Fifth and Juniper"]),
            ("en la calle Olvera", &["calle Olvera"]),
            ("a man from Prather County", &["Prather County"]),
            ("teacher from Sheboygan", &["Sheboygan"]),
            ("a kid from Harding High", &["Harding High"]),
            ("pt in room 2217 threw", &["room 2217"]),
            ("Ward 7 Bay 2", &["Ward 7 Bay 2"]),
            ("4B-12 has asked", &["4B-12"]),
            ("GINNY IN 12 says", &["12"]),
            ("up on 7 East and", &["7 East"]),
            ("third time at 2218 N Howard. please", &["2218 N Howard"]),
            ("drove by 12406 Beechnut again", &["12406 Beechnut"]),
            ("cutting his shirt, 3405 Bainbridge, apt 5G, spelling", &["3405 Bainbridge, apt 5G"]),
            ("had him talking at Broad and Erie. He", &["Broad and Erie"]),
            ("found down at Lombard & 17th, cold", &["Lombard & 17th"]),
            ("out on Route 9 by Fallkirk. We", &["Route 9 by Fallkirk"]),
            ("wreck on I-49 at Gloria Switch", &["I-49 at Gloria Switch"]),
            ("llamas off FM 1472, no", &["FM 1472"]),
            ("a ditch on County Road N it", &["County Road N"]),
            ("near the Rasmussen place can", &["Rasmussen place"]),
            ("kids from St. Agatha's. All", &["St. Agatha's"]),
            ("guy at Reading Terminal. The", &["Reading Terminal"]),
            ("from the Dollar General on Pine? yeah", &["Dollar General on Pine"]),
            ("lived outside Truth or Consequences. We", &["Truth or Consequences"]),
            ("the man in 14 proposed", &["14"]),
            ("moved her: 310, 322, 518, hallway", &["310", "322", "518"]),
            ("409 banged his bedpan", &["409"]),
            ("201 Mulroney q2 turns", &["201"]),
            ("sister of the man in SICU 9: I", &["SICU 9"]),
            ("complaint from 7 South 33 is", &["7 South 33"]),
            ("Sir Rodrigo (314-B). Huling", &["314-B"]),
            ("una de la 401, otra", &["401"]),
            ("住在302房，非要", &["302房"]),
            ("507호 할머니", &["507호"]),
            ("日落区的街坊", &["日落区"]),
            ("일 때문에 애난데일에서 오신", &["애난데일에서"]),
            ("on the ledge of the seventh floor, when", &["seventh floor"]),
            ("at the corner of Bramble and 11th, I", &["corner of Bramble and 11th"]),
            ("from Wisconsin", &[]),
            ("in 14 days", &[]),
            ("in 3 hours and 20 minutes", &[]),
            ("up 12 points, 40 percent more", &[]),
            ("spo2 88, hr 120, bp 120/80", &[]),
            ("gave 500 mg of it", &[]),
            ("at 1.5 and 2,500 in all", &[]),
            ("room for improvement", &[]),
            ("in 2019", &[]),
            ("5 of 10 miles", &[]),
        ],
        is_place,
    );
}

#[test]
fn names() {
    check(
        &[
            ("Mrs. Abernathy climbs", &["Abernathy"]),
            ("Mr. T coded again", &["T"]),
            ("RODRIGUEZ, MANUEL 67M chf", &["RODRIGUEZ, MANUEL"]),
            ("Margaret van der Berg was", &["Margaret van der Berg"]),
            ("we met Ji-ho and", &["Ji-ho"]),
            ("her son Terrence signed", &["Terrence"]),
            ("thinking of marisol vega and her kids tonight", &["marisol vega"]),
            ("#PrayForEthan tonight", &["Ethan"]),
            ("hi @abuela.consuelo stop", &["abuela.consuelo"]),
            ("it is D.a.n.i.e.l again", &["D.a.n.i.e.l"]),
            ("ok then. S*m*nth* fired me", &["S*m*nth"]),
            ("a joiner at Ballard & Sons", &["Ballard & Sons"]),
            ("notes of Sam T. today", &["Sam T."]),
            ("met Lorenzo \"Lolo\" Marchetti", &["Lorenzo \"Lolo\" Marchetti"]),
            ("Mr Old is 34", &["Old"]),
            ("card from the Vo family.", &["Vo"]),
            ("list: Espinoza, de la Cruz, Ito", &["Espinoza", "de la Cruz", "Ito"]),
            ("Adieu, Frau von Trotnow.", &["Adieu", "von Trotnow"]),
            ("portal login g.halvorsen failed", &["g.halvorsen"]),
            ("works at Hartwell's IGA now", &["Hartwell's IGA"]),
            ("hired by Harmon Cold Storage", &["Harmon Cold Storage"]),
            ("Skip did. the boat", &["Skip"]),
            ("May was admitted", &["May"]),
            ("will came back sober", &["will"]),
            ("vs. Coach in bed 21", &["Coach"]),
            ("a tattoo says RUSTY across", &["RUSTY"]),
            ("all I have is A.V., impaired", &["A.V."]),
            ("who put Fitzgibbon, T in for discharge", &["Fitzgibbon, T"]),
            ("PID-5 ZELAYA^CONSUELO^R", &["ZELAYA^CONSUELO^R"]),
            ("#prayforethan tonight", &["prayforethan"]),
            ("#BravoAïssatou", &["Aïssatou"]),
            ("Drive safe @nico.delatorre.7, and", &["nico.delatorre.7"]),
            ("met Ji-won Seo and Da-eun", &["Ji-won Seo", "Da-eun"]),
            ("denied for A. Quintero-Bass, because", &["A. Quintero-Bass"]),
            ("reads GOLDFARB, I so", &["GOLDFARB, I"]),
            ("Deacon plays bocce", &["Deacon"]),
            ("王奶奶今天生日", &["王"]),
            ("我的病人陈国栋，昨天", &["陈国栋"]),
            ("有没有人认识林玉珍的家人", &["林玉珍"]),
            ("送走了老蔺。", &["老蔺"]),
            ("우리 환자 박영호 아저씨, 안녕", &["박영호"]),
            ("민준이 엄마가 왔다", &["민준이"]),
            ("الحجة فطوم طلعت", &["فطوم"]),
            ("小时候在医院", &[]),
            ("the patient was extubated", &[]),
            ("the US. I.V. access", &[]),
            ("will you believe it", &[]),
            ("I can't. Don't ask", &[]),
            ("thanks @team.example #strokeweek", &[]),
        ],
        Composer::is_name,
    );
}

#[test]
fn care_decides() {
    let composers = Composers::build(&RuleSet::embedded()).unwrap();
    let run = |text: &str| {
        let texts = [Text::of(text)];
        let (care, candidates) =
            composers.run(&texts, date(2026, 11, 22), &[Vec::new()], None, false);
        let sure =
            candidates.iter().flatten().any(|one| one.confidence >= Some(Confidence::Medium));
        (care.speaks_of_care, sure)
    };
    for text in [
        "my patient Ricardo Halvorsen in room 412 was intubated and his wife Lucille signed the DNR",
        "pt Mrs. Abernathy, 97yo, coded twice and passed away, her daughter was at the bedside",
    ] {
        assert_eq!(run(text), (true, true), "{text:?}");
    }
    for text in [
        "Congratulations to our charge nurse Denise Okafor on her DAISY award!",
        "Register for the stroke conference on March 3rd in Chicago, keynote by Dr. Amelia Stone",
        "New criteria for Parkinson's disease are out",
        "",
    ] {
        assert_eq!(run(text), (false, false), "{text:?}");
    }
}

#[test]
fn once_a_name_is_found_every_equal_word_is() {
    let composers = Composers::build(&RuleSet::embedded()).unwrap();
    let text = "my patient Mrs. Zywotko coded in the icu. nobody told me zywotko had a son";
    let texts = [Text::of(text)];
    let (care, candidates) = composers.run(&texts, date(2026, 11, 22), &[Vec::new()], None, false);
    assert!(care.speaks_of_care);
    let found =
        candidates.iter().flatten().filter(|one| one.confidence >= Some(Confidence::Medium));
    let words: Vec<_> = found.filter_map(|one| one.span.of(texts[0].view.text())).collect();
    assert_eq!(words.iter().filter(|word| **word == "zywotko").count(), 2, "{words:?}");
}

#[test]
fn long_texts_are_read_in_linear_time() {
    let composers = Composers::build(&RuleSet::embedded()).unwrap();
    for part in [
        "Mrs. Abernathy ",
        "bed 1 ",
        "room ",
        "J. ",
        "a.",
        "Anna, ",
        "3/4/",
        "the first of ",
        "@x_",
        "#A ",
        "12 Oak St\n",
        "abc.example/",
        "9:30-",
    ] {
        let read = |text: &str| {
            composers.run(&[Text::of(text)], date(2026, 11, 22), &[Vec::new()], None, false);
        };
        assert!(is_linear(read, part), "{part:?}");
    }
}

/// Whether eight times the text takes about eight times as long, and not sixty-four. Of several tries on each the fastest
/// counts: what else runs on the machine can slow one, and hardly all, and slows both sizes.
fn is_linear(read: impl Fn(&str), part: &str) -> bool {
    const FEW: usize = 4_000;
    const TIMES: usize = 8;
    let (short, long) = (part.repeat(FEW), part.repeat(FEW * TIMES));
    let time = |text: &str| {
        let started = std::time::Instant::now();
        read(text);
        started.elapsed()
    };
    let (mut best_short, mut best_long) = (std::time::Duration::MAX, std::time::Duration::MAX);
    (0..5).any(|_| {
        best_short = best_short.min(time(&short));
        best_long = best_long.min(time(&long));
        best_long < best_short * 24
    })
}
