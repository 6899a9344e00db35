//! Many requests at once, by as many tasks of one thread.

use std::cell::Cell;
use std::rc::Rc;

use harness::Job;
use tokio::task::LocalSet;

/// Runs requests by a function that returns how many bytes of body were moved.
pub async fn run(job: &Job, one: impl AsyncFn(&str) -> u64 + Clone + 'static) {
    let some = async |count: u64| {
        let (left, moved) = (Rc::new(Cell::new(count)), Rc::new(Cell::new(0)));
        let tasks = LocalSet::new();
        for _ in 0..job.at_once {
            let (left, moved, one) = (Rc::clone(&left), Rc::clone(&moved), one.clone());
            let url = job.url.clone();
            tasks.spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let bytes = one(&url).await;
                    moved.set(moved.get() + bytes);
                }
            });
        }
        tasks.await;
        moved.get()
    };
    job.run_many_async(some).await;
}
