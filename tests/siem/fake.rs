//! Servers of our own on loopback that fail as the real ones do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

use crate::feed::events;

/// What happens to a request besides what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// 429, with a time to wait.
    Busy,
    /// 503.
    Unavailable,
    /// The connection ends before anything is taken.
    Reset,
    /// All is taken, and the connection ends before it is said.
    Unsaid,
    /// All is taken after a while.
    Slow,
}

/// A request.
pub struct Request<'a> {
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
    /// Anything that differs from request to request.
    pub chance: u64,
}

/// What a fake does with a request that gets through to it.
pub type Take = dyn FnMut(&Request<'_>) -> Response + Send;

#[derive(Clone)]
struct Shared {
    take: Arc<Mutex<Box<Take>>>,
    chance: Arc<Mutex<u64>>,
    twice: Arc<Mutex<u64>>,
}

/// A running fake.
pub struct Fake {
    pub url: String,
    shared: Shared,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
    deaths: u64,
    next: Instant,
}

/// How often a fake dies at most, for each 20,000 events, and ten times as often at most.
const MOST_DEATHS: u64 = 4;

impl Fake {
    /// Serves `take` on a port of loopback.
    pub fn start(take: impl FnMut(&Request<'_>) -> Response + Send + 'static) -> Self {
        let shared = Shared {
            take: Arc::new(Mutex::new(Box::new(take))),
            chance: Arc::new(Mutex::new(7)),
            twice: Arc::default(),
        };
        let mut fake = Self {
            url: String::new(),
            shared,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            runtime: None,
            deaths: 0,
            next: Instant::now(),
        };
        fake.up();
        fake.url = format!("http://{}", fake.address);
        fake
    }

    fn up(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("as the test made it");
        let router = Router::new().fallback(answer).with_state(self.shared.clone());
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(self.address))
            .expect("as the test made it");
        self.address = listener.local_addr().expect("as the test made it");
        runtime.spawn(async move { axum::serve(listener, router).await });
        self.runtime = Some(runtime);
    }

    /// Dies with all its connections from time to time, stays away for a while, and comes back on the same port.
    pub fn trouble(&mut self) {
        let times = events().div_ceil(20_000);
        if Instant::now() < self.next || self.deaths >= MOST_DEATHS * times.clamp(1, 10) {
            return;
        }
        self.deaths += 1;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
        std::thread::sleep(Duration::from_millis(self.deaths * 37 % 200));
        self.up();
        self.next = Instant::now() + Duration::from_millis(200 * times.div_ceil(10));
    }

    /// How many requests may have been taken without a word: their events may come twice.
    pub fn unsaid(&self) -> u64 {
        *self.shared.twice.lock().expect("as the test made it") + self.deaths
    }
}

async fn answer(State(shared): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let chance = {
        let mut chance = shared.chance.lock().expect("as the test made it");
        *chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *chance >> 33
    };
    let mishap = match chance % 40 {
        0 => Mishap::Busy,
        1 => Mishap::Unavailable,
        2 => Mishap::Reset,
        3 => Mishap::Unsaid,
        4 => Mishap::Slow,
        _ => Mishap::None,
    };
    if mishap == Mishap::Slow {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let request = Request {
        uri: &uri,
        headers: &headers,
        body: &body,
        chance,
    };
    match mishap {
        Mishap::Busy => (
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            [("retry-after", "1")],
            "busy",
        )
            .into_response(),
        Mishap::Unavailable => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "later").into_response(),
        Mishap::Reset => panic!("the connection ends"),
        Mishap::Unsaid => {
            drop((shared.take.lock().expect("as the test made it"))(&request));
            *shared.twice.lock().expect("as the test made it") += 1;
            panic!("the connection ends")
        }
        Mishap::None | Mishap::Slow => (shared.take.lock().expect("as the test made it"))(&request),
    }
}

/// A list that a fake writes and a test reads.
pub type Ids = Arc<Mutex<Vec<String>>>;
