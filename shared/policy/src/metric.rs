//! Declares the metrics of a filter.

use crate::scope::Scope;

#[cfg(not(target_family = "wasm"))]
pub mod documentation;

/// The metrics of a filter: an enum declared with [`metrics!`](crate::metrics!).
pub trait Metric: Copy + 'static {
    /// All metrics, in declaration order.
    const ALL: &'static [Self];

    /// Index in [`Metric::ALL`].
    fn index(self) -> usize;

    /// The definition of the metric.
    fn definition(self) -> Definition;

    /// The help text, for documentation. Not compiled into modules.
    #[cfg(not(target_family = "wasm"))]
    fn help(self) -> String;
}

/// The definition of a metric in the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The last part of the metric's name.
    pub name: &'static str,
    /// The type of the metric.
    pub kind: Kind,
    /// The labels, if the metric has one value for each limit, rule or reason.
    pub labels: &'static [&'static str],
}

/// The label of metrics of a named block.
const BLOCK: &str = "block";

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value that is only incremented.
    Counter,
    /// A value that is set.
    Gauge,
}

impl Definition {
    /// The name in the proxy: `mesh_filters.<filter>.<name>`, with a label
    /// `mesh_filters.<filter>.<label>=.=<value>;.;<name>`, from which Istio extracts the label. `values` are those of the
    /// labels, in their order. In a named block, the label `block` comes first.
    #[must_use]
    pub fn full_name(&self, filter: &str, scope: &Scope, values: &[&str]) -> String {
        let mut name = format!("mesh_filters.{filter}.");
        let block = scope.block().map(|block| (&BLOCK, block));
        for (label, value) in block.into_iter().chain(self.labels.iter().zip(values.iter().copied())) {
            for part in [label, "=.=", value, ";.;"] {
                name.push_str(part);
            }
        }
        name.push_str(self.name);
        name
    }
}

/// Declares the metrics of a filter. The doc comments are the help texts.
///
/// ```
/// use mesh_policy::metric::Metric as _;
/// use mesh_policy::scope::Scope;
///
/// mesh_policy::metrics! {
///     /// The metrics of a filter.
///     pub enum Metric {
///         /// Requests that went on.
///         Allowed: Counter, "allowed" by "limit";
///         /// Keys in the set.
///         Keys: Gauge, "keys";
///     }
/// }
///
/// assert_eq!(
///     Metric::Allowed.definition().full_name("rate_limit", &Scope::default(), &["a"]),
///     "mesh_filters.rate_limit.limit=.=a;.;allowed",
/// );
/// let keys = Metric::Keys.definition().full_name("jwt_authz", &Scope::default(), &[]);
/// assert_eq!(keys, "mesh_filters.jwt_authz.keys");
/// assert_eq!(Metric::Keys.help(), "Keys in the set.");
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $type:ident {
            $($(#[doc = $help:literal])+ $metric:ident: $kind:ident, $name:literal $(by $($label:literal),+)?;)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $type {
            $($(#[doc = $help])+ $metric,)+
        }

        impl $crate::metric::Metric for $type {
            const ALL: &'static [Self] = &[$(Self::$metric),+];

            fn index(self) -> usize {
                self as usize
            }

            fn definition(self) -> $crate::metric::Definition {
                match self {
                    $(Self::$metric => $crate::metric::Definition {
                        name: $name,
                        kind: $crate::metric::Kind::$kind,
                        labels: &[$($($label),+)?],
                    },)+
                }
            }

            #[cfg(not(target_family = "wasm"))]
            fn help(self) -> ::std::string::String {
                match self {
                    $(Self::$metric => concat!($($help),+).trim().to_owned(),)+
                }
            }
        }
    };
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
