//! The words that stand around numbers and addresses: lists of the language, not of any hospital.

use std::sync::OnceLock;

/// A list of words, sorted when it is first asked.
#[derive(Debug)]
pub(in crate::detect) struct Words {
    listed: &'static str,
    sorted: OnceLock<Sorted>,
}

/// The words in order, and what tells most others apart at a look.
#[derive(Debug)]
struct Sorted {
    words: Vec<&'static str>,
    /// By the first byte of a word: one bit for each length that occurs.
    by_first: [u32; 256],
    /// The same by its last byte.
    by_last: [u32; 256],
}

impl Words {
    const fn of(listed: &'static str) -> Self {
        Self { listed, sorted: OnceLock::new() }
    }

    /// Whether a folded word is on the list.
    pub(in crate::detect) fn has(&self, word: &str) -> bool {
        let Sorted { words, by_first, by_last } =
            self.sorted.get_or_init(|| Sorted::of(self.listed));
        let may = |lengths: &[u32; 256], byte: Option<&u8>| {
            byte.and_then(|byte| lengths.get(usize::from(*byte))).copied().unwrap_or_default()
        };
        let bytes = word.as_bytes();
        may(by_first, bytes.first()) & may(by_last, bytes.last()) & length(bytes) != 0
            && words.binary_search(&word).is_ok()
    }
}

impl Sorted {
    fn of(listed: &'static str) -> Self {
        let mut words: Vec<&str> = listed.split_whitespace().collect();
        words.sort_unstable();
        let (mut by_first, mut by_last) = ([0; 256], [0; 256]);
        for word in &words {
            let bytes = word.as_bytes();
            for (lengths, byte) in [(&mut by_first, bytes.first()), (&mut by_last, bytes.last())] {
                if let Some(lengths) = byte.and_then(|byte| lengths.get_mut(usize::from(*byte))) {
                    *lengths |= length(bytes);
                }
            }
        }
        Self { words, by_first, by_last }
    }
}

/// One bit for the length of a word; all long ones share one.
fn length(word: &[u8]) -> u32 {
    1 << word.len().min(31)
}

/// What a number counts or measures.
pub(in crate::detect) static UNITS: Words = Words::of(
    "mg mcg ug g kg lb lbs oz ml cc l dl meq mmol units unit u iu cm mm m ft feet inches km mi mile miles block \
     blocks yo y yr yrs year years old anos ans month months week weeks wk wks day days hour hours hr hrs h min \
     mins minute minutes sec seconds am pm people patients pts nurses doctors staff beds steps dollars bucks usd \
     euros pesos times percent pct calls cases visits members views likes followers copies pages points \
     participants volunteers employees kids children women men families families' calories doses tablets pills \
     caps drops degrees bpm mmhg psi sq gallons liters grams pounds cents million billion thousand hundred k",
);

/// Words that say that a number follows.
pub(in crate::detect) static MARKERS: Words = Words::of(
    "number numbers num nums no nos nr nro nbr n numero numeros num. nummer numer nimewo id ids # code barcode so \
     bilang numerong номер 号 番号 번호 numara nimero sn serial",
);

/// Words that stand between a label and its number and say nothing of it.
pub(in crate::detect) static FILLERS: Words = Words::of(
    "is was were are be being reads read say says said shows showed es era fue e est ist war lautet son on in of \
     for his her their my our your the this that a label card sticker del de la el da do du der pt patient pts \
     patients ending ends with under as just now new old like please pls at to by which correct right wrong \
     actual real lan se so sa ang ay cua ma file field value still should tag band listed printed written it here \
     full only starts starting last first digits digit",
);

/// Kinds of highway, beside those of the lists.
pub(in crate::detect) static HIGHWAYS: Words =
    Words::of("highway hwy route rte rt rts interstate fm spur sr cr loop");

/// What divides a house, or names one.
pub(in crate::detect) static PREMISES: Words = Words::of(
    "apt apartment ste suite unit floor fl flr rm room bldg building dept department lot trlr trailer tower lobby \
     mezzanine rear no flat block office plaza bin file attn wing center centre mall station corner",
);

/// Kinds of street beside those of the lists, which are other words too often.
pub(in crate::detect) static STREETS: Words = Words::of(
    "cv cove xing plz trce trace pt point ext extension mall bvd blv cswy byp pass glen ridge rdg hollow view \
     vista landing lndg gate mews sts rds aves park hill hills station concourse freeway mopac drives quay wharf \
     green gardens cutoff grade rue via calle alameda walk broadway industrial club",
);

/// Words that stand between the names of a street or city.
pub(in crate::detect) static LINKS: Words =
    Words::of("of the de la las los del el and in at du des le");

/// Hosts that everybody reads, and the endings of government and schools.
pub(in crate::detect) static PUBLIC_HOSTS: Words = Words::of(
    "gov edu mil youtube youtu twitter facebook instagram tiktok linkedin reddit wikipedia nejm jamanetwork bmj thelancet \
     nature science sciencedirect pubmed medscape webmd mayoclinic who cdc nih nytimes washingtonpost cnn npr bbc reuters \
     apnews nbcnews cbsnews abcnews foxnews usatoday wsj theguardian eventbrite zoom amazon spotify apple bit t \
     statnews kff ahrq jointcommission nursingworld ama-assn redcross cancer heart diabetes",
);
