//! What a field may say.

use http::HeaderValue;

/// What can be a header's value: text, bytes, an integer.
pub trait ToHeaderValue {
    /// Appends the value, as it shall be on the wire.
    fn write_to(&self, buffer: &mut Vec<u8>);
}

macro_rules! header_values {
    ($(|$value:ident: $type:ty| $bytes:expr;)*) => {$(
        impl ToHeaderValue for $type {
            fn write_to(&self, buffer: &mut Vec<u8>) {
                let $value = self;
                buffer.extend_from_slice($bytes);
            }
        }
    )*};
}

header_values! {
    |value: str| value.as_bytes();
    |value: String| value.as_bytes();
    |value: std::borrow::Cow<'_, str>| value.as_bytes();
    |value: [u8]| value;
    |value: Vec<u8>| value;
    |value: bytes::Bytes| value;
    |value: HeaderValue| value.as_bytes();
    |value: bool| value.to_string().as_bytes();
    |value: u8| value.to_string().as_bytes();
    |value: u16| value.to_string().as_bytes();
    |value: u32| value.to_string().as_bytes();
    |value: u64| value.to_string().as_bytes();
    |value: usize| value.to_string().as_bytes();
    |value: i8| value.to_string().as_bytes();
    |value: i16| value.to_string().as_bytes();
    |value: i32| value.to_string().as_bytes();
    |value: i64| value.to_string().as_bytes();
}

impl<const N: usize> ToHeaderValue for [u8; N] {
    fn write_to(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self);
    }
}

impl<V: ToHeaderValue + ?Sized> ToHeaderValue for &V {
    fn write_to(&self, buffer: &mut Vec<u8>) {
        (**self).write_to(buffer);
    }
}
