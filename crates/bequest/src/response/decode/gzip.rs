//! gzip (RFC 1952).

use flate2::{Decompress, FlushDecompress, Status};

use super::{Broken, Decode, Pushed};

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const WINDOW_BITS: u8 = 15;

/// Members, one after the other. What follows one and does not look like another is ignored, as
/// gzip itself does with the zeros that fill a tape.
pub(super) struct Gzip {
    inflate: Decompress,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Member,
    /// Behind a member.
    Between,
    /// Behind a member and the first byte of another.
    BetweenMagic,
    Ended,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new_gzip(WINDOW_BITS), place: Place::Member }
    }

    /// Looks whether another member begins; it is told then of the bytes that were looked at.
    fn find_member(&mut self, byte: u8, output: &mut [u8]) -> Result<(), Broken> {
        self.place = match self.place {
            Place::Between if byte == MAGIC[0] => Place::BetweenMagic,
            Place::BetweenMagic if byte == MAGIC[1] => Place::Member,
            _ => Place::Ended,
        };
        if self.place == Place::Member {
            self.inflate = Decompress::new_gzip(WINDOW_BITS);
            inflate(&mut self.inflate, &MAGIC, output)?;
        }
        Ok(())
    }
}

impl Decode for Gzip {
    fn push(&mut self, input: &[u8], output: &mut [u8]) -> Result<Pushed, Broken> {
        let mut consumed = 0;
        loop {
            if self.place == Place::Member {
                let pushed = inflate(&mut self.inflate, &input[consumed..], output)?;
                consumed += pushed.consumed;
                if pushed.ended {
                    self.place = Place::Between;
                }
                // A call makes output or skips members, but no more than one of them at a time.
                return Ok(Pushed { consumed, produced: pushed.produced, ended: false });
            }
            let ended = self.place == Place::Ended;
            match input.get(consumed) {
                Some(&byte) if !ended => self.find_member(byte, output)?,
                _ => return Ok(Pushed { consumed, produced: 0, ended }),
            }
            consumed += 1;
        }
    }

    fn is_whole(&self) -> bool {
        self.place != Place::Member
    }

    fn ignores_rest(&self) -> bool {
        true
    }
}

/// Pushes once into an inflater, whatever its wrapper.
pub(super) fn inflate(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
) -> Result<Pushed, Broken> {
    let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None);
    let status = status.map_err(|error| match error.needs_dictionary() {
        Some(_) => Broken::new("it needs a dictionary"),
        None => Broken::new(error.message().unwrap_or("it is damaged")),
    })?;
    let count = |after: u64, before| usize::try_from(after - before).unwrap_or(0);
    Ok(Pushed {
        consumed: count(inflate.total_in(), before_in),
        produced: count(inflate.total_out(), before_out),
        ended: status == Status::StreamEnd,
    })
}
