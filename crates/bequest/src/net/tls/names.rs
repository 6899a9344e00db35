//! Names in certificates, as far as errors tell them.

/// The common name in a name's DER (what is inside of its `RDNSequence`), or what else is last in
/// it; as one can show it.
pub(super) fn common_name(name: &[u8]) -> String {
    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const MOST: usize = 80;
    let mut found = (false, &[][..]);
    for pair in Values(name).flat_map(Values) {
        let mut parts = Values(pair);
        if let (Some(kind), Some(text)) = (parts.next(), parts.next()) {
            let is_common = kind == COMMON_NAME;
            if is_common || !found.0 {
                found = (is_common, text);
            }
        }
    }
    let text = String::from_utf8_lossy(found.1);
    text.chars().filter(|sign| !sign.is_control()).take(MOST).collect()
}

/// The values of DER, one after the other, without their tags.
pub(super) struct Values<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (_tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            // Longer ones than two bytes of length are no names.
            0x81..=0x82 => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                (length.iter().fold(0, |all, &byte| all << 8 | usize::from(byte)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set with one pair, of the last byte of the kind's number and a text.
    fn part(kind: u8, text: &str) -> Vec<u8> {
        let size = u8::try_from(text.len()).unwrap();
        let head = [0x31, size + 9, 0x30, size + 7, 6, 3, 0x55, 4, kind, 0x0C, size];
        [&head[..], text.as_bytes()].concat()
    }

    #[test]
    fn the_common_name_is_found_or_what_else_there_is() {
        let (organization, common) = (part(10, "Example Ltd"), part(3, "Example Root"));
        for (name, expected) in [
            ([&organization[..], &common].concat(), "Example Root"),
            ([&common[..], &organization].concat(), "Example Root"),
            (organization.clone(), "Example Ltd"),
            (part(3, "a\nb\u{1b}c"), "abc"),
            (part(3, &"x".repeat(100)), &"x".repeat(80)),
            (Vec::new(), ""),
            (common[..10].to_vec(), ""),
            (vec![0x31, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], ""),
            (vec![0x31, 0x82, 0xFF], ""),
        ] {
            assert_eq!(common_name(&name), expected, "{name:?}");
        }
    }
}
