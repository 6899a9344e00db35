//! PKCS#12: whatever is in it, it is read or refused, and read again it is the same.
#![no_main]

use bequest::Identity;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    for passphrase in ["secret", ""] {
        if let Ok(identity) = Identity::from_pkcs12(input, passphrase) {
            let again = Identity::from_pkcs12(input, passphrase).expect("it was read before");
            assert_eq!(again, identity);
        }
    }
});
