use super::{MAX_ROUNDS, MAX_WAKES};
use crate::callbacks::Callbacks;
use crate::filter::{Configure, Filter, Flow};
use crate::message::Request;
use crate::plugin::Plugin;
use crate::testing::{Fate, Proxy, Stream};
use mesh_config::Problems;
use mesh_policy::time::Nanos;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Lets each request wait for a moment.
struct Delays;

impl Filter for Delays {
    const NAME: &'static str = "delays";
    const CALLBACKS: Callbacks =
        Callbacks::REQUEST_HEADERS.and(Callbacks::RESPONSE_BODY).and(Callbacks::TICK);
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), _request: &mut Request<'_>) -> Flow {
        Flow::Pause { until: Nanos(1) }
    }
}

impl Configure for Delays {
    fn configure(_config: &[u8], _plugin: &Plugin) -> Result<Vec<Self>, Problems> {
        Ok(vec![Self])
    }
}

fn woken(streams: &[Stream<'_, Delays>]) -> usize {
    streams.iter().filter(|stream| stream.fate() == Fate::Continued).count()
}

#[test]
fn more_are_woken_when_the_stack_is_back_at_the_first_one() {
    let proxy = Proxy::<Delays>::start("{}");
    let streams: Vec<_> = (0..4 * MAX_WAKES).map(|_| proxy.request(&[])).collect();
    proxy.advance(MILLISECOND);
    assert_eq!(woken(&streams), MAX_WAKES);
    // Others are on the stack above the first one.
    streams[1].response_body(b"a", true);
    streams[MAX_WAKES - 1].response_body(b"a", true);
    assert_eq!(woken(&streams), MAX_WAKES);
    streams[0].response_body(b"a", false);
    assert_eq!(woken(&streams), 2 * MAX_WAKES);
    streams[0].response_body(b"b", true);
    assert_eq!(woken(&streams), 2 * MAX_WAKES);
    streams[MAX_WAKES].response_body(b"a", true);
    assert_eq!(woken(&streams), 3 * MAX_WAKES);
    proxy.advance(MILLISECOND);
    assert_eq!(woken(&streams), 4 * MAX_WAKES);
    assert_eq!(proxy.host().timer(), None);
}

#[test]
fn the_stack_is_bounded_however_many_wait() {
    let proxy = Proxy::<Delays>::start("{}");
    let rounds = usize::try_from(MAX_ROUNDS).unwrap();
    let streams: Vec<_> = (0..(rounds + 3) * MAX_WAKES).map(|_| proxy.request(&[])).collect();
    proxy.advance(MILLISECOND);
    for first in streams.iter().step_by(MAX_WAKES) {
        first.response_body(b"a", true);
    }
    assert_eq!(woken(&streams), (rounds + 1) * MAX_WAKES);
    proxy.advance(MILLISECOND);
    assert_eq!(woken(&streams), (rounds + 2) * MAX_WAKES);
}
