//! Parses a curl command.
//!
//! The check sends what the user would paste, and curl may not be installed: so the command itself is
//! parsed, with the options that the scenario uses.

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};

use crate::http::Protocol;

/// The request of a curl command.
#[derive(Clone, Debug)]
pub struct Call {
    /// The request, with the whole URL as its target.
    pub request: Request<Bytes>,
    /// The protocol.
    pub protocol: Protocol,
    /// Whether curl would print the response headers (`-i`).
    pub with_headers: bool,
}

impl Call {
    /// Reads `curl [-i] [-s] [-X METHOD] [-H 'name: value']... [-d BODY] [--http2-prior-knowledge] URL`.
    ///
    /// # Errors
    ///
    /// It is no such command, or it has another option.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        Self::of_words(line).with_context(|| format!("cannot run `{line}`"))
    }

    fn of_words(line: &str) -> anyhow::Result<Self> {
        let mut words = shlex::split(line).context("a quote is not closed")?.into_iter();
        ensure!(words.next().as_deref() == Some("curl"), "the line does not begin with `curl`");
        let mut method = None;
        let mut headers = Vec::new();
        let mut body = None;
        let mut url = None;
        let mut protocol = Protocol::Http1;
        let mut with_headers = false;
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("`{word}` lacks its value"));
            match word.as_str() {
                "-i" => with_headers = true,
                // `-s` hides the progress bar, and there is none.
                "-s" => {}
                "-X" => method = Some(Method::try_from(value()?.as_str())?),
                "-H" => headers.push(header(&value()?)?),
                "-d" => body = Some(value()?),
                "--http2-prior-knowledge" => protocol = Protocol::Http2,
                option if option.starts_with('-') => bail!("the option `{option}` is not known here"),
                _ => ensure!(url.replace(Uri::try_from(word)?).is_none(), "there are two URLs"),
            }
        }
        let method = method.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
        let url = url.context("there is no URL")?;
        ensure!(url.scheme_str() == Some("http"), "the URL does not begin with `http://`");
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = url;
        let sent = request.headers_mut();
        for (name, value) in headers {
            sent.append(name, value);
        }
        // curl's defaults.
        sent.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        sent.entry(USER_AGENT).or_insert(HeaderValue::from_static("curl"));
        if let Some(body) = body {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            sent.entry(CONTENT_TYPE).or_insert(form);
            *request.body_mut() = body.into();
        }
        Ok(Self { request, protocol, with_headers })
    }
}

/// Parses `name: value`, or `name;` for an empty value.
fn header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
        (Some((name, value)), _) => (name, value.trim()),
        (None, Some(name)) => (name, ""),
        (None, None) => bail!("the header `{text}` has no colon"),
    };
    // curl removes a header without a value, which no command of the scenario means.
    ensure!(
        !value.is_empty() || text.ends_with(';'),
        "the header `{text}` has no value; `{name};` sends it empty"
    );
    Ok((HeaderName::try_from(name)?, HeaderValue::try_from(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_is_a_get() {
        let call = Call::parse("curl -i -s 'http://localhost:10000/a?b=c'").unwrap();
        assert_eq!(call.request.method(), Method::GET);
        assert_eq!(call.request.uri(), "http://localhost:10000/a?b=c");
        assert_eq!((call.protocol, call.with_headers), (Protocol::Http1, true));
    }

    #[test]
    fn headers_are_sent_as_written_and_repeats_are_kept() {
        let call = Call::parse("curl -H 'x-a: 1' -H 'x-a: two words' -H 'x-b;' http://h/").unwrap();
        let sent: Vec<_> = call.request.headers().get_all("x-a").iter().collect();
        assert_eq!(sent, ["1", "two words"]);
        assert_eq!(call.request.headers()["x-b"], "");
    }

    #[test]
    fn a_body_makes_it_a_post_unless_the_line_says_otherwise() {
        let call = Call::parse("curl -d a=b http://h/").unwrap();
        assert_eq!((call.request.method(), call.request.body().as_ref()), (&Method::POST, &b"a=b"[..]));
        assert_eq!(call.request.headers()[CONTENT_TYPE], "application/x-www-form-urlencoded");
        let call = Call::parse("curl -X PUT -d a --http2-prior-knowledge http://h/").unwrap();
        assert_eq!((call.request.method(), call.protocol), (&Method::PUT, Protocol::Http2));
    }

    #[test]
    fn what_is_not_understood_is_not_run() {
        for (line, reason) in [
            ("curl --insecure http://h/", "the option `--insecure` is not known here"),
            ("curl -X", "`-X` lacks its value"),
            ("curl 'http://h/", "a quote is not closed"),
            ("wget http://h/", "the line does not begin with `curl`"),
            ("curl -H x http://h/", "the header `x` has no colon"),
            ("curl -H 'x:' http://h/", "has no value"),
            ("curl -i", "there is no URL"),
            ("curl https://h/", "does not begin with `http://`"),
        ] {
            let error = format!("{:#}", Call::parse(line).unwrap_err());
            assert!(error.contains(reason), "{error}");
        }
    }
}
