//! Single-byte charsets that encoding_rs does not have: code pages of DOS and of the Macintosh.

/// The upper 128 characters of each of `LABELS`, as UTF-16, little-endian; written by
/// `scripts/charset-models`.
const PAGES: &[u8] = include_bytes!("pages.bin");

const LABELS: [&str; 20] = [
    "ibm437",
    "ibm720",
    "ibm737",
    "ibm775",
    "ibm850",
    "ibm852",
    "ibm855",
    "ibm857",
    "ibm858",
    "ibm860",
    "ibm861",
    "ibm862",
    "ibm863",
    "ibm864",
    "ibm865",
    "ibm869",
    "x-mac-centraleurroman",
    "x-mac-greek",
    "x-mac-icelandic",
    "x-mac-turkish",
];

/// One of them, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Page(u8);

impl Page {
    /// By the letters and digits of its label: `ibm855`, `cp855` and `855` are the same.
    pub(super) fn named(normal: &str) -> Option<Self> {
        let number = normal.strip_prefix("ibm").or(normal.strip_prefix("cp")).unwrap_or(normal);
        let is_it = |label: &str| match label.strip_prefix("ibm") {
            Some(page) => page == number,
            None => label.bytes().filter(u8::is_ascii_alphabetic).eq(normal.bytes()),
        };
        let normal_mac = match normal {
            "maclatin2" | "maccentraleurope" => Some(16),
            "macgreek" => Some(17),
            "maciceland" => Some(18),
            "macturkish" => Some(19),
            _ => None,
        };
        let found = normal_mac.or_else(|| LABELS.iter().position(|label| is_it(label)))?;
        u8::try_from(found).ok().map(Self)
    }

    pub(super) fn label(self) -> &'static str {
        LABELS.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    pub(super) fn push(self, bytes: &[u8], text: &mut String) {
        let page = PAGES.chunks_exact(256).nth(usize::from(self.0)).unwrap_or_default();
        let (units, _) = page.as_chunks::<2>();
        text.reserve(bytes.len());
        text.extend(bytes.iter().map(|&byte| {
            match byte.checked_sub(0x80) {
                None => char::from(byte),
                Some(at) => units
                    .get(usize::from(at))
                    .and_then(|unit| char::from_u32(u32::from(u16::from_le_bytes(*unit))))
                    .unwrap_or(char::REPLACEMENT_CHARACTER),
            }
        }));
    }
}
