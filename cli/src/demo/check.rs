//! Runs the commands of the scenario.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;

use super::chart;
use super::curl::Call;
use super::endpoints::{Endpoints, resolve};
use super::scenario::Scenario;
use super::tokens::Tokens;
use crate::envoy::Bootstrap;
use crate::http::{self, Protocol, Request, Response, StatusCode};

/// Time that a gateway started by someone else has to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(100);

/// Runs every command and prints its response and how it differs from the expected one, and then the chart. Fails if
/// something differs, but only after all of them: a later response may explain an earlier one.
///
/// # Errors
///
/// A command cannot be parsed. One without a response counts as different.
pub async fn run(scenario: &Scenario, endpoints: &Endpoints, tokens: &Tokens) -> anyhow::Result<ExitCode> {
    let mut differing = 0;
    let mut all = 0;
    for chapter in &scenario.chapters {
        println!("\n{}", chapter.filter);
        for step in &chapter.steps {
            println!();
            if let Some(about) = &step.about {
                println!("# {about}");
            }
            let line = step.line(endpoints, tokens)?;
            println!("$ {line}");
            let call = Call::parse(&line)?;
            let with_headers = call.with_headers;
            let differences = match answer(call).await {
                Ok(answer) => {
                    print!("{}", shown(&answer, with_headers));
                    step.expect.differences(&answer)
                }
                Err(error) => vec![format!("{error:#}")],
            };
            all += 1;
            differing += usize::from(!differences.is_empty());
            for difference in &differences {
                println!("DIFFERS: {difference}");
            }
        }
    }
    println!();
    let differences = chart::draw(endpoints).await.unwrap_or_else(|error| vec![format!("{error:#}")]);
    for difference in &differences {
        println!("DIFFERS: {difference}");
    }
    println!();
    match (differing, differences.is_empty()) {
        (0, true) => println!("All {all} responses and the chart were as expected."),
        (0, false) => println!("The chart was not as expected."),
        _ => println!("{differing} of {all} responses were not as expected."),
    }
    let is_good = differing == 0 && differences.is_empty();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits until a gateway that someone else has started is ready: `docker compose up -d` returns earlier.
///
/// # Errors
///
/// It is not ready within half a minute.
pub async fn wait_until_ready(endpoints: &Endpoints) -> anyhow::Result<()> {
    let admin = Bootstrap::load("demo")?.admin_port().context("`demo.yaml` has no admin interface")?;
    let admin = endpoints.authority(admin)?;
    let begin = Instant::now();
    while let Err(error) = ready(&admin).await {
        if begin.elapsed() > PATIENCE {
            bail!("the gateway whose admin interface is at `{admin}` is not ready: {error:#}");
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn ready(admin: &str) -> anyhow::Result<()> {
    let request = Request::get("/ready").body(Bytes::new())?;
    let answer = http::send(resolve(admin).await?, Protocol::Http1, request).await?;
    ensure!(answer.status == StatusCode::OK, "its response is {}", answer.text().trim_end());
    Ok(())
}

async fn answer(call: Call) -> anyhow::Result<Response> {
    let authority = call.request.uri().authority().context("the URL names no host")?.to_string();
    http::send(resolve(&authority).await?, call.protocol, call.request).await
}

/// A response as curl prints it, with its headers if curl was called with `-i`.
fn shown(answer: &Response, with_headers: bool) -> String {
    let mut text = String::new();
    if with_headers {
        text.push_str(&format!("{:?} {}\n", answer.version, answer.status));
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        }
        text.push('\n');
    }
    let body = answer.text();
    text.push_str(body.trim_end());
    if !body.is_empty() {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeaderMap, HeaderValue, Version};

    #[test]
    fn an_answer_is_shown_as_curl_shows_it() {
        let mut headers = HeaderMap::new();
        headers.insert("a", HeaderValue::from_static("b"));
        let answer = Response {
            status: StatusCode::TOO_MANY_REQUESTS,
            version: Version::HTTP_11,
            headers,
            body: "no".into(),
            trailers: HeaderMap::new(),
        };
        assert_eq!(shown(&answer, true), "HTTP/1.1 429 Too Many Requests\na: b\n\nno\n");
        assert_eq!(shown(&answer, false), "no\n");
    }
}
