//! What is recorded of a verdict.

mod claims;

use super::{Adapter, PolicyFilter};
use crate::testing::{Host, Proxy};
use mesh_config::Problems;
use mesh_policy::effects::GrpcStatus;
use mesh_policy::facts::{Facts, Needs};
use mesh_policy::label::Label;
use mesh_policy::mode::Mode;
use mesh_policy::policy::{self, Decide, Environment, Part, Setup};
use mesh_policy::reason::Class;
use mesh_policy::refusal::Refusal;
use mesh_policy::report::Report;
use mesh_policy::scope::{Block, Scope};
use mesh_policy::settings::{DecisionLog, Settings};
use mesh_policy::store::Store;
use mesh_policy::verdict::{Count, Decision, Verdict};

mesh_policy::reasons! {
    NO: Class::new(503, GrpcStatus::Unavailable), "no", "no";
}

mesh_policy::metrics! {
    /// The metrics.
    enum Metric {
        /// Requests that were refused.
        Refused: Counter, "refused";
    }
}

/// Refuses every request. Its config lists `shadow`, and `words` if it words the decision itself.
struct Refuses {
    settings: Settings,
    words: bool,
    needs: Needs,
}

impl Refuses {
    fn new(config: &str) -> Self {
        let mode = if config.contains("shadow") { Mode::Shadow } else { Mode::Enforce };
        let decision_log = if config.contains("all") { DecisionLog::All } else { DecisionLog::Notable };
        let settings = Settings { mode, decision_log, ..Settings::default() };
        Self { settings, words: config.contains("words"), needs: Needs::default() }
    }
}

impl policy::Policy for Refuses {
    const NAME: &'static str = "refuses-all";
    type Metric = Metric;

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn unreadable(&self, _part: Part) -> Verdict<'_, Metric> {
        let decision = Decision { label: Label::of("injected").about("own"), is_notable: true };
        Verdict {
            decision: Some(decision).filter(|_| self.words),
            counts: vec![Count::of(Metric::Refused)],
            ..Refusal::new(NO, Label::of("refused").about("no")).into()
        }
    }
}

impl Decide for Refuses {
    type Config = String;

    fn read(config: &[u8]) -> Result<String, Problems> {
        Ok(String::from_utf8_lossy(config).into_owned())
    }

    fn build(config: String, _setup: &mut impl Setup) -> Result<Self, Problems> {
        Ok(Self::new(&config))
    }

    fn decide(&self, _facts: &Facts<'_>, _environment: Environment<'_, impl Store>) -> Verdict<'_, Metric> {
        policy::Policy::unreadable(self, Part::Headers)
    }
}

/// `details`: those of the reply; none in shadow mode.
#[track_caller]
fn check(config: &str, details: Option<&str>, decision: &str) {
    let proxy = Proxy::<PolicyFilter<Refuses>>::start(config);
    let stream = proxy.request(&[]);
    assert_eq!(stream.reply().map(|reply| reply.details).as_deref(), details);
    assert_eq!(stream.filter_state("refuses_all_decision").as_deref(), Some(decision));
    assert_eq!(proxy.host().metric("mesh_filters.refuses_all.refused"), 1);
    stream.end();
}

#[test]
fn a_refusal_is_the_decision_unless_the_verdict_has_one() {
    check("", Some("refused{no}"), "refused{no}");
    check("shadow", None, "shadow_denied{no}");
    check("words", Some("refused{no}"), "injected{own}");
    check("words, shadow", None, "injected{own}");
}

/// A stream in effect, and an adapter: what it writes to the filter state.
fn recorded(config: &str, act: impl FnOnce(&Adapter<Refuses>, Host)) -> Option<String> {
    let proxy = Proxy::<PolicyFilter<Refuses>>::start("shadow");
    let stream = proxy.request(&[]);
    let adapter = Adapter::new(Refuses::new(config), &Scope::default());
    act(&adapter, proxy.host());
    assert_eq!(stream.reply(), None);
    let recorded = stream.filter_state("refuses_all_decision");
    stream.end();
    recorded
}

#[test]
fn a_decision_replaces_an_earlier_one() {
    assert_eq!(recorded("", |_, _| ()).as_deref(), Some("shadow_denied{no}"));
    assert_eq!(recorded("", |adapter, _| adapter.record("delay{a}:30ms")).as_deref(), Some("delay{a}:30ms"));
}

#[test]
fn a_report_counts_and_records_and_carries_nothing_out() {
    let verdict = |is_notable| Verdict {
        decision: Some(Decision { label: Label::of("truncate").about("a"), is_notable }),
        counts: vec![Count::of(Metric::Refused)],
        warnings: vec!["unusual".to_owned()],
        ..Refusal::new(NO, Label::of("refused").about("no")).into()
    };
    let report = |config, is_notable| {
        recorded(config, |adapter, host| {
            adapter.report(&verdict(is_notable));
            assert_eq!(host.metric("mesh_filters.refuses_all.refused"), 2);
            assert!(host.log().iter().any(|line| line.ends_with("unusual")));
        })
    };
    assert_eq!(report("", true).as_deref(), Some("truncate{a}"));
    assert_eq!(report("", false).as_deref(), Some("shadow_denied{no}"));
    assert_eq!(report("all", false).as_deref(), Some("truncate{a}"));
}

/// Whatever a client has sent.
#[test]
fn any_number_is_counted_in_one_call() {
    recorded("", |adapter, host| {
        let counts = |number| vec![Count::of(Metric::Refused).times(number)];
        host.reset_counts();
        adapter.report(&Verdict { counts: counts(3), ..Verdict::default() });
        adapter.carry_out_report(&Report { counts: counts(4), ..Report::default() });
        adapter.report(&Verdict { counts: counts(0), ..Verdict::default() });
        assert_eq!(host.metric("mesh_filters.refuses_all.refused"), 1 + 3 + 4);
        assert_eq!(host.counts().matches("increment_metric").count(), 1, "{}", host.counts());
        assert!(host.counts().contains("2 increment_metric"), "{}", host.counts());
    });
}

/// Whose counters and decisions a named block has.
#[test]
fn a_named_block_has_counters_and_decisions_of_its_own() {
    let proxy = Proxy::<PolicyFilter<Refuses>>::start("shadow");
    let stream = proxy.request(&[]);
    let block = Scope::new("p".to_owned(), Block::new("by-user"));
    let adapter = Adapter::new(Refuses::new(""), &block);
    adapter.report(&policy::Policy::unreadable(adapter.policy(), Part::Headers));
    adapter.record("seen");
    assert_eq!(proxy.host().metric("mesh_filters.refuses_all.block=.=by-user;.;refused"), 1);
    assert_eq!(proxy.host().metric("mesh_filters.refuses_all.refused"), 1);
    assert_eq!(stream.filter_state("by_user_decision").as_deref(), Some("seen"));
    assert_eq!(stream.filter_state("refuses_all_decision").as_deref(), Some("shadow_denied{no}"));
    stream.end();
}

/// Only the access log lacks it.
#[test]
fn a_decision_that_cannot_be_written_is_dropped() {
    let proxy = Proxy::<PolicyFilter<Refuses>>::start("");
    proxy.host().fail("set_property");
    let stream = proxy.request(&[]);
    assert!(stream.reply().is_some() && stream.filter_state("refuses_all_decision").is_none());
    stream.end();
}
