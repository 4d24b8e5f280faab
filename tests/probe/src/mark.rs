//! The filter that marks requests.

use mesh_host::{Callbacks, Filter, Flow, Request};
use mesh_policy::effects::Edit;
use mesh_policy::headers::{HeaderName, HeaderValue};

/// Adds `x-mark` to each request that it sees.
pub struct Mark;

impl Filter for Mark {
    const NAME: &'static str = "mark";
    const CALLBACKS: Callbacks = Callbacks::REQUEST_HEADERS;
    type Stream = ();

    fn on_request_headers(&self, (): &mut (), request: &mut Request<'_>) -> Flow {
        let mark = Edit::Add(HeaderName::from_static("x-mark"), HeaderValue::text("came-through"));
        let _unmarked = request.edit(&mark);
        Flow::Continue
    }
}
