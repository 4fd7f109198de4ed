//! What waits in order: messages, small ones packed one behind the other, and whatever else comes between them.
//!
//! A flood of small messages would otherwise be an allocation each. A packed one takes its bytes and at most 32 more, less
//! than a queue's account says of it.

use std::collections::VecDeque;

/// Longer ones are not copied: they wait as they are.
pub(crate) const PACKED: usize = 4 << 10;
/// In front of each entry: its number, what it is, how long it is.
const HEADER: usize = 16;
/// Behind the bytes of each: hosts in C get them where they are.
const NUL: usize = 1;
/// Every entry begins at a multiple of this in its chunk, so that its bytes are aligned as what `malloc` gives is.
const ALIGNMENT: usize = 16;
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

/// What was taken out.
#[derive(Debug)]
pub(crate) enum Taken<E> {
    /// Entries that were packed.
    Packed(Run),
    /// Something else.
    Other(E),
}

/// What an entry with so many bytes takes.
#[inline]
const fn size(length: usize) -> usize {
    (HEADER + length + NUL).next_multiple_of(ALIGNMENT)
}

/// Entries, one behind the other: each its header, its bytes, a NUL, and what aligns the next.
#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// Where the first begins.
    start: usize,
    /// How many there are.
    count: usize,
    /// The number of the last.
    last: u64,
    /// Not all are packed.
    has_others: bool,
}

/// Packed entries that were taken out of a line together.
#[derive(Debug, Default)]
pub(crate) struct Run(Chunk);

impl Run {
    /// How many are left.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// The next: its tag, and its bytes with a NUL behind them.
    #[inline]
    pub fn next(&mut self) -> Option<(u8, &[u8])> {
        let chunk = &mut self.0;
        let header = chunk.header()?;
        let start = chunk.start + HEADER;
        chunk.advance(&header);
        let bytes = chunk.bytes.get(start..start + header.length + NUL)?;
        Some((header.tag, bytes))
    }
}

impl Chunk {
    #[inline]
    fn header(&self) -> Option<Header> {
        let bytes = self.bytes.get(self.start..)?;
        bytes.first_chunk::<HEADER>().map(Header::get)
    }

    /// Appends an entry, for which there is room.
    #[inline]
    fn append(&mut self, number: u64, tag: u8, bytes: &[u8]) {
        let header = Header::put(number, tag, bytes.len());
        let end = self.bytes.len() + size(bytes.len());
        self.bytes.extend_from_slice(&header);
        self.bytes.extend_from_slice(bytes);
        // A fixed length is faster than what is needed.
        self.bytes.extend_from_slice(&[0; NUL + ALIGNMENT]);
        self.bytes.truncate(end);
        self.count += 1;
        self.last = number;
    }

    /// Goes on to the next entry.
    #[inline]
    fn advance(&mut self, header: &Header) {
        self.start += size(header.length);
        self.count -= 1;
    }

    /// The first entries, packed ones with numbers below `before`, at most `most`, in a chunk of their own.
    fn split(&mut self, before: u64, most: usize) -> Chunk {
        let begin = self.start;
        let mut run = Chunk::default();
        while let Some(header) = self.header()
            && header.tag != OTHER
            && header.number < before
            && run.count < most
        {
            self.advance(&header);
            run.count += 1;
            run.last = header.number;
        }
        run.bytes = self.bytes[begin..self.start].to_vec();
        run
    }
}

/// A queue of entries, each with a number. Numbers grow.
#[derive(Debug)]
pub(crate) struct Line<E> {
    chunks: VecDeque<Chunk>,
    others: VecDeque<E>,
    length: usize,
}

impl<E> Default for Line<E> {
    fn default() -> Self {
        Line {
            chunks: VecDeque::new(),
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
        self.room(size(bytes.len())).append(number, tag, bytes);
        self.length += 1;
    }

    /// Puts something else behind what waits.
    pub fn push(&mut self, number: u64, other: E) {
        let chunk = self.room(size(0));
        chunk.append(number, OTHER, &[]);
        chunk.has_others = true;
        self.others.push_back(other);
        self.length += 1;
    }

    /// The number of the first entry.
    #[inline]
    pub fn first_number(&self) -> Option<u64> {
        Some(self.chunks.front()?.header()?.number)
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> Option<Entry<'_, E>> {
        let chunk = self.chunks.front()?;
        let header = chunk.header()?;
        if header.tag == OTHER {
            return self.others.front().map(Entry::Other);
        }
        let start = chunk.start + HEADER;
        let bytes = chunk.bytes.get(start..start + header.length)?;
        Some(Entry::Packed(header.tag, bytes))
    }

    /// Takes out the first entry, and where it is packed those packed ones that follow it and have numbers below
    /// `before`: at most `most`, and not always all.
    #[inline]
    pub fn take(&mut self, before: u64, most: usize) -> Option<Taken<E>> {
        let chunk = self.chunks.front_mut()?;
        let header = chunk.header()?;
        if header.tag == OTHER {
            chunk.advance(&header);
            self.length -= 1;
            let other = self.others.pop_front();
            self.tidy();
            return other.map(Taken::Other);
        }
        let is_whole = !chunk.has_others && chunk.last < before && chunk.count <= most;
        let run = match is_whole {
            true => std::mem::take(chunk),
            false => chunk.split(before, most),
        };
        self.length -= run.count;
        self.tidy();
        Some(Taken::Packed(Run(run)))
    }

    /// Puts the rest of a run back to the front.
    pub fn put_back(&mut self, run: Run) {
        self.length += run.0.count;
        self.chunks.push_front(run.0);
    }

    /// Drops the first entry.
    #[inline]
    pub fn drop_first(&mut self) {
        let Some(chunk) = self.chunks.front_mut() else {
            return;
        };
        let Some(header) = chunk.header() else {
            return;
        };
        chunk.advance(&header);
        if header.tag == OTHER {
            self.others.pop_front();
        }
        self.length -= 1;
        self.tidy();
    }

    /// Drops a chunk that has been used up. What is idle holds nothing.
    #[inline]
    fn tidy(&mut self) {
        if self.length == 0 {
            *self = Line::default();
        } else if self.chunks.front().is_some_and(|chunk| chunk.count == 0) {
            self.chunks.pop_front();
        }
    }

    /// A chunk in which an entry of this size has room, and what `append` writes too much.
    #[inline]
    fn room(&mut self, size: usize) -> &mut Chunk {
        let size = size + ALIGNMENT;
        let room = |chunk: &Chunk| chunk.bytes.capacity() - chunk.bytes.len();
        if self.chunks.back().is_none_or(|chunk| room(chunk) < size) {
            self.add_chunk(size);
        }
        match self.chunks.back_mut() {
            Some(chunk) => chunk,
            None => unreachable!("one was added"),
        }
    }

    #[cold]
    fn add_chunk(&mut self, size: usize) {
        let last = self.chunks.back();
        let doubled = last.map_or(0, |chunk| 2 * chunk.bytes.capacity());
        let capacity = doubled.min(LARGEST_CHUNK).max(size);
        self.chunks.push_back(Chunk {
            bytes: Vec::with_capacity(capacity),
            ..Chunk::default()
        });
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// What was taken, each entry with its tag; `OTHER` for what was not packed.
    fn taken(taken: Option<Taken<usize>>) -> Vec<(u8, Vec<u8>)> {
        match taken {
            None => Vec::new(),
            Some(Taken::Other(size)) => vec![(OTHER, vec![0; size])],
            Some(Taken::Packed(mut run)) => {
                let mut entries = Vec::new();
                let count = run.len();
                while let Some((tag, bytes)) = run.next() {
                    assert!(bytes.as_ptr().addr().is_multiple_of(8), "{:p}", bytes);
                    let (nul, bytes) = bytes.split_last().unwrap();
                    assert_eq!(*nul, 0);
                    entries.push((tag, bytes.to_vec()));
                }
                assert_eq!(entries.len(), count);
                entries
            }
        }
    }

    /// Puts one in; every fifth is not packed.
    fn put(line: &mut Line<usize>, number: usize, size: usize) {
        match number % 5 {
            4 => line.push(number as u64, size),
            tag => line.pack(number as u64, tag as u8, &vec![number as u8; size]),
        }
    }

    /// The same, as it comes out.
    fn expected(number: usize, size: usize) -> (u8, Vec<u8>) {
        match number % 5 {
            4 => (OTHER, vec![0; size]),
            tag => (tag as u8, vec![number as u8; size]),
        }
    }

    fn sizes() -> Vec<usize> {
        let sizes = (0..200).map(|n| (n * 37) % 600).chain([0, PACKED, 1]);
        sizes.collect()
    }

    #[test]
    fn everything_comes_out_as_it_went_in() {
        let mut line = Line::default();
        // How many are taken at most, and whether some are dropped meanwhile.
        for (most, drops) in [
            (1, false),
            (1, true),
            (2, false),
            (3, true),
            (usize::MAX, false),
        ] {
            assert_eq!(line.first(), None);
            let sizes = sizes();
            for (number, size) in sizes.iter().enumerate() {
                put(&mut line, number, *size);
                if number % 7 == 6 && drops {
                    line.drop_first();
                }
            }
            let mut number = sizes.len() - line.len();
            while let Some(first) = line.first_number() {
                assert_eq!(first, number as u64);
                let (tag, bytes) = expected(number, sizes[number]);
                match line.first() {
                    Some(Entry::Packed(its_tag, its_bytes)) => {
                        assert_eq!((its_tag, its_bytes), (tag, &bytes[..]));
                    }
                    Some(Entry::Other(size)) => assert_eq!((OTHER, *size), (tag, bytes.len())),
                    None => panic!("nothing is first"),
                }
                let came = taken(line.take(u64::MAX, most));
                assert!((1..=most).contains(&came.len()));
                for entry in came {
                    assert_eq!(entry, expected(number, sizes[number]));
                    number += 1;
                }
                assert_eq!(line.len(), sizes.len() - number);
            }
            assert_eq!(number, sizes.len());
            assert!(line.is_empty() && line.chunks.capacity() == 0);
        }
    }

    #[test]
    fn nothing_is_taken_that_came_too_late() {
        let mut line = Line::default();
        for number in 0..100 {
            line.pack(number, 1, &[number as u8; 10]);
        }
        let mut number = 0;
        for before in [1, 2, 30, 31, 70, 100] {
            while number < before {
                let came = taken(line.take(before, usize::MAX));
                number += came.len() as u64;
                assert!(!came.is_empty() && number <= before);
            }
        }
        assert!(line.is_empty());
    }

    #[test]
    fn what_is_put_back_comes_first() {
        let sizes = sizes();
        let mut line = Line::default();
        for (number, size) in sizes.iter().enumerate() {
            put(&mut line, number, *size);
        }
        let mut number = 0;
        while !line.is_empty() {
            match line.take(u64::MAX, usize::MAX) {
                Some(Taken::Packed(mut run)) => {
                    let (tag, bytes) = run.next().unwrap();
                    let (_, bytes) = bytes.split_last().unwrap();
                    assert_eq!((tag, bytes.to_vec()), expected(number, sizes[number]));
                    if run.len() > 0 {
                        line.put_back(run);
                    }
                }
                other => assert_eq!(taken(other), [expected(number, sizes[number])]),
            }
            number += 1;
            assert_eq!(line.len(), sizes.len() - number);
        }
        // Also into an empty line, to which more is added then.
        line.pack(0, 1, b"a");
        line.pack(1, 1, b"b");
        let (Some(Taken::Packed(mut first)), Some(Taken::Packed(mut second))) =
            (line.take(1, 1), line.take(2, 1))
        else {
            panic!("they were packed");
        };
        first.next();
        line.put_back(second);
        line.pack(2, 1, b"c");
        let mut came = taken(line.take(u64::MAX, usize::MAX));
        came.extend(taken(line.take(u64::MAX, usize::MAX)));
        assert_eq!(came, [(1, b"b".to_vec()), (1, b"c".to_vec())]);
        second = Run::default();
        assert!(second.next().is_none());
    }

    #[test]
    fn small_messages_cost_less_than_is_said_of_them() {
        let mut line = Line::<()>::default();
        for _ in 0..100_000 {
            line.pack(0, 1, b"");
        }
        let held: usize = line.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum();
        // Two chunks are not full, the last one and that in front of the largest.
        assert!(held <= 100_000 * 32 + 2 * LARGEST_CHUNK, "{held}");
    }
}
