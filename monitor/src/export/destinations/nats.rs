//! NATS JetStream. Each event carries its id as the message's: the stream keeps it once, however often it is sent within
//! the stream's window for duplicates.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::{ConnectOptions, Event};
use tokio::runtime::{Builder, Runtime};

use crate::export::item::Item;
use crate::export::outcome::{Outcome, Trouble};
use crate::export::settings::{NatsAuthorization, NatsSettings};
use crate::export::tls;

/// Messages on their way whose acknowledgement is not there yet.
const WINDOW: usize = 256;
/// How long an acknowledgement may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream.
pub struct NatsDestination {
    context: Context,
    subject: String,
    lost: Arc<AtomicBool>,
    _tasks: Tasks,
}

impl NatsDestination {
    /// Connects to the servers of `settings`.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn open(settings: &NatsSettings) -> Result<Self, Trouble> {
        let lost = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&lost);
        let connected = Arc::new(AtomicBool::new(false));
        let once = Arc::clone(&connected);
        let mut options = ConnectOptions::new()
            .name("scopeward")
            .connection_timeout(Duration::from_secs(10))
            .event_callback(move |event| {
                if !matches!(event, Event::Connected) {
                    told.store(
                        matches!(event, Event::Disconnected | Event::Closed),
                        Ordering::Release,
                    );
                }
                std::future::ready(())
            })
            // A client that connects again by itself could send what comes later before what was lost.
            .reconnect_delay_callback(move |_| {
                if once.load(Ordering::Acquire) {
                    Duration::from_secs(86_400)
                } else {
                    Duration::ZERO
                }
            });
        if settings.tls_wanted {
            options = options
                .require_tls(true)
                .tls_client_config(tls::client(&settings.tls)?);
        }
        let bad =
            |error: std::io::Error| Trouble::new(format!("the NATS credentials cannot be used: {error}"));
        options = match &settings.authorization {
            None => options,
            Some(NatsAuthorization::Credentials(secret)) => {
                let path = secret.path()?;
                let text = std::fs::read_to_string(&path).map_err(bad)?;
                options.credentials(&text).map_err(bad)?
            }
            Some(NatsAuthorization::Token(secret)) => options.token(secret.read()?),
            Some(NatsAuthorization::User(secret)) => {
                let both = secret.read()?;
                let (user, password) = both
                    .split_once(':')
                    .ok_or_else(|| Trouble::new("the secret of basic-file is not user:password"))?;
                options.user_and_password(user.to_owned(), password.to_owned())
            }
        };
        let tasks = Tasks::new().map_err(|error| Trouble::new(format!("no thread for NATS: {error}")))?;
        let servers = settings.servers.clone();
        let client = match tasks.spawn(async move { options.connect(servers).await }).await {
            Some(Ok(client)) => client,
            failed => {
                let why = match failed {
                    Some(Err(error)) => error.to_string(),
                    _ => "the attempt was cut off".to_owned(),
                };
                return Err(Trouble::new(format!(
                    "cannot connect to {}: {why}",
                    settings.servers.join(", ")
                )));
            }
        };
        connected.store(true, Ordering::Release);
        let mut context = async_nats::jetstream::new(client);
        context.set_timeout(PATIENCE);
        Ok(Self {
            context,
            subject: settings.subject.clone(),
            lost,
            _tasks: tasks,
        })
    }

    /// Delivers `items`.
    pub async fn deliver(&mut self, items: &[&Item]) -> Outcome {
        let mut taken = 0;
        for window in items.chunks(WINDOW) {
            let mut acknowledgements = Vec::with_capacity(window.len());
            for item in window {
                let message = PublishMessage::build()
                    .message_id(&item.event.id)
                    .payload(item.body.clone().into());
                match self.context.send_publish(self.subject_of(item), message).await {
                    Ok(acknowledgement) => acknowledgements.push(acknowledgement),
                    Err(error) => return failed(taken, items.len(), &error),
                }
            }
            for acknowledgement in acknowledgements {
                tokio::select! {
                    answer = acknowledgement.into_future() => match answer {
                        Ok(_) => taken += 1,
                        Err(error) => return failed(taken, items.len(), &error),
                    },
                    () = self.is_lost() => {
                        return Outcome::some(taken, items.len(), Trouble::new("the connection to NATS was lost"));
                    }
                }
            }
        }
        Outcome::all(items.len())
    }

    async fn is_lost(&self) {
        while !self.lost.load(Ordering::Acquire) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The subject with `{agent}`, `{kind}`, `{host}` and `{session}` filled in.
    fn subject_of(&self, item: &Item) -> String {
        let event = &item.event;
        let token = |text: &str| {
            let clean: String = text
                .chars()
                .map(|one| {
                    if one.is_whitespace() || one.is_control() || matches!(one, '.' | '*' | '>') {
                        '_'
                    } else {
                        one
                    }
                })
                .collect();
            if clean.is_empty() { "_".to_owned() } else { clean }
        };
        self.subject
            .replace("{agent}", &token(&event.session.agent))
            .replace("{host}", &token(&event.host.name))
            .replace("{session}", &token(&event.session.id))
            .replace("{kind}", event.act.kind.word())
    }
}

fn failed(taken: usize, count: usize, error: &async_nats::jetstream::context::PublishError) -> Outcome {
    let mut why = format!("NATS did not take an event: {error}");
    if error.kind() == async_nats::jetstream::context::PublishErrorKind::StreamNotFound {
        why.push_str(" (no stream takes this subject: create one on the server)");
    }
    Outcome::some(taken, count, Trouble::new(why))
}

/// Where the tasks of a connection run. They end with it, whatever they wait for.
struct Tasks(Option<Runtime>);

impl Tasks {
    fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("export-nats")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    async fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.0.as_ref()?.spawn(task).await.ok()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
