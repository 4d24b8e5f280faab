//! All that is measured, and the report of it.

use super::costs::Costs;
use super::latency::Latency;
use super::listeners::Modules;
use super::machine::Machine;
use super::memory::Memory;
use super::push::Push;
use super::sizes::Sizes;
use super::{latency, listeners, memory, push, rounds, text};
use crate::bench::effort::Effort;

/// All that is measured.
pub(super) struct Findings {
    effort: Effort,
    machine: Machine,
    pub(super) costs: Costs,
    sizes: Sizes,
    memory: Memory,
    pushes: Vec<Push>,
    latencies: Vec<Latency>,
}

impl Findings {
    /// Measures everything.
    pub(super) async fn measure(modules: &Modules, effort: Effort) -> anyhow::Result<Self> {
        let rows = listeners::all(modules)?;
        let samples = rounds::measure(&rows, effort).await?;
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        Ok(Self {
            effort,
            machine: Machine::read()?,
            costs: Costs::of(&names, &samples)?,
            sizes: Sizes::of(modules)?,
            memory: Memory::measure(modules).await?,
            pushes: push::measure(modules).await?,
            latencies: latency::measure(modules).await?,
        })
    }

    /// What the figures belong to.
    fn context(&self) -> String {
        let Machine { cores, model, envoy } = &self.machine;
        let model = model.as_ref().map_or_else(String::new, |model| format!(" ({model})"));
        let Effort { rounds, requests } = self.effort;
        format!(
            "Envoy {envoy}, {cores} cores{model}, {rounds} rounds of {requests} requests for each listener.\n"
        )
    }

    /// The report, in Markdown. `chart`: the file to show, beside the report.
    pub(super) fn report(&self, chart: Option<&str>) -> String {
        let chart = chart.map_or_else(String::new, |file| {
            format!("![Processor time that each listener adds to a request]({file})\n\n")
        });
        [
            format!("{}\n", self.context()),
            "## Processor time of a request\n\n".to_owned(),
            chart,
            COSTS.to_owned(),
            text::costs(&self.costs),
            "\n".to_owned(),
            text::comparisons(&self.costs),
            format!("\n## Memory\n\n{}", memory_method()),
            text::memory(&self.memory),
            "\n## Sizes\n\n".to_owned(),
            text::sizes(&self.sizes),
            format!("\n## From a push to the first request\n\n{PUSHES}"),
            text::pushes(&self.pushes),
            format!("\n## Time of a request at half of the load that is possible\n\n{LATENCIES}"),
            text::latencies(&self.latencies),
        ]
        .concat()
    }
}

const COSTS: &str = "\
All listeners are in one Envoy with one worker, their routes answer, and they get the same requests: a `traceparent`, an RS256
token of 850 bytes that is in the cache, five other headers. The figure is the time that the scheduler counts for Envoy's threads,
divided by the requests. Each round measures every listener once, in a random order, and the one without a filter three times.
What a listener adds is the median over the rounds of its difference to the one without a filter. The intervals are those of the
sign test: they have the true median with at least 95 % confidence. A ratio is the median of the rounds' ratios.

- The suite has five blocks: `trace_context`, which passes the trace on; `jwt_authz`, which forwards the token and has a rule on
  a claim; `rate_limit` with a limit by the claim `sub`, without response headers; `canary` with a sticky split by `sub`; `fault`
  with a rule by a header that no request has.
- \"five modules\" has the same configs in a module and a VM each, with `sub` in filter state.
- A filter alone has no claims: limit and split are by a header.
- The native chain is `local_ratelimit` with one bucket, `jwt_authn` with a cache and its payload in metadata, `rbac` on a claim,
  `fault` with a header, `header_to_metadata`. The one that steers also writes a header from a claim and clears the route cache.
- F is a module written by hand that has no code. Envoy enters it three times for each request, which is the least that any
  module costs.

";

fn memory_method() -> String {
    format!(
        "An Envoy with this listener only, after {} requests; the median of {} starts. Resident is what the system counts for the\n\
         process. Part of it is free, and kept by Envoy's allocator since V8 compiled the modules: \"in use\" is without that.\n\n",
        memory::REQUESTS,
        memory::STARTS
    )
}

const PUSHES: &str = "\
Envoy reads its listeners from a file, with one worker. The time is from replacing the file until a new connection gets an
answer of the new listener. New modules are the same ones with other bytes, which V8 has to compile.

";

const LATENCIES: &str = "\
\"Most requests\" is what 64 streams in a closed loop get from one worker, with the client on the same machine; where the worker is
not busy, the client is what limits it. Then requests come at random (a Poisson process) at half of that rate. A time counts from
when the request was due, and includes what the client itself takes: compare with the listener without a filter.

";
