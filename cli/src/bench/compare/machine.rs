//! What the figures belong to.

use crate::envoy::locate;

/// The machine, and the Envoy.
pub(super) struct Machine {
    pub(super) cores: usize,
    /// The processor's model, if the system tells it.
    pub(super) model: Option<String>,
    /// Envoy's version.
    pub(super) envoy: String,
}

impl Machine {
    /// This one.
    pub(super) fn read() -> anyhow::Result<Self> {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            model: model(&info),
            envoy: locate::envoy()?.version.to_string(),
        })
    }
}

/// The processor's model in `/proc/cpuinfo`.
fn model(info: &str) -> Option<String> {
    let named = |line: &str| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then(|| value.trim().to_owned())
    };
    info.lines().find_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_that_of_the_first_core() {
        let info = "processor\t: 0\nmodel name\t: A B\n\nprocessor\t: 1\nmodel name\t: C\n";
        assert_eq!(model(info).as_deref(), Some("A B"));
        assert_eq!(model("processor: 0"), None);
    }
}
