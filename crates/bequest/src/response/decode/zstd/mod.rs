//! zstd (RFC 8878), with windows of at most 8 MB (RFC 9659).

mod bits;
mod block;
mod fse;
mod huffman;
mod sequences;
#[cfg(test)]
mod tests;
mod window;

use std::hash::Hasher;

use twox_hash::XxHash64;

use self::block::Blocks;
use self::window::Window;
use super::{Broken, Decode, Pushed};

const MAGIC: u32 = 0xfd2f_b528;
/// The first of sixteen: what is in such a frame is not for us.
const SKIPPABLE: u32 = 0x184d_2a50;
/// The largest block, before and after (section 3.1.1.2.4).
const MOST_BLOCK: usize = 128 * 1024;
const MOST_WINDOW: u64 = 8 << 20;

/// Decodes a block at a time: what comes of one is handed out before the next.
pub(super) struct Zstd {
    place: Place,
    /// The first part of what can be used only when it is whole.
    kept: Vec<u8>,
    frame: Frame,
    blocks: Blocks,
    window: Window,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Place {
    Magic,
    /// How much there is to skip; its size comes first.
    SkipSize,
    Skip(usize),
    Descriptor,
    /// The rest of a frame's header.
    Header(u8),
    BlockHeader,
    Raw {
        left: usize,
        last: bool,
    },
    Repeated {
        count: usize,
        last: bool,
    },
    Packed {
        size: usize,
        last: bool,
    },
    Checksum,
}

/// What the frame's header says, and what became of it.
#[derive(Default)]
struct Frame {
    window: u64,
    content: Option<u64>,
    /// How much came until now.
    total: u64,
    hash: Option<XxHash64>,
}

impl Frame {
    fn most_block(&self) -> usize {
        usize::try_from(self.window).unwrap_or(MOST_BLOCK).min(MOST_BLOCK)
    }

    /// Reads what is behind the descriptor, which says how long that is.
    fn read(descriptor: u8, bytes: &[u8]) -> Result<Self, Broken> {
        let number = |bytes: &[u8]| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(word)
        };
        let fields = Fields::of(descriptor);
        let (window, rest) = bytes.split_at(fields.window);
        let (dictionary, content) = rest.split_at(fields.dictionary);
        if descriptor & 8 != 0 {
            return Err(Broken::new("its header uses what is reserved"));
        }
        if number(dictionary) != 0 {
            return Err(Broken::new("it needs a dictionary"));
        }
        let base = if content.len() == 2 { 256 } else { 0 };
        let content = (!content.is_empty()).then(|| number(content) + base);
        let window = match window {
            &[byte] => {
                let base = 1_u64 << (10 + (byte >> 3));
                base + base / 8 * u64::from(byte & 7)
            }
            _ => content.unwrap_or(0),
        };
        if window > MOST_WINDOW {
            let what = format!("its window of {window} bytes is larger than {MOST_WINDOW}");
            return Err(Broken(what));
        }
        let hash = (descriptor & 4 != 0).then(|| XxHash64::with_seed(0));
        Ok(Self { window, content, total: 0, hash })
    }

    /// Takes note of what was decoded.
    fn add(&mut self, decoded: &[u8]) -> Result<(), Broken> {
        self.total += decoded.len() as u64;
        if self.content.is_some_and(|content| self.total > content) {
            return Err(Broken::new("it is longer than it says"));
        }
        if let Some(hash) = &mut self.hash {
            hash.write(decoded);
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), Broken> {
        match self.content {
            Some(content) if self.total != content => {
                Err(Broken::new("it is shorter than it says"))
            }
            _ => Ok(()),
        }
    }
}

/// How long the fields of a frame's header are.
struct Fields {
    window: usize,
    dictionary: usize,
    content: usize,
}

impl Fields {
    fn of(descriptor: u8) -> Self {
        let single = descriptor & 0x20 != 0;
        Self {
            window: usize::from(!single),
            dictionary: [0, 1, 2, 4][usize::from(descriptor & 3)],
            content: [usize::from(single), 2, 4, 8][usize::from(descriptor >> 6)],
        }
    }

    fn length(&self) -> usize {
        self.window + self.dictionary + self.content
    }
}

impl Zstd {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Magic,
            kept: Vec::new(),
            frame: Frame::default(),
            blocks: Blocks::default(),
            window: Window::default(),
        }
    }

    /// Does what comes next, if enough is there for it; says whether it did.
    fn step(&mut self, input: &mut &[u8]) -> Result<bool, Broken> {
        match self.place {
            Place::Skip(left) => return Ok(self.skip(input, left)),
            Place::Raw { left, last } => return self.copy(input, left, last),
            Place::Magic if input.is_empty() && self.kept.is_empty() => return Ok(false),
            _ => {}
        }
        let needed = self.needed();
        if self.kept.is_empty()
            && let Some((whole, rest)) = input.split_at_checked(needed)
        {
            *input = rest;
            return self.take(whole).map(|()| true);
        }
        let (now, rest) = input.split_at(input.len().min(needed - self.kept.len()));
        self.kept.extend_from_slice(now);
        *input = rest;
        if self.kept.len() < needed {
            return Ok(false);
        }
        let mut kept = std::mem::take(&mut self.kept);
        self.take(&kept)?;
        kept.clear();
        self.kept = kept;
        Ok(true)
    }

    /// How much is needed at once for what comes next.
    fn needed(&self) -> usize {
        match self.place {
            Place::Magic | Place::SkipSize | Place::Checksum => 4,
            Place::Descriptor | Place::Repeated { .. } => 1,
            Place::Header(descriptor) => Fields::of(descriptor).length(),
            Place::BlockHeader => 3,
            Place::Packed { size, .. } => size,
            Place::Skip(_) | Place::Raw { .. } => 0,
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let number =
            bytes.iter().take(4).rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        self.place = match self.place {
            Place::Magic if number == MAGIC => Place::Descriptor,
            Place::Magic if number & !15 == SKIPPABLE => Place::SkipSize,
            Place::Magic => return Err(Broken::new("a frame does not begin like one")),
            Place::SkipSize => Place::Skip(number as usize),
            Place::Descriptor => Place::Header(number as u8),
            Place::Header(descriptor) => {
                self.frame = Frame::read(descriptor, bytes)?;
                self.blocks.forget();
                self.window.begin(self.frame.window as usize);
                Place::BlockHeader
            }
            Place::BlockHeader => self.begin_block(number)?,
            Place::Repeated { count, last } => {
                let end = self.make_room();
                self.window.fill(bytes[0], count);
                self.frame.add(self.window.since(end))?;
                self.after_block(last)?
            }
            Place::Packed { last, .. } => {
                let most = self.frame.most_block();
                let end = self.make_room();
                self.blocks.decode(bytes, &mut self.window, most)?;
                self.frame.add(self.window.since(end))?;
                self.after_block(last)?
            }
            Place::Checksum => {
                let hash = self.frame.hash.as_ref().map_or(0, Hasher::finish);
                if hash as u32 != number {
                    return Err(Broken::new("its checksum is another"));
                }
                Place::Magic
            }
            place @ (Place::Skip(_) | Place::Raw { .. }) => place,
        };
        Ok(())
    }

    fn begin_block(&self, header: u32) -> Result<Place, Broken> {
        let (last, size) = (header & 1 != 0, header as usize >> 3);
        if size > self.frame.most_block() {
            return Err(Broken::new("a block is larger than blocks may be"));
        }
        match header >> 1 & 3 {
            0 => Ok(Place::Raw { left: size, last }),
            1 => Ok(Place::Repeated { count: size, last }),
            2 => Ok(Place::Packed { size, last }),
            _ => Err(Broken::new("a block is of no kind that there is")),
        }
    }

    fn after_block(&self, last: bool) -> Result<Place, Broken> {
        if !last {
            return Ok(Place::BlockHeader);
        }
        self.frame.check_end()?;
        Ok(if self.frame.hash.is_some() { Place::Checksum } else { Place::Magic })
    }

    /// Makes room for a block; says where it begins.
    fn make_room(&mut self) -> usize {
        self.window.make_room(self.frame.most_block());
        self.window.end()
    }

    fn skip(&mut self, input: &mut &[u8], left: usize) -> bool {
        let count = left.min(input.len());
        *input = &input[count..];
        self.place = if count == left { Place::Magic } else { Place::Skip(left - count) };
        count == left
    }

    /// A raw block is handed on as far as it has come.
    fn copy(&mut self, input: &mut &[u8], left: usize, last: bool) -> Result<bool, Broken> {
        let (now, rest) = input.split_at(left.min(input.len()));
        *input = rest;
        self.make_room();
        self.window.push(now);
        self.frame.add(now)?;
        let left = left - now.len();
        self.place = if left == 0 { self.after_block(last)? } else { Place::Raw { left, last } };
        Ok(left == 0 || !now.is_empty())
    }
}

impl Decode for Zstd {
    fn push(&mut self, input: &[u8], output: &mut [u8]) -> Result<Pushed, Broken> {
        let (mut left, mut produced) = (input, 0);
        loop {
            produced += self.window.give(&mut output[produced..]);
            if !self.window.is_empty() || !self.step(&mut left)? {
                break;
            }
        }
        Ok(Pushed { consumed: input.len() - left.len(), produced, ended: false })
    }

    fn is_whole(&self) -> bool {
        matches!(self.place, Place::Magic) && self.kept.is_empty() && self.window.is_empty()
    }
}
