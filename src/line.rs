//! What waits in order: messages, small ones packed one behind the other, and whatever else comes between them.
//!
//! A flood of small messages would otherwise be an allocation each. A packed one takes its bytes and
//! [`HEADER`] + 1, less than a queue's account says of it.

use std::collections::VecDeque;

/// Longer ones are not copied: they wait as they are.
pub(crate) const PACKED: usize = 4 << 10;
/// In front of each entry: its number, what it is, how long it is.
const HEADER: usize = 16;
/// The first chunk holds little, for most waits are short; each further one twice as much, up to this.
const LARGEST_CHUNK: usize = 16 << 10;
/// The tag of what is not packed.
const OTHER: u8 = u8::MAX;

/// An entry of a [`Line`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a, E> {
    /// Bytes that were packed, and the tag that they came with.
    Packed(u8, &'a [u8]),
    /// Something else.
    Other(&'a E),
}

/// An entry that was taken out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<E> {
    /// Bytes that were packed: they are in the buffer that was given.
    Packed(u8),
    /// Something else.
    Other(E),
}

/// A queue of entries, each with a number.
#[derive(Debug)]
pub(crate) struct Line<E> {
    chunks: VecDeque<Vec<u8>>,
    /// Where the first entry begins in the first chunk.
    start: usize,
    others: VecDeque<E>,
    length: usize,
}

impl<E> Default for Line<E> {
    fn default() -> Self {
        Line {
            chunks: VecDeque::new(),
            start: 0,
            others: VecDeque::new(),
            length: 0,
        }
    }
}

/// The header of an entry.
struct Header {
    number: u64,
    tag: u8,
    length: usize,
}

impl Header {
    fn put(number: u64, tag: u8, length: usize) -> [u8; HEADER] {
        let rest = (length as u64) << 8 | u64::from(tag);
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&number.to_ne_bytes());
        bytes[8..].copy_from_slice(&rest.to_ne_bytes());
        bytes
    }

    fn get(bytes: &[u8; HEADER]) -> Self {
        let (number, rest) = bytes.split_at(8);
        let word = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
        let rest = word(rest);
        Header {
            number: word(number),
            tag: rest as u8,
            length: (rest >> 8) as usize,
        }
    }
}

impl<E> Line<E> {
    /// Whether nothing waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Packs bytes, at most [`PACKED`] of them, behind what waits.
    #[inline]
    pub fn pack(&mut self, number: u64, tag: u8, bytes: &[u8]) {
        debug_assert!(bytes.len() <= PACKED && tag != OTHER);
        let chunk = self.room(HEADER + bytes.len());
        chunk.extend_from_slice(&Header::put(number, tag, bytes.len()));
        chunk.extend_from_slice(bytes);
        self.length += 1;
    }

    /// Puts something else behind what waits.
    pub fn push(&mut self, number: u64, other: E) {
        let header = Header::put(number, OTHER, 0);
        self.room(HEADER).extend_from_slice(&header);
        self.others.push_back(other);
        self.length += 1;
    }

    /// The number of the first entry.
    #[inline]
    pub fn first_number(&self) -> Option<u64> {
        self.header().map(|header| header.number)
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> Option<Entry<'_, E>> {
        let header = self.header()?;
        if header.tag == OTHER {
            return self.others.front().map(Entry::Other);
        }
        let start = self.start + HEADER;
        let bytes = self.chunks.front()?.get(start..start + header.length)?;
        Some(Entry::Packed(header.tag, bytes))
    }

    /// Takes the first entry out, packed bytes into `buffer`, in the place of what that has.
    #[inline]
    pub fn take(&mut self, buffer: &mut Vec<u8>) -> Option<Taken<E>> {
        let taken = match self.first()? {
            Entry::Packed(tag, bytes) => {
                buffer.clear();
                buffer.extend_from_slice(bytes);
                Taken::Packed(tag)
            }
            Entry::Other(_) => Taken::Other(self.others.pop_front()?),
        };
        self.advance();
        Some(taken)
    }

    /// Drops the first entry.
    #[inline]
    pub fn drop_first(&mut self) {
        if self.header().is_some_and(|header| header.tag == OTHER) {
            self.others.pop_front();
        }
        self.advance();
    }

    #[inline]
    fn header(&self) -> Option<Header> {
        let bytes = self.chunks.front()?.get(self.start..)?;
        bytes.first_chunk::<HEADER>().map(Header::get)
    }

    /// Goes on to the next entry.
    #[inline]
    fn advance(&mut self) {
        let Some(header) = self.header() else {
            return;
        };
        self.length -= 1;
        self.start += HEADER + header.length;
        if self.length == 0 {
            // What is idle holds nothing.
            *self = Line::default();
        } else if self.chunks.front().is_some_and(|c| c.len() == self.start) {
            self.chunks.pop_front();
            self.start = 0;
        }
    }

    /// A chunk in which so many bytes have room.
    #[inline]
    fn room(&mut self, size: usize) -> &mut Vec<u8> {
        let last = self.chunks.back();
        if last.is_none_or(|chunk| chunk.capacity() - chunk.len() < size) {
            self.add_chunk(size);
        }
        match self.chunks.back_mut() {
            Some(chunk) => chunk,
            None => unreachable!("one was added"),
        }
    }

    #[cold]
    fn add_chunk(&mut self, size: usize) {
        let doubled = self.chunks.back().map_or(0, |chunk| 2 * chunk.capacity());
        let capacity = doubled.min(LARGEST_CHUNK).max(size);
        self.chunks.push_back(Vec::with_capacity(capacity));
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_out_as_it_went_in() {
        let mut line = Line::default();
        let mut buffer = Vec::new();
        for round in 0..3 {
            assert_eq!(line.first(), None);
            let sizes = (0..200).map(|n| (n * 37) % 600).chain([0, PACKED, 1]);
            let sizes: Vec<usize> = sizes.collect();
            for (number, size) in sizes.iter().enumerate() {
                match number % 5 {
                    4 => line.push(number as u64, *size),
                    tag => line.pack(number as u64, tag as u8, &vec![number as u8; *size]),
                }
                // Some leave in between.
                if number % 7 == 6 && round == 1 {
                    line.drop_first();
                }
            }
            let dropped = sizes.len() - line.len();
            for (number, size) in sizes.iter().enumerate().skip(dropped) {
                assert_eq!(line.first_number(), Some(number as u64));
                let expected = vec![number as u8; *size];
                match number % 5 {
                    4 => {
                        assert_eq!(line.first(), Some(Entry::Other(size)));
                        assert_eq!(line.take(&mut buffer), Some(Taken::Other(*size)));
                    }
                    tag => {
                        let tag = tag as u8;
                        assert_eq!(line.first(), Some(Entry::Packed(tag, &expected[..])));
                        assert_eq!(line.take(&mut buffer), Some(Taken::Packed(tag)));
                        assert_eq!(buffer, expected);
                    }
                }
            }
            assert!(line.is_empty() && line.chunks.capacity() == 0);
        }
    }

    #[test]
    fn small_messages_cost_less_than_is_said_of_them() {
        let mut line = Line::<()>::default();
        for _ in 0..100_000 {
            line.pack(0, 1, b"");
        }
        let held: usize = line.chunks.iter().map(Vec::capacity).sum();
        assert!(held <= 100_000 * 64 / 2, "{held}");
    }
}
