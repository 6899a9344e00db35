//! brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::{Broken, Decode, Pushed};

pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_whole: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: not the windows of up to 1 GiB that RFC 7932 does not have.
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Self { state: Box::new(state), is_whole: false }
    }
}

impl Decode for Brotli {
    fn push(&mut self, input: &[u8], output: &mut [u8]) -> Result<Pushed, Broken> {
        let (mut left, mut room) = (input.len(), output.len());
        let (mut consumed, mut produced, mut total) = (0, 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            output,
            &mut total,
            &mut self.state,
        );
        if let BrotliResult::ResultFailure = result {
            return Err(Broken(format!("{:?}", self.state.error_code)));
        }
        let ended = matches!(result, BrotliResult::ResultSuccess);
        self.is_whole = ended;
        Ok(Pushed { consumed, produced, ended })
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }
}
