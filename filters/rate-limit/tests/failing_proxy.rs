//! A proxy whose calls fail.

use mesh_host::PolicyFilter;
use mesh_host::testing::{Fate, Proxy};
use rate_limit::policy::Policy;

const REQUEST: [(&str, &str); 3] = [(":method", "GET"), (":path", "/"), (":authority", "a.example")];

/// `fates`: those of requests under a limit of one, while all calls of `function` fail.
#[track_caller]
fn check(on_error: &str, function: &'static str, fates: [Fate; 2]) {
    let proxy = Proxy::<PolicyFilter<Policy>>::start(&format!(
        r#"{{"on_error": "{on_error}", "limits": [{{"name": "l", "rate": {{"requests": 1, "per": "1d"}}}}]}}"#
    ));
    proxy.host().fail(function);
    assert_eq!([0; 2].map(|_| proxy.request(&REQUEST).fate()), fates, "{function}");
}

/// Whether a client speaks gRPC decides on the form of the reply only.
#[test]
fn a_refusal_stands_where_the_headers_cannot_be_read() {
    check("allow", "get_header_map_pairs", [Fate::Continued, Fate::Replied]);
}

#[test]
fn a_bucket_that_cannot_be_read_is_what_on_error_says() {
    check("allow", "get_shared_data", [Fate::Continued, Fate::Continued]);
    check("deny", "get_shared_data", [Fate::Replied, Fate::Replied]);
    check("deny", "get_header_map_value", [Fate::Replied, Fate::Replied]);
}
