//! What disguises write for a letter, a digit or a word.

/// Digits in words.
pub(super) const DIGIT_WORDS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The spelling alphabet of NATO.
pub(super) const NATO: [&str; 26] = [
    "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett",
    "Kilo", "Lima", "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango",
    "Uniform", "Victor", "Whiskey", "X-ray", "Yankee", "Zulu",
];

/// Morse code of letters, then of digits.
pub(super) const MORSE: [&str; 36] = [
    ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
    "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--..",
    "-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----.",
];

/// Letters and digits, and what they look like upside down.
pub(super) const FLIPPED: &[(char, char)] = &[
    ('a', 'ɐ'),
    ('b', 'q'),
    ('c', 'ɔ'),
    ('d', 'p'),
    ('e', 'ǝ'),
    ('f', 'ɟ'),
    ('g', 'ƃ'),
    ('h', 'ɥ'),
    ('i', 'ᴉ'),
    ('j', 'ɾ'),
    ('k', 'ʞ'),
    ('m', 'ɯ'),
    ('n', 'u'),
    ('p', 'd'),
    ('q', 'b'),
    ('r', 'ɹ'),
    ('t', 'ʇ'),
    ('u', 'n'),
    ('v', 'ʌ'),
    ('w', 'ʍ'),
    ('y', 'ʎ'),
    ('A', '∀'),
    ('C', 'Ɔ'),
    ('D', 'ᗡ'),
    ('E', 'Ǝ'),
    ('F', 'Ⅎ'),
    ('G', '⅁'),
    ('J', 'ſ'),
    ('L', '˥'),
    ('M', 'W'),
    ('P', 'Ԁ'),
    ('R', 'ᴚ'),
    ('T', '┴'),
    ('U', '∩'),
    ('V', 'Λ'),
    ('W', 'M'),
    ('Y', '⅄'),
    ('1', 'Ɩ'),
    ('2', 'ᄅ'),
    ('3', 'Ɛ'),
    ('4', 'ㄣ'),
    ('5', 'ϛ'),
    ('6', '9'),
    ('7', 'ㄥ'),
    ('9', '6'),
    ('.', '˙'),
    (',', '\''),
    ('\'', ','),
    ('!', '¡'),
    ('?', '¿'),
    ('(', ')'),
    (')', '('),
    ('[', ']'),
    (']', '['),
    ('_', '‾'),
];

/// Latin letters and the Cyrillic ones that look the same.
pub(super) const TWINS: &[(char, char)] = &[
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('i', 'і'),
    ('j', 'ј'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('x', 'х'),
    ('y', 'у'),
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('I', 'І'),
    ('J', 'Ј'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('S', 'Ѕ'),
    ('T', 'Т'),
    ('X', 'Х'),
];

/// Letters and the digits or marks that stand for them.
pub(super) const LEET: &[(char, char)] =
    &[('a', '4'), ('e', '3'), ('i', '1'), ('o', '0'), ('s', '5'), ('t', '7')];

/// Small capitals of the letters that have one.
pub(super) const SMALL_CAPITALS: &[(char, char)] = &[
    ('a', 'ᴀ'),
    ('b', 'ʙ'),
    ('c', 'ᴄ'),
    ('d', 'ᴅ'),
    ('e', 'ᴇ'),
    ('f', 'ꜰ'),
    ('g', 'ɢ'),
    ('h', 'ʜ'),
    ('i', 'ɪ'),
    ('j', 'ᴊ'),
    ('k', 'ᴋ'),
    ('l', 'ʟ'),
    ('m', 'ᴍ'),
    ('n', 'ɴ'),
    ('o', 'ᴏ'),
    ('p', 'ᴘ'),
    ('r', 'ʀ'),
    ('s', 'ꜱ'),
    ('t', 'ᴛ'),
    ('u', 'ᴜ'),
    ('v', 'ᴠ'),
    ('w', 'ᴡ'),
    ('y', 'ʏ'),
    ('z', 'ᴢ'),
];
