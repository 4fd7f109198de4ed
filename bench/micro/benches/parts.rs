//! How long the hot parts take, and the look-up of names by several threads at once.

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use std::fmt::{self, Display, Formatter};
use wdsocket_micro::{MANY, PARTS, Part, look_up, look_up_again, names};

/// By its name.
struct Named(&'static Part);

impl Display for Named {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name)
    }
}

#[divan::bench(args = PARTS.iter().map(Named))]
fn a_round_of(bencher: Bencher, part: &Named) {
    let Part {
        operations, bytes, ..
    } = *part.0;
    let mut run = (part.0.prepare)();
    let bencher = bencher.counter(ItemsCount::new(operations));
    match bytes {
        0 => bencher.bench_local(run),
        bytes => bencher
            .counter(BytesCount::new(operations * bytes))
            .bench_local(&mut run),
    }
}

/// So often each of the threads below does its round: long enough that they run at once, and starting them is nothing.
const ROUNDS: usize = 500;

/// What all threads together get done.
fn by_threads(bencher: Bencher, threads: usize, items: usize, run: impl Fn() + Sync) {
    bencher
        .counter(ItemsCount::new(threads * ROUNDS * items))
        .bench_local(|| {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..ROUNDS).for_each(|_| run()));
                }
            });
        });
}

#[divan::bench(args = [1, 2, 8])]
fn look_up_names_by_threads(bencher: Bencher, threads: usize) {
    let names = names();
    by_threads(bencher, threads, names.len(), look_up(names));
}

#[divan::bench(args = [1, 2, 8])]
fn look_up_the_same_name_by_threads(bencher: Bencher, threads: usize) {
    by_threads(bencher, threads, MANY, look_up_again(names()));
}

fn main() {
    divan::main();
}
