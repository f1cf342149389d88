//! Files built here, byte by byte: what is taken out of them, what stays, and what they say.

use proptest::prelude::*;

use crate::media::{Anatomy, Fault, Format, InPlace, Keep, check};

/// A compressed picture that holds every byte that might be taken for a marker.
const SCAN: &[u8] = b"\x12\xff\x00\xff\xd0\x99\xff\xff\x00Exif\0\0\xff\xd7\x01";

pub(super) fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

/// A JPEG with these segments behind its start.
pub(super) fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"\xff\xd8".to_vec();
    out.extend(segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
    out.extend(segments.concat());
    out.extend(segment(0xdb, &[7; 65]));
    out.extend(segment(0xc0, b"\x08\0\x01\0\x01\x01\x01\x11\0"));
    out.extend(segment(0xc4, &[3; 28]));
    out.extend(segment(0xda, b"\x01\x01\0\0\x3f\0"));
    out.extend_from_slice(SCAN);
    out.extend_from_slice(b"\xff\xd9");
    out
}

/// EXIF of these ASCII tags, a turn, and a place.
pub(super) fn exif(tags: &[(u16, &[u8])], turn: Option<u16>, place: bool) -> Vec<u8> {
    let mut entries: Vec<(u16, u16, u32, Vec<u8>)> = tags
        .iter()
        .map(|(tag, value)| {
            let kind = if *tag == 0x9286 {
                7
            } else if *tag >= 0x9c00 {
                1
            } else {
                2
            };
            (*tag, kind, u32::try_from(value.len()).unwrap(), value.to_vec())
        })
        .collect();
    if let Some(turn) = turn {
        entries.push((0x0112, 3, 1, turn.to_le_bytes().to_vec()));
    }
    let n = entries.len() + usize::from(place);
    let mut data_at = 8 + 2 + n * 12 + 4;
    let (mut directory, mut data) = (Vec::new(), Vec::new());
    let mut push = |tag: u16, kind: u16, count: u32, value: &[u8]| {
        directory.extend_from_slice(&tag.to_le_bytes());
        directory.extend_from_slice(&kind.to_le_bytes());
        directory.extend_from_slice(&count.to_le_bytes());
        if value.len() <= 4 {
            let mut four = value.to_vec();
            four.resize(4, 0);
            directory.extend_from_slice(&four);
        } else {
            directory.extend_from_slice(&u32::try_from(data_at).unwrap().to_le_bytes());
            data.extend_from_slice(value);
            data_at += value.len();
        }
    };
    for (tag, kind, count, value) in &entries {
        push(*tag, *kind, *count, value);
    }
    if place {
        let at = 8
            + 2
            + n * 12
            + 4
            + entries
                .iter()
                .map(|(.., value)| if value.len() > 4 { value.len() } else { 0 })
                .sum::<usize>();
        let rational = |numbers: [u32; 6]| {
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>()
        };
        let latitude = rational([40, 1, 42, 1, 4600, 100]);
        let longitude = rational([74, 1, 0, 1, 2160, 100]);
        let values_at = u32::try_from(at + 2 + 4 * 12 + 4).unwrap();
        let mut gps = 4_u16.to_le_bytes().to_vec();
        for (tag, kind, count, value) in [
            (1_u16, 2_u16, 2_u32, *b"N\0\0\0"),
            (2, 5, 3, values_at.to_le_bytes()),
            (3, 2, 2, *b"W\0\0\0"),
            (4, 5, 3, (values_at + 24).to_le_bytes()),
        ] {
            gps.extend_from_slice(&tag.to_le_bytes());
            gps.extend_from_slice(&kind.to_le_bytes());
            gps.extend_from_slice(&count.to_le_bytes());
            gps.extend_from_slice(&value);
        }
        gps.extend_from_slice(&[0; 4]);
        gps.extend(latitude);
        gps.extend(longitude);
        push(0x8825, 4, 1, &u32::try_from(at).unwrap().to_le_bytes());
        data.extend(gps);
    }
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend_from_slice(&u16::try_from(n).unwrap().to_le_bytes());
    out.extend(directory);
    out.extend_from_slice(&[0; 4]);
    out.extend(data);
    out
}

pub(super) fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    let typed = [&kind, data].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&typed);
    out.extend(typed);
    out.extend_from_slice(&crc.sum().to_be_bytes());
    out
}

pub(super) fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0"),
        chunks.concat(),
        chunk(*b"IDAT", b"\x78\x9c\x63\x60\0\0\0\x02\0\x01"),
        chunk(*b"IEND", b""),
    ]
    .concat()
}

fn riff_chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = [&kind[..], &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
    if data.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn riff(form: [u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let inside = [form.to_vec(), chunks.concat()].concat();
    [b"RIFF".to_vec(), u32::try_from(inside.len()).unwrap().to_le_bytes().to_vec(), inside].concat()
}

fn webp(flags: u8, more: &[Vec<u8>]) -> Vec<u8> {
    let mut chunks = vec![
        riff_chunk(*b"VP8X", &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        riff_chunk(*b"VP8 ", b"\x30\x01\0\x9d\x01\x2a\x01\0\x01\0\x02"),
    ];
    chunks.extend_from_slice(more);
    riff(*b"WEBP", &chunks)
}

fn gif(blocks: &[u8]) -> Vec<u8> {
    let mut out = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0".to_vec();
    out.extend_from_slice(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0");
    out.extend_from_slice(b"\x21\xf9\x04\0\x0a\0\0\0");
    out.extend_from_slice(blocks);
    out.extend_from_slice(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b");
    out
}

fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length[..], &kind, content].concat()
}

/// A film, whose times are set, with these boxes in its description.
pub(super) fn film(more: &[u8]) -> Vec<u8> {
    let header = [&[0; 4][..], &[9; 8], &[0; 88]].concat();
    let handler = [&[0; 8][..], b"vide", &[0; 13]].concat();
    let media = [
        boxed(*b"mdhd", &[&[0; 4][..], &[9; 8], &[0; 12]].concat()),
        boxed(*b"hdlr", &handler),
        boxed(*b"minf", b""),
    ]
    .concat();
    let track = [boxed(*b"tkhd", &[0; 84]), boxed(*b"mdia", &media)].concat();
    let movie = [boxed(*b"mvhd", &header), boxed(*b"trak", &track), more.to_vec()].concat();
    [
        boxed(*b"ftyp", b"isom\0\0\x02\0isommp42"),
        boxed(*b"mdat", b"pixels and sound"),
        boxed(*b"moov", &movie),
    ]
    .concat()
}

/// A HEIC picture with EXIF and XMP items in its data.
fn heic(exif: &[u8], xmp: &[u8]) -> Vec<u8> {
    let entry = |id: u8, kind: &[u8; 4], more: &[u8]| {
        boxed(*b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0][..], kind, more].concat())
    };
    let entries = [
        entry(1, b"hvc1", b"\0"),
        entry(2, b"Exif", b"\0"),
        entry(3, b"mime", b"\0application/rdf+xml\0"),
    ]
    .concat();
    let items = boxed(*b"iinf", &[&[0, 0, 0, 0, 0, 3][..], &entries].concat());
    let pixels = b"compressed pixels";
    let head = boxed(*b"ftyp", b"heic\0\0\0\0mif1heic");
    let meta = |base: usize| {
        let mut places = vec![0, 0, 0, 0, 0x44, 0, 0, 3];
        let mut at = base;
        for (id, length) in [(1_u16, pixels.len()), (2, exif.len()), (3, xmp.len())] {
            places.extend_from_slice(&id.to_be_bytes());
            places.extend_from_slice(&[0, 0, 0, 1]);
            places.extend_from_slice(&u32::try_from(at).unwrap().to_be_bytes());
            places.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
            at += length;
        }
        let content = [
            &[0; 4][..],
            &boxed(*b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            &boxed(*b"pitm", b"\0\0\0\0\0\x01"),
            &items,
            &boxed(*b"iloc", &places),
        ]
        .concat();
        boxed(*b"meta", &content)
    };
    let base = head.len() + meta(0).len() + 8;
    [head, meta(base), boxed(*b"mdat", &[pixels, exif, xmp].concat())].concat()
}

fn stripped(bytes: &[u8]) -> Vec<u8> {
    let anatomy = Anatomy::of(bytes);
    assert_eq!(anatomy.fault(), None);
    anatomy.stripped(bytes, Keep::Needed).unwrap().unwrap_or_else(|| bytes.to_vec())
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let words = Anatomy::of(bytes).words(bytes);
    words.captions.iter().map(|caption| caption.text.expose().to_owned()).collect()
}

#[track_caller]
fn says(bytes: &[u8], want: &str) {
    let texts = texts(bytes);
    assert!(texts.iter().any(|text| text.contains(want)), "{want} in {texts:?}");
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_jpeg_keeps_what_a_decoder_needs() {
    let profile = [b"ICC_PROFILE\0\x01\x01".as_slice(), &[0; 36], b"acsp", &[0; 88]].concat();
    let kept = [segment(0xe2, &profile), segment(0xee, b"Adobe\0\x64\0\0\0\0\x01")];
    let bare = jpeg(&kept);
    assert_eq!(stripped(&bare), bare);
    let mut all = kept.to_vec();
    all.extend([
        segment(
            0xe1,
            &[b"Exif\0\0".to_vec(), exif(&[(0x010e, b"Jane Roe, bed 4\0")], None, true)].concat(),
        ),
        segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>Jane</x:xmpmeta>"),
        segment(0xed, b"Photoshop 3.0\08BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x78\0\x05Janie"),
        segment(0xfe, b"a comment"),
        segment(0xe2, b"MPF\0MM\0*"),
        segment(0xe5, b"somebody's own"),
        b"\xff\xff".to_vec(),
    ]);
    // The fill of the last two belongs to the table behind them, and stays.
    let full = [jpeg(&all), b"behind the end".to_vec()].concat();
    let filled = jpeg(&[kept.to_vec(), vec![b"\xff\xff".to_vec()]].concat());
    assert_eq!(stripped(&full), filled);
    for want in [
        "Jane Roe, bed 4",
        "Jane",
        "Janie",
        "a comment",
        "somebody's own",
        "behind the end",
        "GPS position 40.71278, -74.00600",
    ] {
        says(&full, want);
    }
}

#[test]
fn a_portrait_stays_upright() {
    let app1 = |tiff: Vec<u8>| segment(0xe1, &[b"Exif\0\0".to_vec(), tiff].concat());
    let picture = jpeg(&[app1(exif(&[(0x013b, b"Ann Lee, RN\0")], Some(6), true))]);
    let bare = stripped(&picture);
    let minimal =
        b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    assert_eq!(bare, jpeg(&[minimal.to_vec()]));
    // One that stands upright needs no word of it.
    assert_eq!(stripped(&jpeg(&[app1(exif(&[], Some(1), false))])), jpeg(&[]));
    let png_picture =
        png(&[chunk(*b"eXIf", &exif(&[(0x010e, b"bed 4, ward 9\0")], Some(8), false))]);
    assert_eq!(stripped(&png_picture), png(&[chunk(*b"eXIf", &crate::media::exif::only_turn(8))]));
}

#[test]
fn thumbnails_go() {
    let thumbnail = segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc");
    let mut with = b"\xff\xd8".to_vec();
    with.extend(thumbnail);
    with.extend(segment(0xe0, b"JFXX\0\x10\xff\xd8"));
    with.extend_from_slice(&jpeg(&[])[20..]);
    assert_eq!(stripped(&with), jpeg(&[]));
}

#[test]
fn a_png_keeps_its_frames_and_colours() {
    let kept =
        [chunk(*b"gAMA", b"\0\0\xb1\x8f"), chunk(*b"acTL", &[0; 8]), chunk(*b"fcTL", &[0; 26])];
    let bare = png(&kept);
    assert_eq!(stripped(&bare), bare);
    let deflated = {
        use std::io::Write;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"seen by Jane Roe").unwrap();
        encoder.finish().unwrap()
    };
    let mut all = kept.to_vec();
    all.extend([
        chunk(*b"tEXt", b"MRN\x0000412345"),
        chunk(*b"zTXt", &[b"Comment\0\0".as_slice(), &deflated].concat()),
        chunk(*b"iTXt", "Title\0\0\0de\0Titel\0Ünter uns".as_bytes()),
        chunk(*b"iTXt", &[b"Note\0\x01\0\0\0".as_slice(), &deflated].concat()),
        chunk(*b"tIME", &[7; 7]),
        chunk(*b"eXIf", &exif(&[(0x9c9b, &utf16("Zimmer 4"))], None, false)),
        chunk(*b"prVt", b"somebody's own"),
        chunk(*b"tEXt", b"Raw profile type exif\0\nexif\n4\n49492a00"),
    ]);
    let full = [png(&all), b"%PDF-1.7".to_vec()].concat();
    assert_eq!(stripped(&full), bare);
    for want in ["00412345", "seen by Jane Roe", "Ünter uns", "Zimmer 4", "somebody's own"] {
        says(&full, want);
    }
    let words = Anatomy::of(&full).words(&full);
    assert!(words.holds_document && !words.unread);
    assert!(words.captions.iter().any(|caption| caption.label.as_deref() == Some("MRN")));
}

#[test]
fn what_inflates_without_end_is_not_read() {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b'a'; 4 << 20]).unwrap();
    let bomb = png(&[chunk(*b"zTXt", &[b"a\0\0".as_slice(), &encoder.finish().unwrap()].concat())]);
    assert!(Anatomy::of(&bomb).words(&bomb).unread);
    assert_eq!(stripped(&bomb), png(&[]));
}

#[test]
fn a_webp_is_put_right() {
    let bare = webp(0x10, &[]);
    assert_eq!(stripped(&bare), bare);
    let full = webp(
        0x1c,
        &[
            riff_chunk(*b"EXIF", &exif(&[(0x8298, b"(c) Jane Roe 2026\0")], None, true)),
            riff_chunk(*b"XMP ", b"<x:xmpmeta><dc:title>Jane</dc:title></x:xmpmeta>"),
            riff_chunk(*b"mine", b"odd"),
        ],
    );
    let full = [full, b"tail".to_vec()].concat();
    assert_eq!(stripped(&full), bare);
    says(&full, "(c) Jane Roe 2026");
    says(&full, "GPS position");
    // Turned, it keeps a word of it, and the flag that says so.
    let turned = stripped(&webp(
        0x1c,
        &[riff_chunk(*b"EXIF", &exif(&[(0x8298, b"(c) Jane Roe\0")], Some(3), false))],
    ));
    assert_eq!(turned, webp(0x18, &[riff_chunk(*b"EXIF", &crate::media::exif::only_turn(3))]));
}

#[test]
fn a_gif_keeps_its_loop() {
    let bare = gif(b"");
    assert_eq!(stripped(&bare), bare);
    let full = gif(b"\x21\xfe\x08MRN 0041\x05 2345\0\x21\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0\x04text\0\x21\xff\x0bSOMEBODY1.0\x03own\0");
    // The timing before the drawn text goes with it; the frame behind has none then.
    let bare = [&gif(b"")[..38], &gif(b"")[46..]].concat();
    let full = [full, b"\0tail".to_vec()].concat();
    assert_eq!(stripped(&full), bare);
    says(&full, "MRN 0041 2345");
}

#[test]
fn a_heic_is_overwritten_where_it_stands() {
    let exif =
        [b"\0\0\0\0".to_vec(), exif(&[(0x010e, b"Jane Roe, bed 4\0")], Some(6), true)].concat();
    let picture = heic(&exif, b"<x:xmpmeta><dc:title>Janie Doe</dc:title></x:xmpmeta>");
    says(&picture, "Jane Roe, bed 4");
    says(&picture, "Janie Doe");
    says(&picture, "GPS position");
    let bare = stripped(&picture);
    assert_eq!(bare.len(), picture.len());
    let pixels = memchr::memmem::find(&picture, b"compressed pixels").unwrap() + 17;
    assert_eq!(bare[..pixels], picture[..pixels]);
    assert!(!bare.windows(4).any(|window| window == b"Jane" || window == b"Jani"));
    assert_eq!(Anatomy::of(&bare).stripped(&bare, Keep::Needed), Ok(None));
    // EXIF that claims the bytes of the picture cannot be taken out.
    let shared = heic(b"", b"<x/>");
    let at = memchr::memmem::find(&shared, b"iloc").unwrap() + 4 + 8 + 14;
    let mut shared = shared;
    let pixels = memchr::memmem::find(&shared, b"compressed").unwrap();
    shared[at + 6..at + 10].copy_from_slice(&u32::try_from(pixels).unwrap().to_be_bytes());
    shared[at + 13] = 4;
    assert_eq!(Anatomy::of(&shared).fault(), Some(Fault::Malformed));
}

#[test]
fn a_film_keeps_its_offsets() {
    let tags = [
        boxed(*b"udta", &boxed(*b"\xa9xyz", b"\0\x12\x15\xc7+40.7128-074.0060/")),
        boxed(*b"meta", b"\0\0\0\0secrets of the ward"),
    ]
    .concat();
    let full = film(&tags);
    says(&full, "GPS position 40.71280, -74.00600");
    says(&full, "secrets of the ward");
    let bare = stripped(&full);
    assert_eq!(bare.len(), full.len());
    assert!(memchr::memmem::find(&bare, b"pixels and sound").is_some());
    for gone in [b"xyz".as_slice(), b"40.7", b"secrets", b"\x09\x09"] {
        assert!(memchr::memmem::find(&bare, gone).is_none());
    }
    // On its way, whatever the pieces.
    for size in [1, 5, 64, full.len()] {
        let mut film = InPlace::for_start(&full).unwrap();
        let mut out = Vec::new();
        for piece in full.chunks(size) {
            film.push(piece, &mut out).unwrap();
        }
        film.finish(&mut out).unwrap();
        assert!(film.changed && out == bare, "in pieces of {size}");
    }
}

#[test]
fn a_track_of_positions_goes_with_its_samples() {
    let handler = [&[0; 8][..], b"meta", &[0; 13]].concat();
    let at =
        |film: &[u8]| u32::try_from(memchr::memmem::find(film, b"and sound").unwrap()).unwrap();
    let track = |offset: u32| {
        let table = [
            boxed(
                *b"stsc",
                &[&[0; 4][..], &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]].concat(),
            ),
            boxed(*b"stsz", &[0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]),
            boxed(*b"stco", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &offset.to_be_bytes()].concat()),
        ]
        .concat();
        let media = [boxed(*b"hdlr", &handler), boxed(*b"minf", &boxed(*b"stbl", &table))].concat();
        boxed(*b"trak", &boxed(*b"mdia", &media))
    };
    let full = film(&track(at(&film(b""))));
    let bare = stripped(&full);
    assert!(memchr::memmem::find(&bare, b"pixels \0\0\0 sound").is_some());
    assert_eq!(bare.len(), full.len());
}

#[test]
fn a_list_of_boxes_ends_with_noughts_and_nothing_else() {
    let words = boxed(*b"udta", b"secrets of the ward");
    for ended in [b"\0\0\0\0".as_slice(), b"\0\0\0\0\0\0\0\0\0"] {
        let full = film(&[&words, ended].concat());
        says(&full, "secrets of the ward");
        let bare = stripped(&full);
        assert!(memchr::memmem::find(&bare, b"secrets").is_none());
    }
    let endless = [b"\0\0\0\0udta", &words[..]].concat();
    for hidden in [&endless[..], &[&[0; 4], &words[..]].concat(), b"J.Roe"] {
        let full = film(hidden);
        assert_eq!(Anatomy::of(&full).fault(), Some(Fault::Malformed), "{hidden:?}");
        let mut passing = InPlace::for_start(&full).unwrap();
        assert_eq!(passing.push(&full, &mut Vec::new()), Err(Fault::Malformed));
    }
}

#[test]
fn what_stays_is_as_long_as_it_must_be() {
    for kind in [b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"bKGD", b"sBIT", b"tRNS", b"acTL"] {
        let long = png(&[chunk(*kind, &b"MRN 00412345 of Jane Roe, bed 4. ".repeat(9))]);
        assert_eq!(stripped(&long), png(&[]));
        says(&long, "MRN 00412345 of Jane Roe");
    }
    let once = chunk(*b"gAMA", b"\0\0\xb1\x8f");
    let twice = png(&[once.clone(), chunk(*b"gAMA", b"Jane")]);
    assert_eq!(stripped(&twice), png(&[once]));
    let long = png(&[chunk(*b"PLTE", &[b'a'; 771])]);
    assert_eq!(Anatomy::of(&long).fault(), Some(Fault::Malformed));
    for control in [b"\x21\xf9\x08Jane Roe\0".as_slice(), b"\x21\xf9\x04\0\0\0\0\x04Jane\0"] {
        assert_eq!(Anatomy::of(&gif(control)).fault(), Some(Fault::Malformed));
    }
}

/// So many frames of MP3.
fn frames(n: usize) -> Vec<u8> {
    [b"\xff\xfb\x90\x64".as_slice(), &[0x99; 413]].concat().repeat(n)
}

#[test]
fn what_is_no_sound_goes() {
    let mut last = b"TAGJane Roe".to_vec();
    last.resize(128, 0);
    let sung = b"LYRICSBEGININD00002LYR00008Jane Roe000035LYRICS200".to_vec();
    let sung_first = b"LYRICSBEGINJane RoeLYRICSEND".to_vec();
    let mut ape = b"Jane Roe".to_vec();
    ape.extend(b"APETAGEX\xd0\x07\0\0\x28\0\0\0\x01\0\0\0");
    ape.extend([0; 12]);
    let id3 = [b"ID3\x04\0\0\0\0\0\x13".as_slice(), b"TIT2\0\0\0\x09\0\0\0Jane Roe"].concat();
    let text = b"MRN 00412345 of Jane Roe".to_vec();
    let whole = frames(3);
    for behind in [&last, &sung, &sung_first, &ape, &id3, &text, &[&sung[..], &last].concat()] {
        let full = [&whole[..], behind].concat();
        assert_eq!(stripped(&full), whole);
        says(&full, "Jane Roe");
        // Between two frames, too.
        let full = [&whole[..], behind, &whole].concat();
        assert_eq!(stripped(&full), frames(6));
        says(&full, "Jane Roe");
    }
    for behind in [&last, &sung, &sung_first, &ape] {
        let flac = [b"fLaC\x80\0\0\x22".as_slice(), &[1; 34], b"\xff\xf8sound"].concat();
        let full = [&flac[..], behind].concat();
        assert_eq!(stripped(&full), flac);
        says(&full, "Jane Roe");
    }
    let both = [&whole[..], b"PK\x03\x04zip of a whole ward"].concat();
    assert!(Anatomy::of(&both).words(&both).holds_document);
    assert_eq!(stripped(&both), whole);
    // In a frame that breaks off, words are words; sound that breaks off stays.
    let both = [&whole[..], b"\xff\xfb\x90\x64MRN 00412345 of Jane Roe, bed 4"].concat();
    says(&both, "MRN 00412345");
    assert_eq!(stripped(&both), whole);
    assert_eq!(stripped(&whole[..1000]), &whole[..1000]);
    assert_eq!(Anatomy::of(&whole[..100]).fault(), Some(Fault::Truncated));
    for broken in [b"LYRICS200".as_slice(), b"999999LYRICS200", b"LYRICSEND"] {
        let full = [&whole[..], broken].concat();
        assert_eq!(Anatomy::of(&full).fault(), Some(Fault::Malformed));
    }
}

#[test]
fn sound_loses_its_tags() {
    let frames = frames(3);
    let tag = [b"ID3\x03\0\0\0\0\0\x10".as_slice(), b"TIT2\0\0\0\x05\0\0\0Jane1"].concat();
    let mut last = b"TAG".to_vec();
    last.extend_from_slice(b"Jane Roe");
    last.resize(128, 0);
    let full = [&tag[..], &frames, &last].concat();
    assert_eq!(stripped(&full), frames);
    says(&full, "Jane Roe");
    let flac =
        [b"fLaC\0\0\0\x22".as_slice(), &[1; 34], b"\x84\0\0\x08Jane Roe\xff\xf8sound"].concat();
    let bare = stripped(&flac);
    assert_eq!(
        bare,
        [b"fLaC\0\0\0\x22".as_slice(), &[1; 34], b"\x81\0\0\x08\0\0\0\0\0\0\0\0\xff\xf8sound"]
            .concat()
    );
    let wave = |more: &[Vec<u8>]| {
        riff(
            *b"WAVE",
            &[&[riff_chunk(*b"fmt ", &[1; 16]), riff_chunk(*b"data", b"sound!")], more].concat(),
        )
    };
    assert_eq!(stripped(&wave(&[riff_chunk(*b"LIST", b"INFOINAM\x04\0\0\0Jane")])), wave(&[]));
}

#[test]
fn a_web_film_loses_its_title() {
    let element = |id: &[u8], content: &[u8]| {
        [id, &[0x80 | u8::try_from(content.len()).unwrap()], content].concat()
    };
    let info = element(b"\x15\x49\xa9\x66", &element(b"\x7b\xa9", b"Jane Roe, bed 4"));
    let tags = element(b"\x12\x54\xc3\x67", &element(b"\x73\x73", b"secrets of the ward"));
    let cluster = [
        b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        element(b"\xe7", b"\0"),
        element(b"\xa3", b"pixels"),
    ]
    .concat();
    let segment =
        [b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff".to_vec(), info, cluster, tags]
            .concat();
    let full = [element(b"\x1a\x45\xdf\xa3", b"\x42\x82\x84webm"), segment].concat();
    says(&full, "Jane Roe, bed 4");
    let bare = stripped(&full);
    assert_eq!(bare.len(), full.len());
    assert!(memchr::memmem::find(&bare, b"pixels").is_some());
    assert!(
        memchr::memmem::find(&bare, b"Jane").is_none()
            && memchr::memmem::find(&bare, b"ward").is_none()
    );
}

/// One file of each kind that can be taken apart, with metadata in it.
fn all() -> Vec<Vec<u8>> {
    let tiff = exif(
        &[(0x010e, b"Jane Roe, bed 4\0"), (0x9286, b"ASCII\0\0\0seen on the ward")],
        Some(6),
        true,
    );
    vec![
        [
            jpeg(&[
                segment(0xe1, &[b"Exif\0\0".to_vec(), tiff.clone()].concat()),
                segment(0xfe, b"words"),
            ]),
            b"tail".to_vec(),
        ]
        .concat(),
        png(&[chunk(*b"tEXt", b"Title\0Jane Roe"), chunk(*b"eXIf", &tiff)]),
        gif(b"\x21\xfe\x08MRN 0041\x05 2345\0"),
        webp(0x1c, &[riff_chunk(*b"EXIF", &tiff), riff_chunk(*b"XMP ", b"<x>Jane Roe</x>")]),
        heic(&[b"\0\0\0\0".to_vec(), tiff].concat(), b"<x:xmpmeta>Jane</x:xmpmeta>"),
        film(&boxed(*b"udta", b"Jane Roe was here")),
    ]
}

#[test]
fn the_length_stays_where_it_was_told_before() {
    for file in all() {
        let anatomy = Anatomy::of(&file);
        let bare = anatomy.stripped(&file, Keep::Length).unwrap().unwrap();
        assert_eq!(bare.len(), file.len(), "{:?}", anatomy.format());
        let left = texts(&bare).concat();
        assert!(
            !left.contains("Jane") && !left.contains("0041") && !left.contains("GPS"),
            "{left}"
        );
        // A picture that is turned still is.
        if anatomy.format() == Some(Format::Jpeg) {
            assert!(memchr::memmem::find(&bare, &crate::media::exif::only_turn(6)).is_some());
        }
        check::media(&file);
    }
}

#[test]
fn what_breaks_off_is_a_piece() {
    for file in all() {
        for end in 0..file.len() {
            let anatomy = Anatomy::of(&file[..end]);
            assert!(anatomy.fault().is_some() || end > file.len() / 4);
            check::media(&file[..end]);
        }
    }
    let whole = &all()[0];
    let piece = &whole[..whole.len() - 30];
    let anatomy = Anatomy::of(piece);
    assert_eq!(anatomy.stripped(piece, Keep::Length), Err(Fault::Truncated));
    let bare = anatomy.piece_stripped(piece).unwrap().unwrap();
    assert_eq!(bare.len(), piece.len());
}

#[test]
fn what_is_malformed_is_said_to_be() {
    for (bytes, fault) in [
        (b"\xff\xd8\xff\xd9".to_vec(), Fault::Malformed),
        (b"\xff\xd8\xff\xe1\0\x01".to_vec(), Fault::Malformed),
        (b"\xff\xd8\xff\xe1\xff\xff".to_vec(), Fault::Truncated),
        (png(&[chunk(*b"ABCD", b"must be understood")]), Fault::Malformed),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR".to_vec(), Fault::Malformed),
        (b"GIF89a\x01\0\x01\0\0\0\0\x3b".to_vec(), Fault::Malformed),
        (b"RIFF\x04\0\0\0WEBP".to_vec(), Fault::Malformed),
        (b"II*\0\x08\0\0\0".to_vec(), Fault::Unknown),
        (b"hello".to_vec(), Fault::Unknown),
    ] {
        let anatomy = Anatomy::of(&bytes);
        assert_eq!(anatomy.fault(), Some(fault), "{bytes:?}");
        assert!(anatomy.stripped(&bytes, Keep::Needed).is_err());
    }
    // Its words are words all the same.
    says(b"\xff\xd8\xff\xe1\xff\xffMRN 00412345 of Jane Roe", "MRN 00412345 of Jane Roe");
    says(&exif(&[(0x010e, b"a TIFF of Jane Roe\0")], None, false), "a TIFF of Jane Roe");
}

#[test]
fn another_file_behind_the_end_is_read() {
    let motion = [jpeg(&[]), film(&boxed(*b"udta", b"secrets of the ward"))].concat();
    says(&motion, "secrets of the ward");
    for document in [
        b"PK\x03\x04zip".as_slice(),
        b"\n\n%PDF-1.4",
        &[&[0; 128][..], b"DICM\x02\0\0\0UL\x04\0"].concat(),
    ] {
        let both = [jpeg(&[]), document.to_vec()].concat();
        assert!(Anatomy::of(&both).words(&both).holds_document);
        assert_eq!(stripped(&both), jpeg(&[]));
    }
}

proptest! {
    #[test]
    fn nothing_panics(which in 0_usize..6, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut file = all()[which].clone();
        let n = file.len();
        file[at.index(n)] = byte;
        check::media(&file);
        check::media(&file[..cut.index(n)]);
    }

    #[test]
    fn nor_on_noise(start in 0_usize..6, noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = all()[start][..16].to_vec();
        file.extend(noise);
        check::media(&file);
    }
}

/// The seeds of the fuzz target: one file of each kind.
#[test]
fn every_seed_holds() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/media");
    let mut n = 0;
    for seed in std::fs::read_dir(seeds).unwrap() {
        let data = std::fs::read(seed.unwrap().path()).unwrap();
        check::media(&data);
        for at in 0..data.len() {
            check::media(&data[..at]);
            let mut turned = data.clone();
            turned[at] ^= 0x11;
            check::media(&turned);
        }
        n += 1;
    }
    assert!(n >= 6);
}
