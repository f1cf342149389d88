//! Posts that name a patient in every way that names, numbers and days are written.

use crate::people::Person;

/// One way to write one patient: the post, and the part of it that must be found.
pub(crate) struct Post {
    pub(crate) variant: &'static str,
    pub(crate) text: String,
    pub(crate) part: String,
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Two letters in the middle exchanged.
fn wrong(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = letters.len() / 2;
    letters.swap(at - 1, at);
    let swapped: String = letters.iter().collect();
    if swapped == word {
        letters.remove(at);
    }
    letters.iter().collect()
}

/// Marks over the first vowel.
fn marked(word: &str) -> String {
    let marks = [('a', 'á'), ('e', 'é'), ('i', 'í'), ('o', 'ö'), ('u', 'ü')];
    let first = marks.iter().find(|(vowel, _)| word.contains(*vowel));
    first.map_or(word.to_owned(), |(vowel, marked)| word.replacen(*vowel, &marked.to_string(), 1))
}

pub(crate) fn variants(person: &Person) -> Vec<Post> {
    let (given, family) = (capital(person.given), capital(person.family));
    let (lower_given, lower_family) = (person.given, person.family);
    let initial = |word: &str| word.chars().next().unwrap();
    let mut posts = Vec::new();
    let mut add = |variant, text: String, part: String| posts.push(Post { variant, text, part });
    let mut named = |variant, name: String| {
        add(variant, format!("My patient {name} coded at 0300 and we got a pulse back."), name);
    };
    named("first last", format!("{given} {family}"));
    named("last, first", format!("{family}, {given}"));
    named("first l.", format!("{given} {}.", initial(&family)));
    named("f. last", format!("{}. {family}", initial(&given)));
    named("capitals", format!("{} {}", given.to_uppercase(), family.to_uppercase()));
    named("small letters", format!("{lower_given} {lower_family}"));
    named("middle initial", format!("{given} Q. {family}"));
    named("marks", format!("{} {}", marked(&given), marked(&family)));
    named("hyphen", format!("{given} {family}-Quackenthorpe"));
    named("hashtag", format!("#{given}{family}"));
    named("hashtag in small letters", format!("#{lower_given}{lower_family}"));
    named("handle", format!("@{lower_given}_{lower_family}"));
    if family.len() >= 7 {
        named("typing error", format!("{given} {}", wrong(&family)));
    }
    let mrn = person.mrn.to_string();
    let mut number = |variant, number: String| {
        add(variant, format!("who has {number} tonight"), number);
    };
    number("number", mrn.clone());
    number("number with dashes", format!("{}-{}-{}", &mrn[..3], &mrn[3..6], &mrn[6..]));
    number("number with zeros", format!("00{mrn}"));
    number("number with prefix", format!("MRN{mrn}"));
    let phone = &person.phone;
    number("phone", phone.clone());
    number("phone with dots", phone.replace('-', "."));
    number("phone with bracket", format!("({}) {}", &phone[..3], &phone[4..]));
    number("e-mail", person.email.clone());
    let birth = person.birth;
    let mut born = |variant, day: String| {
        add(variant, format!("{family}, born {day}, wants to go home"), day);
    };
    born("birth, iso", birth.to_string());
    born("birth, slashes", format!("{}/{}/{}", birth.month(), birth.day(), birth.year()));
    born(
        "birth, two digits",
        format!("{}-{}-{:02}", birth.month(), birth.day(), birth.year() % 100),
    );
    born("birth, written", birth.strftime("%B %-d, %Y").to_string());
    born("birth, day first", birth.strftime("%-d %b %Y").to_string());
    let address = capital_words(&person.address);
    add("address", format!("{given} {family} went home to {address} today"), address);
    if let Some(room) = person.room {
        add("room", format!("{given} in {room} needs ice again"), given.clone());
    }
    posts
}

fn capital_words(text: &str) -> String {
    text.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}
