//! The cases: what is sent, and what has to arrive.

/// A case of the suite.
pub(super) struct Case {
    /// Its name in the suite, without `test_`.
    pub(super) name: &'static str,
    pub(super) exchanges: Vec<Exchange>,
}

/// A request to a service, and the calls that the service makes.
pub(super) struct Exchange {
    /// The headers of the request, each as a line.
    pub(super) sent: Vec<String>,
    /// Number of calls.
    pub(super) calls: usize,
    /// The trace of each call.
    pub(super) trace: Trace,
    /// The members of the `tracestate` of each call, in their order.
    pub(super) members: Vec<String>,
}

/// The trace that a call belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// [`TRACE`], that of the request.
    Same,
    /// A new one.
    New,
}

/// The trace that a client sends.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The client's span.
pub(super) const SPAN: &str = "00f067aa0ba902b7";
/// A `traceparent` with them.
const PARENT: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The call belongs to the trace of the request.
fn joins(sent: &[&str]) -> Exchange {
    let sent = sent.iter().map(|line| (*line).to_owned()).collect();
    Exchange { sent, calls: 1, trace: Trace::Same, members: Vec::new() }
}

/// The call belongs to a new trace.
fn begins(sent: &[&str]) -> Exchange {
    Exchange { trace: Trace::New, ..joins(sent) }
}

/// A `traceparent` of this value makes no difference.
fn ignores(parent: &str) -> Exchange {
    begins(&[&format!("traceparent: {parent}")])
}

/// With a valid `traceparent`, a `tracestate` header for each of these values.
fn with_states<S: AsRef<str>>(states: &[S]) -> Exchange {
    let mut exchange = joins(&[PARENT]);
    exchange.sent.extend(states.iter().map(|state| format!("tracestate: {}", state.as_ref())));
    exchange
}

impl Exchange {
    /// The call has these members, in this order.
    fn and_arrives<M: AsRef<str>>(mut self, members: &[M]) -> Self {
        self.members = members.iter().map(|member| member.as_ref().to_owned()).collect();
        self
    }

    /// The service makes three calls.
    fn thrice(self) -> Self {
        Self { calls: 3, ..self }
    }
}

/// A `tracestate` of these headers, which has these members, arrives.
fn state<S: AsRef<str>, M: AsRef<str>>(states: &[S], members: &[M]) -> Exchange {
    with_states(states).and_arrives(members)
}

/// A `tracestate` of these headers is dropped, and the trace goes on.
fn no_state<S: AsRef<str>>(states: &[S]) -> Exchange {
    with_states(states)
}

/// The cases that hold.
pub(super) fn held() -> Vec<Case> {
    let case = |name, exchanges| Case { name, exchanges };
    let [parents, states] = [of_traceparent(), of_tracestate()];
    parents.into_iter().chain(states).map(|(name, exchanges)| case(name, exchanges)).collect()
}

type Named = (&'static str, Vec<Exchange>);

fn of_traceparent() -> Vec<Named> {
    let name = |name: &str| PARENT.replace("traceparent", name);
    let spaced = |before: &str, behind: &str| {
        joins(&[&format!("{}{behind}", PARENT.replace(": ", &format!(": {before}")))])
    };
    vec![
        ("both_traceparent_and_tracestate_missing", vec![begins(&[])]),
        (
            "traceparent_duplicated",
            vec![
                begins(&[PARENT, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
                begins(&[PARENT, PARENT]),
            ],
        ),
        ("traceparent_header_name", vec![begins(&[&name("trace-parent")]), begins(&[&name("trace.parent")])]),
        (
            "traceparent_header_name_valid_casing",
            ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"].map(|spelt| joins(&[&name(spelt)])).into(),
        ),
        (
            "traceparent_version_0x00",
            vec![
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01."),
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"),
            ],
        ),
        (
            "traceparent_version_0xcc",
            vec![
                joins(&["traceparent: cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]),
                joins(&["traceparent: cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"]),
                ignores("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more"),
            ],
        ),
        (
            "traceparent_version_0xff",
            vec![ignores("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
        ),
        (
            "traceparent_version_illegal_characters",
            vec![
                ignores(".0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                ignores("0.-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ],
        ),
        (
            "traceparent_version_too_long",
            vec![
                ignores("000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                ignores("0000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ],
        ),
        (
            "traceparent_version_too_short",
            vec![ignores("0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")],
        ),
        (
            "traceparent_trace_id_all_zero",
            vec![ignores("00-00000000000000000000000000000000-00f067aa0ba902b7-01")],
        ),
        (
            "traceparent_trace_id_illegal_characters",
            vec![
                ignores("00-.bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                ignores("00-4bf92f3577b34da6a3ce929d0e0e473.-00f067aa0ba902b7-01"),
            ],
        ),
        (
            "traceparent_trace_id_too_long",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e47361-00f067aa0ba902b7-01")],
        ),
        (
            "traceparent_trace_id_too_short",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01")],
        ),
        (
            "traceparent_parent_id_all_zero",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")],
        ),
        (
            "traceparent_parent_id_illegal_characters",
            vec![
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-.0f067aa0ba902b7-01"),
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b.-01"),
            ],
        ),
        (
            "traceparent_parent_id_too_long",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b71-01")],
        ),
        (
            "traceparent_parent_id_too_short",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01")],
        ),
        (
            "traceparent_trace_flags_illegal_characters",
            vec![
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.0"),
                ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0."),
            ],
        ),
        (
            "traceparent_trace_flags_too_long",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001")],
        ),
        (
            "traceparent_trace_flags_too_short",
            vec![ignores("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")],
        ),
        (
            "traceparent_ows_handling",
            vec![spaced(" ", ""), spaced("\t", ""), spaced("", " "), spaced("", "\t"), spaced("\t ", " \t")],
        ),
    ]
}

fn of_tracestate() -> Vec<Named> {
    let all = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|char| !matches!(char, ',' | '=')).collect();
    let member = |number: usize| format!("m{number}={number}");
    let members: Vec<_> = (1..=33).map(member).collect();
    let many = |count: usize| members[..count].chunks(10).map(|chunk| chunk.join(",")).collect::<Vec<_>>();
    let (fits, too_many) = (many(32), many(33));
    let key = |key: &str| state(&["a=1", &format!("{key}=1")], &["a=1", &format!("{key}=1")]);
    vec![
        (
            "tracestate_included_traceparent_missing",
            vec![begins(&["tracestate: a=1"]), begins(&["tracestate: a=1,b=2"])],
        ),
        ("tracestate_included_traceparent_included", vec![state(&["a=1,b=2"], &["a=1", "b=2"])]),
        (
            "tracestate_header_name",
            vec![joins(&[PARENT, "trace-state: a=1"]), joins(&[PARENT, "trace.state: a=1"])],
        ),
        (
            "tracestate_header_name_valid_casing",
            ["TraceState", "TrAcEsTaTe", "TRACESTATE"]
                .map(|spelt| joins(&[PARENT, &format!("{spelt}: a=1")]).and_arrives(&["a=1"]))
                .into(),
        ),
        (
            "tracestate_empty_header",
            vec![no_state(&[""]), state(&["a=1", ""], &["a=1"]), state(&["", "a=1"], &["a=1"])],
        ),
        (
            "tracestate_multiple_headers_different_keys",
            vec![state(&["a=1,b=2", "c=1,d=2", "e=3"], &["a=1", "b=2", "c=1", "d=2", "e=3"])],
        ),
        (
            "tracestate_duplicated_keys",
            vec![
                state(&["a=1,a=1"], &["a=1", "a=1"]),
                state(&["a=1,a=2"], &["a=1", "a=2"]),
                state(&["a=1", "a=1"], &["a=1", "a=1"]),
                state(&["a=1", "a=2"], &["a=1", "a=2"]),
            ],
        ),
        (
            "tracestate_all_allowed_characters",
            [all.to_owned(), format!("{all}@{all}")]
                .map(|key| format!("{key}={value}"))
                .map(|member| state(&[&member], &[&member]))
                .into(),
        ),
        (
            "tracestate_ows_handling",
            vec![
                state(&["a=1 \t , \t b=2, \t c=3"], &["a=1", "b=2", "c=3"]),
                state(&["a=1\t \t,\t \tb=2,\t \tc=3"], &["a=1", "b=2", "c=3"]),
                state(&[" a=1"], &["a=1"]),
                state(&["\ta=1"], &["a=1"]),
                state(&["a=1 "], &["a=1"]),
                state(&["a=1\t"], &["a=1"]),
                state(&["\t a=1 \t"], &["a=1"]),
            ],
        ),
        (
            "tracestate_key_illegal_characters",
            vec![no_state(&["a =1"]), no_state(&["A=1"]), no_state(&["a.b=1"])],
        ),
        (
            "tracestate_key_illegal_vendor_format",
            vec![
                state(&["a@=1,b=2"], &["a@=1", "b=2"]),
                no_state(&["@a=1,b=2"]),
                state(&["a@@b=1,b=2"], &["a@@b=1", "b=2"]),
                state(&["a@b@c=1,b=2"], &["a@b@c=1", "b=2"]),
            ],
        ),
        ("tracestate_member_count_limit", vec![state(&fits, &members[..32]), no_state(&too_many)]),
        (
            "tracestate_key_length_limit",
            vec![
                key(&"k".repeat(256)),
                no_state(&["a=1", &format!("{}=1", "k".repeat(257))]),
                key(&format!("{}@{}", "k".repeat(241), "v".repeat(14))),
                key(&format!("{}@v", "k".repeat(242))),
                key(&format!("k@{}", "v".repeat(15))),
            ],
        ),
        ("tracestate_value_illegal_characters", vec![no_state(&["a=b=c"]), no_state(&["a=,b=3"])]),
    ]
}

/// The cases that ask for a span of one's own: the id in the third field of `traceparent` is to differ from the client's, or
/// from call to call. The filter reports no span, so it invents none. All else that they ask for is here.
pub(super) fn own_span() -> Vec<Case> {
    let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
    [
        ("traceparent_included_tracestate_missing", joins(&[PARENT])),
        ("multiple_requests_with_valid_traceparent", joins(&[PARENT]).thrice()),
        ("multiple_requests_without_traceparent", begins(&[]).thrice()),
        ("multiple_requests_with_illegal_traceparent", ignores(zero).thrice()),
        (
            "propagates_random_flag",
            joins(&["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"]),
        ),
    ]
    .map(|(name, exchange)| Case { name, exchanges: vec![exchange] })
    .into()
}
