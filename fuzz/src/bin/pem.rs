//! Certificates, keys and revocation lists as text: a comment before them and the same once more behind
//! them change nothing.
#![no_main]

use bequest::{HttpAdapter, Identity, Verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let commented = [b"# not PEM\n", input].concat();
    let twice = [input, b"\n", input].concat();
    if Verify::from_pem(input).is_ok() {
        Verify::from_pem(&commented).expect("a comment before certificates");
        Verify::from_pem(&twice).expect("the same certificates twice");
    }
    let is_list = |text: &[u8]| HttpAdapter::new().crls([text]).is_ok();
    // What begins so is not read as text.
    if input.first() != Some(&0x30) && is_list(input) {
        assert!(is_list(&commented) && is_list(&twice));
    }
    for read in [plain, encrypted] {
        if let Ok(identity) = read(input) {
            assert_eq!(read(&commented).expect("a comment before an identity"), identity);
            assert!(!format!("{identity:?}").contains("key"));
        }
    }
});

fn plain(text: &[u8]) -> bequest::Result<Identity> {
    Identity::from_pem(text)
}

fn encrypted(text: &[u8]) -> bequest::Result<Identity> {
    Identity::from_pem_encrypted(text, "secret")
}
