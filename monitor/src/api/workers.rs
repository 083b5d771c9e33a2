//! Threads for questions that may block, started with the API: a fork bomb that leaves no room for a new thread
//! does not keep anybody from freezing or killing the session that it comes from.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::oneshot;

/// How many questions are answered at a time.
const THREADS: usize = 3;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Workers {
    jobs: mpsc::Sender<Job>,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where there is no room for them.
    pub fn start() -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..THREADS {
            let waiting = Arc::clone(&waiting);
            let next = move || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
            let work = move || {
                while let Some(job) = next() {
                    // A job that panics drops its answer's sender: the caller is told, the thread goes on.
                    if std::panic::catch_unwind(AssertUnwindSafe(job)).is_err() {
                        tracing::error!("a question to the API panicked");
                    }
                }
            };
            std::thread::Builder::new()
                .name(format!("api-{number}"))
                .spawn(work)?;
        }
        Ok(Self { jobs })
    }

    /// Runs `question` on one of the threads; `None` where it panicked.
    pub async fn run<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        let job = move || {
            if sender.send(question()).is_err() {
                tracing::debug!("who asked went away before the answer");
            }
        };
        self.jobs.send(Box::new(job)).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_answer_only() {
        let workers = Workers::start().unwrap();
        for n in 0..10 {
            let answer = workers
                .run(move || if n % 2 == 0 { n } else { panic!("on purpose") })
                .await;
            assert_eq!(answer, (n % 2 == 0).then_some(n));
        }
    }
}
