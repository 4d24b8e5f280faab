//! Traces that every format can say.

use super::lines::Lines;

/// The same trace in all formats: each pair of formats converts one into the other without any loss.
pub(super) const SAME: [(&str, [Lines; 7]); 8] = [
    (
        "w3c, example of a caller that sampled",
        [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: 00f067aa0ba902b7",
                "x-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736",
            ],
            &["uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=4bf92f3577b34da6",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"],
            &["x-cloud-trace-context: 4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1"],
        ],
    ),
    (
        "w3c, example of a caller that did not sample",
        [
            &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"],
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
    ),
    (
        "w3c, example of the introduction; a span id with the highest bit",
        [
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
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
    ),
    (
        "b3, example, without the parent",
        [
            &["traceparent: 00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"],
            &["b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: e457b5a2e4d86bd1",
                "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7",
            ],
            &["uber-trace-id: 80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:1"],
            &[
                "x-datadog-parent-id: 16453819474850114513",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=80f198ee56343ba8",
                "x-datadog-trace-id: 7277407061855694839",
            ],
            &["x-amzn-trace-id: Root=1-80f198ee-56343ba864fe8b2a57d3eff7;Parent=e457b5a2e4d86bd1;Sampled=1"],
            &["x-cloud-trace-context: 80f198ee56343ba864fe8b2a57d3eff7/16453819474850114513;o=1"],
        ],
    ),
    (
        "datadog, tests of dd-trace-go, with a priority",
        [
            &["traceparent: 00-640cfd8d00000000112210f47de98115-000000003ade68b1-01"],
            &["b3: 640cfd8d00000000112210f47de98115-000000003ade68b1-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: 000000003ade68b1",
                "x-b3-traceid: 640cfd8d00000000112210f47de98115",
            ],
            &["uber-trace-id: 640cfd8d00000000112210f47de98115:000000003ade68b1:0:1"],
            &[
                "x-datadog-parent-id: 987654321",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=640cfd8d00000000",
                "x-datadog-trace-id: 1234567890123456789",
            ],
            &["x-amzn-trace-id: Root=1-640cfd8d-00000000112210f47de98115;Parent=000000003ade68b1;Sampled=1"],
            &["x-cloud-trace-context: 640cfd8d00000000112210f47de98115/987654321;o=1"],
        ],
    ),
    (
        "xray, example of a header with a parent",
        [
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
            &["x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"],
            &["x-cloud-trace-context: 5759e988bd862e3fe1be46a994272793/6023947403358210776;o=1"],
        ],
    ),
    (
        "gcp, example",
        [
            &["traceparent: 00-105445aa7843bc8bf206b12000100000-0000000000000001-01"],
            &["b3: 105445aa7843bc8bf206b12000100000-0000000000000001-1"],
            &[
                "x-b3-sampled: 1",
                "x-b3-spanid: 0000000000000001",
                "x-b3-traceid: 105445aa7843bc8bf206b12000100000",
            ],
            &["uber-trace-id: 105445aa7843bc8bf206b12000100000:0000000000000001:0:1"],
            &[
                "x-datadog-parent-id: 1",
                "x-datadog-sampling-priority: 1",
                "x-datadog-tags: _dd.p.tid=105445aa7843bc8b",
                "x-datadog-trace-id: 17439821358036942848",
            ],
            &["x-amzn-trace-id: Root=1-105445aa-7843bc8bf206b12000100000;Parent=0000000000000001;Sampled=1"],
            &["x-cloud-trace-context: 105445aa7843bc8bf206b12000100000/1;o=1"],
        ],
    ),
    (
        "an id of 64 bits: the lower half of the w3c example",
        [
            &["traceparent: 00-0000000000000000a3ce929d0e0e4736-00f067aa0ba902b7-01"],
            &["b3: a3ce929d0e0e4736-00f067aa0ba902b7-1"],
            &["x-b3-sampled: 1", "x-b3-spanid: 00f067aa0ba902b7", "x-b3-traceid: a3ce929d0e0e4736"],
            &["uber-trace-id: a3ce929d0e0e4736:00f067aa0ba902b7:0:1"],
            &[
                "x-datadog-parent-id: 67667974448284343",
                "x-datadog-sampling-priority: 1",
                "x-datadog-trace-id: 11803532876627986230",
            ],
            &["x-amzn-trace-id: Root=1-00000000-00000000a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"],
            &["x-cloud-trace-context: 0000000000000000a3ce929d0e0e4736/67667974448284343;o=1"],
        ],
    ),
];
