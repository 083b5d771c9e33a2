//! What all destinations that speak HTTP have in common: a client, who we are, and what an answer means.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};

use crate::export::outcome::Trouble;
use crate::export::settings::{Authorization, HttpSettings};
use crate::export::tls;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are read.
const MOST_ANSWER: usize = 16 << 20;
/// Most characters of an answer that are shown.
const MOST_SHOWN: usize = 300;

/// A client of one place.
#[derive(Debug)]
pub struct Http {
    /// Where requests go.
    pub url: String,
    client: Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// How long we were asked to stay away.
    pub wait: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl Http {
    /// A client of `settings`; `http2` speaks it without asking first where there is no TLS.
    ///
    /// # Errors
    /// [`Trouble`]: a secret or a certificate that cannot be used.
    pub fn open(settings: &HttpSettings, http2: bool) -> Result<Self, Trouble> {
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let bad = |_| Trouble::new(format!("{name} cannot be sent as a header"));
            let value = HeaderValue::from_str(value)
                .map_err(|_| Trouble::new(format!("the value of the header {name} cannot be sent")))?;
            headers.insert(HeaderName::try_from(name.as_str()).map_err(bad)?, value);
        }
        if let Some((scheme, secret)) = &settings.authorization {
            let secret = secret.read()?;
            let value = match scheme {
                Authorization::Bearer => format!("Bearer {secret}"),
                Authorization::Splunk => format!("Splunk {secret}"),
                Authorization::ApiKey => format!("ApiKey {secret}"),
                Authorization::Basic => format!("Basic {}", base64(secret.as_bytes())),
            };
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| Trouble::new("the secret has characters that cannot be sent in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut tls = tls::client(&settings.tls)?;
        tls.alpn_protocols = if http2 {
            vec![b"h2".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        let builder = Client::builder()
            .use_preconfigured_tls(tls)
            .default_headers(headers)
            .user_agent(concat!("scopeward/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(1);
        let builder = if http2 {
            builder.http2_prior_knowledge()
        } else {
            builder.http1_only()
        };
        let client = builder
            .build()
            .map_err(|error| Trouble::new(format!("no HTTP client can be made: {error}")))?;
        Ok(Self {
            url: settings.url.clone(),
            client,
        })
    }

    /// Posts `body` to `url` and reads the answer.
    ///
    /// # Errors
    /// [`Trouble`]: no answer, or one that breaks off.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Trouble> {
        let mut response = self.send(url, headers, body).await?;
        let status = response.status();
        let wait = wait(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| broken(&self.url, &error))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_ANSWER {
                return Err(Trouble::new(format!("the answer of {url} has no end")));
            }
        }
        Ok(Answer { status, wait, body })
    }

    /// Posts `body` to `url`.
    ///
    /// # Errors
    /// [`Trouble`]: no answer.
    pub async fn send(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<Response, Trouble> {
        let mut request = self.client.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.map_err(|error| broken(&self.url, &error))
    }
}

/// What went wrong with a request, with all its reasons.
fn broken(url: &str, error: &reqwest::Error) -> Trouble {
    let mut why = format!("no answer from {url}");
    let mut reason: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = reason {
        why.push_str(": ");
        why.push_str(&error.to_string());
        reason = error.source();
    }
    Trouble::new(why)
}

fn wait(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Duration::try_from(until.duration_since(jiff::Timestamp::now())).ok()
}

impl Answer {
    /// What is wrong with this answer, where it is not a success.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        if self.status.is_success() {
            return None;
        }
        let said: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(MOST_SHOWN)
            .collect();
        let gap = if said.is_empty() { "" } else { ": " };
        let why = format!("the answer was {}{gap}{said}", self.status);
        let content = matches!(self.status.as_u16(), 400 | 413 | 422);
        Some(Trouble {
            why,
            wait: self.wait,
            content,
        })
    }
}

/// RFC 4648, with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk
            .iter()
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            text.push(if place <= chunk.len() {
                char::from(DIGITS[number >> (18 - 6 * place) & 63])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_the_standard_has_it() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("a:\u{ff}", "YTrDvw=="),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn an_answer_says_how_long_to_wait() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("17"));
        assert_eq!(wait(&headers), Some(Duration::from_secs(17)));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("soon"));
        assert_eq!(wait(&headers), None);
    }
}
