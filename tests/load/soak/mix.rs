//! Who sends requests, and what they are to get.

use super::config::{BURST, Which};
use bytes::Bytes;
use canary::assignment::Assigner;
use e2e::{Algorithm, Key, Token, get};
use mesh_filters::http::{Request, Response, Turn};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// Users whose tokens are sent again and again.
const USERS: usize = 400;

/// Of so many requests in a row, each client but [`Client::User`] sends one.
const PERIOD: u64 = 20;

const VARIANTS: [&str; 2] = ["v1", "v2"];

/// A client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Client {
    /// One of many, with a token that is in the cache.
    User,
    /// With a token that nobody has sent before.
    New,
    /// Asks for v2.
    Tester,
    /// Asks far more often than its limit allows.
    Greedy,
    /// Has no token.
    Anonymous,
    /// Has a token that another key has signed.
    Forger,
    /// Asks for an abort.
    Aborted,
    /// Asks for a delay.
    Delayed,
}

impl Client {
    const fn of(number: u64) -> Self {
        match number % PERIOD {
            0 => Self::New,
            1 => Self::Tester,
            2 => Self::Greedy,
            3 => Self::Anonymous,
            4 => Self::Forger,
            5 => Self::Aborted,
            6 => Self::Delayed,
            _ => Self::User,
        }
    }
}

/// What a client got, in short. What it should not have got begins with `not `.
pub(super) type Outcome = (Client, String);

/// The clients.
pub(super) struct Mix {
    /// The values of `authorization` of users, by number, and the variants that the configs give them.
    users: Vec<(String, [&'static str; 2])>,
    greedy: String,
    forged: String,
    /// That of a client that is no part of the load.
    pub(super) observer: String,
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.sign())
}

fn rsa(user: &str) -> Token {
    Token::good(Algorithm::Rs256).claim("sub", user).expires_in(3 * 3600)
}

impl Mix {
    pub(super) fn new() -> Self {
        let assigner = Assigner::new("release", VARIANTS.into_iter());
        let variants = |user: &str| {
            Which::BOTH.map(|which| VARIANTS[assigner.choose(&which.weights(), user.as_bytes()).unwrap()])
        };
        let names = (0..USERS).map(|number| format!("user-{number}"));
        Self {
            users: names.map(|name| (bearer(&rsa(&name)), variants(&name))).collect(),
            greedy: bearer(&rsa("greedy").claim("plan", "none")),
            forged: bearer(&rsa("user-0").key(&Key::RSA_B)),
            observer: bearer(&rsa("observer")),
        }
    }

    /// The number of a request, where the connections of a load have numbers from `first` on.
    fn number(first: usize, turn: Turn) -> u64 {
        turn.sequence * 7 + (first + turn.connection) as u64
    }

    /// The user of a request.
    const fn user(number: u64) -> usize {
        (number * 13 / PERIOD) as usize % USERS
    }

    pub(super) fn request(&self, first: usize, turn: Turn) -> Request<Bytes> {
        let number = Self::number(first, turn);
        let client = Client::of(number);
        let new;
        let token = match client {
            Client::New => {
                let user = format!("new-{first}-{}-{}", turn.connection, turn.sequence);
                new = bearer(&Token::good(Algorithm::Es256).kid("e").claim("sub", user));
                Some(&*new)
            }
            Client::Greedy => Some(&*self.greedy),
            Client::Forger => Some(&*self.forged),
            Client::Anonymous => None,
            Client::User | Client::Tester | Client::Aborted | Client::Delayed => {
                Some(&*self.users[Self::user(number)].0)
            }
        };
        let traceparent = sent_trace(number).map(|id| format!("00-{id}-00f067aa0ba902b7-01"));
        let mut headers: Vec<_> = token.map(|token| ("authorization", token)).into_iter().collect();
        headers.extend(match client {
            Client::Tester => Some(("canary", "true")),
            Client::Aborted => Some(("x-test-fault", "abort")),
            Client::Delayed => Some(("x-test-fault", "delay")),
            _ => None,
        });
        headers.extend(match (number / PERIOD) % 4 {
            // An invalid context is none.
            0 => Some(("b3", "00000000000000000000000000000000-00f067aa0ba902b7-1")),
            1 => Some(("baggage", "tenant=a,locale=de")),
            _ => None,
        });
        headers.extend(traceparent.as_deref().map(|value| ("traceparent", value)));
        get("/orders?id=1", &headers)
    }

    pub(super) fn judge(&self, first: usize, turn: Turn, answer: &Response) -> Outcome {
        let number = Self::number(first, turn);
        let client = Client::of(number);
        let status = answer.status.as_u16();
        let marker = answer.header("x-mesh-fault");
        let variant = answer.header("x-served-variant");
        let is_served = status == 200 && variant.as_ref().is_some_and(|variant| *variant == answer.text());
        let is_as_asked = match client {
            Client::User => {
                let (_, variants) = &self.users[Self::user(number)];
                is_served && marker.is_none() && variants.iter().any(|name| variant.as_deref() == Some(*name))
            }
            Client::New => is_served && marker.is_none(),
            Client::Tester => is_served && variant.as_deref() == Some("v2"),
            Client::Greedy => is_served || status == 429,
            Client::Anonymous | Client::Forger => status == 401,
            Client::Aborted => Which::BOTH
                .iter()
                .any(|which| status == which.status() && marker.as_deref() == Some(&*which.rule())),
            Client::Delayed => is_served && marker.is_some_and(|marker| marker.starts_with("delay-")),
        };
        let is_traced = is_traced(number, answer);
        let outcome = match (is_as_asked, is_traced) {
            (true, true) => status.to_string(),
            (false, _) => format!("not as asked: {status} {:?} {}", answer.headers, answer.text()),
            (_, false) => format!("not in its trace: {status} {:?}", answer.headers),
        };
        (client, outcome)
    }
}

/// The trace id that a request is sent with: half of them have one.
fn sent_trace(number: u64) -> Option<String> {
    (number / 2).is_multiple_of(2).then(|| format!("{:032x}", u128::from(number) + 1))
}

/// Whether the client was told the one trace that its request was in.
fn is_traced(number: u64, answer: &Response) -> bool {
    let Some(told) = answer.header("x-trace-id") else { return false };
    let is_sent = sent_trace(number).is_none_or(|sent| sent == told);
    let passed = answer.header("x-echo-traceparent");
    is_sent && told.len() == 32 && passed.is_none_or(|passed| passed.get(3..35) == Some(&*told))
}

/// How often each client got what.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<Outcome, u64>>);

impl Tally {
    pub(super) fn add(&self, outcome: &Outcome) {
        let mut counts = self.0.lock().unwrap();
        match counts.get_mut(outcome) {
            Some(count) => *count += 1,
            None => drop(counts.insert(outcome.clone(), 1)),
        }
    }

    /// Asserts that each client got what it asked for, where the load has begun this long ago.
    pub(super) fn assert_as_asked(&self, elapsed: Duration) {
        let counts = self.0.lock().unwrap();
        let other: Vec<_> =
            counts.keys().filter(|(_, outcome)| outcome.starts_with("not ")).take(3).collect();
        assert!(other.is_empty(), "{other:#?}");
        let count = |client, status: u16| counts.get(&(client, status.to_string())).copied().unwrap_or(0);
        for (client, statuses) in [
            (Client::User, &[200][..]),
            (Client::New, &[200]),
            (Client::Tester, &[200]),
            (Client::Greedy, &[200, 429]),
            (Client::Anonymous, &[401]),
            (Client::Forger, &[401]),
            // Both configs have served.
            (Client::Aborted, &[503, 500]),
            (Client::Delayed, &[200]),
        ] {
            for status in statuses {
                assert!(count(client, *status) > 0, "{client:?} {status}");
            }
        }
        // No push gives tokens back.
        let most = BURST as f64 * (1.0 + elapsed.as_secs_f64());
        let admitted = count(Client::Greedy, 200);
        assert!(admitted as f64 <= most, "{admitted} admitted, at most {most}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap();
        let short = |((client, outcome), count): (&Outcome, &u64)| {
            format!("{client:?} {}: {count}", outcome.chars().take(40).collect::<String>())
        };
        f.write_str(&counts.iter().take(40).map(short).collect::<Vec<_>>().join(", "))
    }
}
