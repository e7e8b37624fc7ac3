//! The one reader of untrusted bytes.
//!
//! Every dissector takes its fields through [`Reader`], which is checked at each step (by the `bytes` crate's fallible
//! getters) and never panics; a read past the end is [`Malformed`].

use bytes::Buf;

/// The bytes end before the field does, or contradict themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("message ends early or contradicts itself")]
pub struct Malformed;

/// Result of reading one thing from the wire.
pub type Wire<T> = Result<T, Malformed>;

/// A cursor over bytes from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident -> $type:ty = $get:ident;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(&mut self) -> Wire<$type> {
            self.rest.$get().map_err(|_| Malformed)
        }
    )*};
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    getters! {
        /// One octet.
        u8 -> u8 = try_get_u8;
        /// Signed octet.
        i8 -> i8 = try_get_i8;
        /// Big-endian (network order) 16 bits.
        be_u16 -> u16 = try_get_u16;
        /// Little-endian 16 bits.
        le_u16 -> u16 = try_get_u16_le;
        /// Big-endian 32 bits.
        be_u32 -> u32 = try_get_u32;
        /// Little-endian 32 bits.
        le_u32 -> u32 = try_get_u32_le;
        /// Big-endian signed 32 bits.
        be_i32 -> i32 = try_get_i32;
        /// Big-endian 64 bits.
        be_u64 -> u64 = try_get_u64;
        /// Little-endian 64 bits.
        le_u64 -> u64 = try_get_u64_le;
    }

    /// Big-endian 24 bits.
    #[inline]
    pub fn be_u24(&mut self) -> Wire<u32> {
        let [a, b, c] = self.array::<3>()?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Wire<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Wire<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Passes over `count` bytes.
    #[inline]
    pub fn skip(&mut self, count: usize) -> Wire<()> {
        self.take(count).map(|_| ())
    }

    /// A reader over the next `count` bytes, which this one passes over.
    #[inline]
    pub fn sub(&mut self, count: usize) -> Wire<Reader<'a>> {
        self.take(count).map(Reader::new)
    }

    /// The bytes not yet read; they stay.
    #[inline]
    pub fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// The bytes not yet read, leaving none.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
