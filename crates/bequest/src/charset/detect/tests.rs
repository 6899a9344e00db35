use super::*;

fn encoded(label: &str, text: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label.as_bytes()).unwrap();
    let (bytes, _, lost) = encoding.encode(text);
    assert!(!lost, "{label}: {text}");
    bytes.into_owned()
}

/// Sentences that each of the charsets can say.
const SENTENCES: &[(&[&str], &str)] = &[
    (
        &["windows-1251", "koi8-r", "iso-8859-5", "ibm866", "x-mac-cyrillic"],
        "Вчера вечером мы долго гуляли по набережной, а потом пошёл сильный дождь.",
    ),
    (
        &["windows-1251", "koi8-u"],
        "Учора ввечері ми довго гуляли набережною, а потім пішов сильний дощ.",
    ),
    (
        &["windows-1251", "iso-8859-5"],
        "Вчера вечерта дълго се разхождахме край реката, а после заваля силен дъжд.",
    ),
    (
        &["windows-1253", "iso-8859-7"],
        "Χθες το βράδυ περπατήσαμε πολλή ώρα δίπλα στη θάλασσα και μετά έβρεξε.",
    ),
    (&["windows-1255"], "אתמול בערב טיילנו שעה ארוכה על שפת הים ואחר כך ירד גשם חזק."),
    (&["windows-1256", "iso-8859-6"], "مشينا مساء أمس طويلا على شاطئ البحر ثم نزل المطر."),
    (&["windows-874"], "เมื่อวานตอนเย็นเราเดินเล่นริมแม่น้ำอยู่นาน แล้วฝนก็ตกหนัก"),
    (&["windows-1254"], "Dün akşam sahilde uzun uzun yürüdük, sonra şiddetli bir yağmur başladı."),
    (
        &["windows-1250", "iso-8859-2"],
        "Včera večer jsme se dlouho procházeli po nábřeží a potom začalo hustě pršet.",
    ),
    (
        &["windows-1250", "iso-8859-2"],
        "Wczoraj wieczorem długo spacerowaliśmy nad rzeką, a później zaczęła się ulewa.",
    ),
    (&["windows-1250"], "Tegnap este sokáig sétáltunk a folyó mellett, aztán erős eső kezdődött."),
    (
        &["windows-1252", "macintosh"],
        "Hier soir, nous avons marché très longtemps près de la rivière, après il a plu.",
    ),
    (
        &["windows-1252", "macintosh"],
        "Gestern Abend gingen wir lange am Flussufer spazieren, später fing es an zu schütten für Stunden.",
    ),
    (
        &["windows-1257"],
        "Vakar vakare ilgai vaikščiojome paupiu, o paskui pradėjo smarkiai lyti lietus, žaibavo.",
    ),
    (&["shift_jis", "euc-jp"], "昨日の夜、川のそばを長い間散歩しました。それから雨が降りました。"),
    (&["euc-kr"], "어제 저녁에 우리는 강가를 오래 걸었고 그 다음에 비가 많이 왔습니다."),
    (&["gb18030"], "昨天晚上我们在河边走了很久，后来下了一场大雨。"),
    (&["big5"], "昨天晚上我們在河邊走了很久，後來下了一場大雨。"),
];

#[test]
fn sentences_are_read_as_they_were_written() {
    for (charsets, text) in SENTENCES {
        for label in *charsets {
            let bytes = encoded(label, text);
            let found = detect(&bytes).unwrap();
            let read = Charset::named(found).unwrap().decode(&bytes);
            assert_eq!(read, *text, "{label} taken for {found}");
        }
    }
}

#[test]
fn valid_utf_8_is_utf_8() {
    for (_, text) in SENTENCES {
        assert_eq!(detect(text.as_bytes()), Some("utf-8"), "{text}");
    }
    assert_eq!(detect("\u{e9}".as_bytes()), Some("utf-8"));
    let whole = "Ünïcödé ".repeat(40_000);
    assert_eq!(detect(whole.as_bytes()), Some("utf-8"));
    // Cut off within a character.
    assert_eq!(detect(&whole.as_bytes()[..100_001]), Some("utf-8"));
    assert_eq!(detect(b"plain"), Some("ascii"));
    // A few bytes are wrong.
    let mut damaged = "Вчера вечером мы долго гуляли.".as_bytes().to_vec();
    damaged.insert(20, 0xff);
    assert_eq!(detect(&damaged), Some("utf-8"));
}

#[test]
fn the_text_may_begin_late() {
    let mut text = vec![b'x'; 200_000];
    text.extend(encoded("koi8-r", SENTENCES[0].1));
    assert_eq!(detect(&text), Some("koi8-r"));
}

#[test]
fn marks_and_zeros() {
    assert_eq!(detect(b"\xef\xbb\xbfa"), Some("utf-8"));
    assert_eq!(detect(b"\xff\xfea\0"), Some("utf-16le"));
    assert_eq!(detect(b"a\0b\0"), Some("utf-16le"));
    assert_eq!(detect(b"\0\0\0a"), Some("utf-32be"));
    assert_eq!(detect(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), None);
    assert_eq!(detect(b""), None);
}

#[test]
fn what_the_text_says_of_itself() {
    for text in [
        &b"<meta charset=koi8-r>\xcf\xf2"[..],
        b"<META content='text/html; charset = \"koi8-r\"'>\xcf\xf2",
        b"<?xml version='1.0' encoding='koi8-r'?>\xcf\xf2",
    ] {
        assert_eq!(detect(text), Some("KOI8-R"), "{}", text.escape_ascii());
    }
    // It can't be what it says.
    assert_ne!(detect(b"<meta charset=euc-kr>\xff\xfe\x80caf\xe9"), Some("EUC-KR"));
    assert_eq!(detect(b"<meta charset=koi8-r>\xc3\xa9"), Some("utf-8"), "UTF-8 comes first");
}

#[test]
fn anything_is_read_without_a_panic() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..3000 {
        let length = random() % 90;
        let kept = [0xff, 0xff, 0xbf, 0x9f][round % 4];
        let bytes: Vec<u8> = (0..length).map(|_| (random() >> 24) as u8 & kept | 0x20).collect();
        if let Some(found) = detect(&bytes) {
            assert!(Charset::named(found).is_some(), "{found} for {}", bytes.escape_ascii());
        }
    }
}
