//! A seeded set of texts that are unlike posts: one thing over and over, and posts with pieces changed.

/// What is repeated until a text is long enough.
const UNITS: [(&str, &str); 44] = [
    ("digits", "4471902"),
    ("digits and spaces", "44 719 02 "),
    ("digits and hyphens", "555-0171-"),
    ("single digits", "4 "),
    ("a digit a line", "4\n"),
    ("digits and slashes", "3/14/"),
    ("names", "Ethan Walker "),
    ("names in lower case", "ethan walker "),
    ("names in capitals", "ETHAN WALKER "),
    ("honorifics", "Mr. "),
    ("initials", "J. "),
    ("at and dot", "@."),
    ("at", "@"),
    ("dots", "."),
    ("mailboxes", "a.b@c.de "),
    ("addresses of pages", "http://a.b/c?d=e "),
    ("spaces", " "),
    ("lines", "\n"),
    ("hyphens", "-"),
    ("quotes", "\"'"),
    ("combining marks", "e\u{301}\u{302}\u{303}"),
    ("one long stack of marks", "\u{301}"),
    ("zero width", "a\u{200b}"),
    ("emoji", "🏥👩🏽‍⚕️"),
    ("keycaps", "4\u{fe0f}\u{20e3}"),
    ("CJK", "患者王小明住院"),
    ("Hangul", "환자 김민수 "),
    ("Cyrillic", "пациент Иван "),
    ("look-alikes", "раtіеnt "),
    ("a letter a line", "J\no\nh\nn\n"),
    ("letters apart", "J o h n "),
    ("letters with dots", "J.o.h.n."),
    ("base64", "TWFyeSBKb25lcyBNUk4gNDQ3MTkwMg=="),
    ("labels", "MRN "),
    ("labels and numbers", "MRN 4471902 "),
    ("nested labels", "MRN (MRN (MRN ("),
    ("labels in cells", "mrn|name|dob\n"),
    ("spelled numbers", "four four seven "),
    ("entities", "&#77;&amp;"),
    ("percent", "%4D%52%4E"),
    ("leet", "J0hn 5m1th "),
    ("months", "March 3 "),
    ("streets", "12 Oak Street, "),
    ("brackets", "([{<"),
];

/// How many changed posts there are.
const N_CHANGED: usize = 200;

/// Every text of the set with what it is made of, of about this many bytes.
pub fn texts(posts: &[String], bytes: usize) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for (kind, unit) in UNITS {
        texts.push((kind.to_owned(), filled(bytes, || unit)));
    }
    let mut random = Random(0x5eed);
    for nth in 0..N_CHANGED {
        let (first, second) = (random.of(&UNITS).1, random.of(&UNITS).1);
        let text = match nth % 4 {
            0 => filled(bytes, || if random.below(2) == 0 { first } else { second }),
            1 => filled(bytes, || random.of(&UNITS).1),
            _ => {
                let mut text = String::new();
                while text.len() < bytes {
                    let post = random.of(posts).clone();
                    text.push_str(&changed(&post, &mut random));
                    text.push(' ');
                }
                cut(text, bytes)
            }
        };
        texts.push((
            ["two units", "units", "posts changed", "posts changed"][nth % 4].to_owned(),
            text,
        ));
    }
    texts
}

/// A post with some of its characters dropped, doubled or replaced by a unit.
fn changed(post: &str, random: &mut Random) -> String {
    let mut text = String::new();
    for c in post.chars() {
        match random.below(40) {
            0 => {}
            1 => text.extend([c, c]),
            2 => text.push_str(random.of(&UNITS).1),
            3 => text.extend(c.to_uppercase()),
            _ => text.push(c),
        }
    }
    text
}

fn filled<'u>(bytes: usize, mut unit: impl FnMut() -> &'u str) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        text.push_str(unit());
    }
    cut(text, bytes)
}

fn cut(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

/// A generator that gives the same texts on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}
