//! `mesh-filters`: builds the filters' modules and runs them in a real Envoy.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use mesh_filters::bench::Effort;
use mesh_filters::registry::{self, FILTERS, Filter};
use mesh_filters::{bench, check, demo, schema, workspace};

/// WebAssembly filters for Envoy and Istio.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the modules into dist/<filter>.wasm.
    ///
    /// Builds are reproducible: the same source gives the same bytes on any machine. Also creates dist/keys/,
    /// the demo's key pair, if it does not exist; docker compose serves its public half.
    Build {
        /// The filters to build; all of them by default.
        #[arg(value_parser = filter())]
        filters: Vec<Filter>,
    },
    /// Run the filters in a real Envoy and print curl commands to try them.
    ///
    /// Uses the first of: the binary $ENVOY; version $ENVOY_VERSION; `envoy` on PATH, if its version is supported;
    /// version 1.40.0. A version that is not installed is installed under target/. Uses the ports of envoy-configs/envoy/demo.yaml, or a free one where such a
    /// port is taken.
    Demo {
        /// Run the commands, print the responses, and fail if one is not as expected.
        #[arg(long)]
        check: bool,
        /// Check a gateway that is running already, on this host and the ports of the files (for docker
        /// compose: `localhost`). It must have been started for this check: limits keep their levels.
        #[arg(long, value_name = "HOST", requires = "check")]
        against: Option<String>,
    },
    /// Check a filter's config and print every problem, one per line.
    ///
    /// Uses the module's own parser. Exits with 1 if there is a problem.
    Check {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Filter,
        /// The config, a JSON file; `-` is standard input.
        config: PathBuf,
    },
    /// Print the JSON Schema of a filter's config (draft 2020-12).
    ///
    /// Editors take it from `"$schema"` at the top of a JSON config, or from a comment
    /// `# yaml-language-server: $schema=…` in YAML.
    Schema {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Filter,
        /// Print the Markdown tables of the filter's README instead.
        #[arg(long)]
        table: bool,
        /// Print the part on metrics of the filter's README instead.
        #[arg(long, conflicts_with = "table")]
        metrics: bool,
    },
    /// Measure the cost of a filter, beside Envoy's own filter and an empty Wasm module; without a filter, of all
    /// of them and of the suite, beside five modules and Envoy's own five filters.
    ///
    /// The figures are steadiest on an idle machine. Quote ratios, not absolute figures.
    Bench {
        /// The filter.
        #[arg(value_parser = filter())]
        filter: Option<Filter>,
        /// Also measure an older build, `<FOLDER>/<filter>.wasm`, in turns with the present one, and print
        /// the ratio of the two.
        #[arg(long, value_name = "FOLDER", requires = "filter")]
        against: Option<PathBuf>,
        /// Write what was measured into docs/benchmarks.md, with a chart.
        #[arg(long, conflicts_with = "filter")]
        write: bool,
        /// Number of rounds; each round measures every listener. For a filter 30 by default, of which the lowest
        /// third of the samples counts; else 60, all of which count.
        #[arg(long)]
        rounds: Option<usize>,
        /// Requests per listener and round. 10000 by default for a filter, else 1500.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        requests: Option<u64>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build { filters } => build(&filters),
        Command::Demo { against: Some(host), .. } => demo::check_against(&host),
        Command::Demo { check: true, .. } => demo::check(),
        Command::Demo { .. } => demo::show(),
        Command::Check { filter, config } => check::check(filter, &config),
        Command::Schema { filter, table, metrics } => Ok(schema::schema(filter, table, metrics)),
        Command::Bench { filter: Some(filter), against, rounds, requests, .. } => {
            let effort = Effort::FILTER.or(rounds, requests);
            filter.bench(against.as_deref(), effort).map(|()| ExitCode::SUCCESS)
        }
        Command::Bench { filter: None, write, rounds, requests, .. } => {
            bench::compare(Effort::COMPARISON.or(rounds, requests), write).map(|()| ExitCode::SUCCESS)
        }
    }
}

fn build(filters: &[Filter]) -> anyhow::Result<ExitCode> {
    for filter in if filters.is_empty() { &FILTERS } else { filters } {
        let path = filter.module().build()?;
        let size = std::fs::metadata(&path)?.len();
        println!("{} ({size} bytes)", path.strip_prefix(workspace::root()).unwrap_or(&path).display());
    }
    demo::keys::prepare()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the name of a filter.
fn filter() -> impl TypedValueParser<Value = Filter> {
    PossibleValuesParser::new(registry::names())
        .try_map(|name| registry::find(&name).with_context(|| format!("there is no filter `{name}`")))
}
