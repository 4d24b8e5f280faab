//! What only some formats can say.

use super::lines::{B3, B3_MULTI, DATADOG, GCP, JAEGER, Lines, W3C, XRAY};

/// What a format can say beyond the above, and what becomes of it in each format: the table "What each pair loses" of the
/// README. In its own format a context arrives as it was sent, so there the lines are those that were sent.
pub(super) struct State {
    pub(super) what: &'static str,
    pub(super) from: &'static [usize],
    pub(super) arrives: [Lines; 7],
}

/// Where nobody has decided, one percent of all ids are sampled. That of the b3 example is one of them, the others are not.
pub(super) const STATES: [State; 17] = [
    State {
        what: "debug",
        from: &[B3, B3_MULTI, JAEGER],
        arrives: [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d"],
            &[
                "x-b3-flags: 1",
                "x-b3-spanid: 00f067aa0ba902b7",
                "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
            ],
            &["uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:3"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 2",
                "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"],
            &["x-cloud-trace-context: 4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1"],
        ],
    },
    State {
        what: "the flag for debug alone",
        from: &[JAEGER],
        arrives: [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d"],
            &[
                "x-b3-flags: 1",
                "x-b3-spanid: 00f067aa0ba902b7",
                "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
            ],
            &["uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:2"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 2",
                "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"],
            &["x-cloud-trace-context: 4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1"],
        ],
    },
    State {
        what: "deferred, falls back to sampled",
        from: &[B3, B3_MULTI, DATADOG, XRAY, GCP],
        arrives: [
            &["traceparent: 00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"],
            &["b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1"],
            &["x-b3-spanid: e457b5a2e4d86bd1", "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7"],
            &["uber-trace-id: 80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1"],
            &[
                "x-datadog-parent-id: 16453819474850114513",
                "x-datadog-tags: _dd.p.tid=80f198ee56343ba8",
                "x-datadog-trace-id: 7277407061855694839",
            ],
            &["x-amzn-trace-id: Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=e457b5a2e4d86bd1"],
            &["x-cloud-trace-context: 80f198ee56343ba864fe8b2a57d3eff7/16453819474850114513"],
        ],
    },
    State {
        what: "deferred, falls back to not sampled",
        from: &[B3, B3_MULTI, DATADOG, XRAY, GCP],
        arrives: [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"],
            &["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"],
            &["x-b3-spanid: 00f067aa0ba902b7", "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736"],
            &["uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:0"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7"],
            &["x-cloud-trace-context: 4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343"],
        ],
    },
    State {
        what: "deferred, tests of dd-trace-go",
        from: &[B3, B3_MULTI, DATADOG, XRAY, GCP],
        arrives: [
            &["traceparent: 00-640cfd8d00000000112210f47de98115-000000003ade68b1-00"],
            &["b3: 640cfd8d00000000112210f47de98115-000000003ade68b1"],
            &["x-b3-spanid: 000000003ade68b1", "x-b3-traceid: 640cfd8d00000000112210f47de98115"],
            &["uber-trace-id: 640cfd8d00000000112210f47de98115:000000003ade68b1:0:0"],
            &[
                "x-datadog-parent-id: 987654321",
                "x-datadog-tags: _dd.p.tid=640cfd8d00000000",
                "x-datadog-trace-id: 1234567890123456789",
            ],
            &["x-amzn-trace-id: Root=1-640cfd8d-00000000112210f47de98115;Parent=000000003ade68b1"],
            &["x-cloud-trace-context: 640cfd8d00000000112210f47de98115/987654321"],
        ],
    },
    State {
        what: "deferred, with a question mark",
        from: &[XRAY],
        arrives: [
            &["traceparent: 00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"],
            &["b3: 5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8"],
            &["x-b3-spanid: 53995c3f42cd8ad8", "x-b3-traceid: 5759e988bd862e3fe1be46a994272793"],
            &["uber-trace-id: 5759e988bd862e3fe1be46a994272793:53995c3f42cd8ad8:0:0"],
            &[
                "x-datadog-parent-id: 6023947403358210776",
                "x-datadog-tags: _dd.p.tid=5759e988bd862e3f",
                "x-datadog-trace-id: 16266516598257821587",
            ],
            &["x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=?"],
            &["x-cloud-trace-context: 5759e988bd862e3fe1be46a994272793/6023947403358210776"],
        ],
    },
    State {
        what: "parent, examples of b3",
        from: &[B3, B3_MULTI, JAEGER],
        arrives: [
            &["traceparent: 00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"],
            &["b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"],
            &[
                "x-b3-parentspanid: 05e3ac9a4f6e3b90",
                "x-b3-sampled: 1",
                "x-b3-spanid: e457b5a2e4d86bd1",
                "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7",
            ],
            &["uber-trace-id: 80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:05e3ac9a4f6e3b90:1"],
            &[
                "x-datadog-parent-id: 16453819474850114513",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=80f198ee56343ba8",
                "x-datadog-trace-id: 7277407061855694839",
            ],
            &["x-amzn-trace-id: Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=e457b5a2e4d86bd1;Sampled=1"],
            &["x-cloud-trace-context: 80f198ee56343ba864fe8b2a57d3eff7/16453819474850114513;o=1"],
        ],
    },
    State {
        what: "parent and the flag 8",
        from: &[JAEGER],
        arrives: [
            &["traceparent: 00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"],
            &["b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"],
            &[
                "x-b3-parentspanid: 05e3ac9a4f6e3b90",
                "x-b3-sampled: 1",
                "x-b3-spanid: e457b5a2e4d86bd1",
                "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7",
            ],
            &["uber-trace-id: 80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:05e3ac9a4f6e3b90:9"],
            &[
                "x-datadog-parent-id: 16453819474850114513",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=80f198ee56343ba8",
                "x-datadog-trace-id: 7277407061855694839",
            ],
            &["x-amzn-trace-id: Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=e457b5a2e4d86bd1;Sampled=1"],
            &["x-cloud-trace-context: 80f198ee56343ba864fe8b2a57d3eff7/16453819474850114513;o=1"],
        ],
    },
    State {
        what: "missing leading zeros, and encoded colons",
        from: &[JAEGER],
        arrives: [
            &["traceparent: 00-0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-00"],
            &["b3: a3ce929d0e0e4736-00f067aa0ba902b7-0"],
            &["x-b3-sampled: 0", "x-b3-spanid: 00f067aa0ba902b7", "x-b3-traceid: a3ce929d0e0e4736"],
            &["uber-trace-id: a3ce929d0e0e4736%3Af067aa0ba902b7%3A0%3A0"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 0",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-00000000-00000000a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=0"],
            &["x-cloud-trace-context: 0000000000000000a3ce929d0e0e4736/67667974448284343;o=0"],
        ],
    },
    State {
        what: "the random flag, and tracestate of the introduction",
        from: &[W3C],
        arrives: [
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
                "tracestate: congo=t61rcWkgMzE",
            ],
            &["b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: b7ad6b7169203331",
                "x-b3-traceid: 0af7651916cd43dd8448eb211c80319c",
            ],
            &["uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"],
            &[
                "x-datadog-parent-id: 13235353014750950193",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=0af7651916cd43dd",
                "x-datadog-trace-id: 9532127138774266268",
            ],
            &["x-amzn-trace-id: Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"],
            &["x-cloud-trace-context: 0af7651916cd43dd8448eb211c80319c/13235353014750950193;o=1"],
        ],
    },
    State {
        what: "the random flag of a trace that is not sampled",
        from: &[W3C],
        arrives: [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"],
            &["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"],
            &[
                "x-b3-sampled: 0",
                "x-b3-spanid: 00f067aa0ba902b7",
                "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
            ],
            &["uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:0"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 0",
                "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=0"],
            &["x-cloud-trace-context: 4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=0"],
        ],
    },
    State {
        what: "priority 2, origin and tags",
        from: &[DATADOG],
        arrives: [
            &["traceparent: 00-640cfd8d00000000112210f47de98115-000000003ade68b1-01"],
            &["b3: 640cfd8d00000000112210f47de98115-000000003ade68b1-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: 000000003ade68b1",
                "x-b3-traceid: 640cfd8d00000000112210f47de98115",
            ],
            &["uber-trace-id: 640cfd8d00000000112210f47de98115:000000003ade68b1:0:1"],
            &[
                "x-datadog-origin: synthetics",
                "x-datadog-parent-id: 987654321",
                "x-datadog-sampling-priority: 2",
                "x-datadog-tags: _dd.p.dm=-4,_dd.p.tid=640cfd8d00000000",
                "x-datadog-trace-id: 1234567890123456789",
            ],
            &["x-amzn-trace-id: Root=1-640cfd8d-00000000112210f47de98115;Parent=000000003ade68b1;Sampled=1"],
            &["x-cloud-trace-context: 640cfd8d00000000112210f47de98115/987654321;o=1"],
        ],
    },
    State {
        what: "priority -1, and a malformed upper half",
        from: &[DATADOG],
        arrives: [
            &["traceparent: 00-0000000000000000112210f47de98115-000000003ade68b1-00"],
            &["b3: 112210f47de98115-000000003ade68b1-0"],
            &["x-b3-sampled: 0", "x-b3-spanid: 000000003ade68b1", "x-b3-traceid: 112210f47de98115"],
            &["uber-trace-id: 112210f47de98115:000000003ade68b1:0:0"],
            &[
                "x-datadog-parent-id: 987654321",
                "x-datadog-sampling-priority: -1",
                "x-datadog-tags: _dd.p.tid=1234567890abcde",
                "x-datadog-trace-id: 1234567890123456789",
            ],
            &["x-amzn-trace-id: Root=1-00000000-00000000112210f47de98115;Parent=000000003ade68b1;Sampled=0"],
            &["x-cloud-trace-context: 0000000000000000112210f47de98115/987654321;o=0"],
        ],
    },
    State {
        what: "other fields, in another order",
        from: &[XRAY],
        arrives: [
            &["traceparent: 00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"],
            &["b3: 5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: 53995c3f42cd8ad8",
                "x-b3-traceid: 5759e988bd862e3fe1be46a994272793",
            ],
            &["uber-trace-id: 5759e988bd862e3fe1be46a994272793:53995c3f42cd8ad8:0:1"],
            &[
                "x-datadog-parent-id: 6023947403358210776",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=5759e988bd862e3f",
                "x-datadog-trace-id: 16266516598257821587",
            ],
            &["x-amzn-trace-id: Self=1-67891234-12456789abcdef012345678; Sampled=1; \
                 Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8; Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2"],
            &["x-cloud-trace-context: 5759e988bd862e3fe1be46a994272793/6023947403358210776;o=1"],
        ],
    },
    State {
        what: "no span, example of the load balancer",
        from: &[XRAY, GCP],
        arrives: [
            &[],
            &[],
            &[],
            &[],
            &[],
            &["x-amzn-trace-id: Root=1-67891233-abcdef012345678912345678"],
            &["x-cloud-trace-context: 67891233abcdef012345678912345678/0"],
        ],
    },
    State {
        what: "no span",
        from: &[XRAY, GCP],
        arrives: [
            &[],
            &[],
            &[],
            &[],
            &[],
            &["x-amzn-trace-id: Root=1-105445aa-7843bc8bf206b12000100000;Sampled=1"],
            &["x-cloud-trace-context: 105445aa7843bc8bf206b12000100000/0;o=1"],
        ],
    },
    State {
        what: "an origin and no span",
        from: &[DATADOG],
        arrives: [
            &[],
            &[],
            &[],
            &[],
            &[
                "x-datadog-origin: synthetics",
                "x-datadog-parent-id: 0",
                "x-datadog-sampling-priority: 1",
                "x-datadog-trace-id: 1234567890123456789",
            ],
            &["x-amzn-trace-id: Root=1-00000000-00000000112210f47de98115;Sampled=1"],
            &["x-cloud-trace-context: 0000000000000000112210f47de98115/0;o=1"],
        ],
    },
];
