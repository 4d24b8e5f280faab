//! The form in which the tests run the filters: each in a module of its own, or each as a block of the suite.

use mesh_filters::module::Module;
use mesh_filters::registry::{self, Filter, SUITE};
use serde_json::{Value, json};
use std::env;
use std::ffi::OsStr;
use std::sync::LazyLock;

/// The environment variable that names the form.
const VARIABLE: &str = "FORM";

/// In which module a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In the filter's own module. The default.
    Module,
    /// In the suite, as its only block.
    Suite,
}

/// A plugin in one of the forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formed {
    pub(crate) module: Module,
    /// The field of a block that has the filter's config.
    pub(crate) block: Option<String>,
}

impl Form {
    /// The form of this run, from the environment variable `FORM`.
    ///
    /// # Panics
    /// If the variable has another value than `module` and `suite`.
    #[must_use]
    pub fn of_tests() -> Self {
        static FORM: LazyLock<Form> = LazyLock::new(|| {
            Form::named(env::var_os(VARIABLE).as_deref())
                .unwrap_or_else(|problem| panic!("{VARIABLE}: {problem}"))
        });
        *FORM
    }

    fn named(variable: Option<&OsStr>) -> Result<Self, String> {
        let Some(word) = variable else { return Ok(Self::Module) };
        match word.to_str() {
            Some("module") => Ok(Self::Module),
            Some("suite") => Ok(Self::Suite),
            _ => Err(format!("found `{}`, expected `module` or `suite`", word.to_string_lossy())),
        }
    }

    /// Where a filter's problems with a field of its config are, in the words of its module.
    #[must_use]
    pub fn path(self, filter: Filter, field: &str) -> String {
        match self.of(filter.module()).block {
            Some(block) => format!("filters[0].{block}.{field}"),
            None => field.to_owned(),
        }
    }

    /// Brings a plugin of one of `envoy-configs/envoy` into this form: an object with `vm_config` and `configuration`.
    /// Builds the module.
    ///
    /// # Panics
    /// If it is no such object, or not one of a filter's own module, or the module cannot be built.
    pub fn apply(self, plugin: &mut Value, filter: Filter) {
        let formed = self.of(filter.module());
        let module = formed.module.build().unwrap();
        let file = plugin.pointer_mut("/vm_config/code/local/filename").unwrap();
        assert_eq!(*file, json!(filter.module().path()));
        *file = json!(module);
        let text = plugin.pointer_mut("/configuration/value").unwrap();
        let config: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        *text = json!(formed.config(&config).to_string());
    }

    /// A module of a filter in this form. Other modules have one form only.
    pub(crate) fn of(self, module: Module) -> Formed {
        let is_of_filter = registry::modules().any(|filter| filter == module) && module != SUITE.module();
        match self {
            Self::Suite if is_of_filter => {
                Formed { module: SUITE.module(), block: Some(module.name().replace('-', "_")) }
            }
            _ => Formed { module, block: None },
        }
    }
}

impl Formed {
    /// The config of the module for this config of the filter. `$schema` belongs to a whole file, so a block has none.
    pub(crate) fn config(&self, filter: &Value) -> Value {
        let mut filter = filter.clone();
        let Some(block) = &self.block else { return filter };
        if let Some(fields) = filter.as_object_mut() {
            fields.remove("$schema");
        }
        json!({"filters": [{block: filter}]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_filters::module::PROBE;
    use mesh_filters::registry::{JWT_AUTHZ, RATE_LIMIT};

    #[test]
    fn a_form_has_a_name_and_a_mistyped_one_is_an_error() {
        let named = |word: &str| Form::named(Some(OsStr::new(word)));
        assert_eq!(Form::named(None), Ok(Form::Module));
        assert_eq!(named("module"), Ok(Form::Module));
        assert_eq!(named("suite"), Ok(Form::Suite));
        for word in ["", "Suite", "suit", "suite ", "own", "1"] {
            assert_eq!(named(word), Err(format!("found `{word}`, expected `module` or `suite`")));
        }
    }

    #[test]
    fn a_filter_is_a_block_of_the_suite_and_other_modules_stay() {
        let config = json!({"a": 1});
        for filter in registry::FILTERS {
            let module = Form::Module.of(filter.module());
            assert_eq!((module.module, module.config(&config)), (filter.module(), config.clone()));
            assert_eq!(Form::Suite.of(filter.module()).module, SUITE.module());
        }
        let block = json!({"filters": [{"jwt_authz": config}]});
        let with_schema = json!({"$schema": "../schema.json", "a": 1});
        for config in [&config, &with_schema] {
            assert_eq!(Form::Suite.of(JWT_AUTHZ.module()).config(config), block);
            assert_eq!(Form::Module.of(JWT_AUTHZ.module()).config(config), *config);
        }
        for other in [PROBE, SUITE.module()] {
            assert_eq!(Form::Suite.of(other), Formed { module: other, block: None });
        }
        assert_eq!(Form::Suite.path(RATE_LIMIT, "capacity"), "filters[0].rate_limit.capacity");
        assert_eq!(Form::Module.path(RATE_LIMIT, "capacity"), "capacity");
    }
}
