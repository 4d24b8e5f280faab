//! Headers of formats, as the tables have them.

/// The headers of a format, each as a line.
pub(super) type Lines = &'static [&'static str];

/// Index of a format in `FORMATS`.
pub(super) const W3C: usize = 0;
pub(super) const B3: usize = 1;
pub(super) const B3_MULTI: usize = 2;
pub(super) const JAEGER: usize = 3;
pub(super) const DATADOG: usize = 4;
pub(super) const XRAY: usize = 5;
pub(super) const GCP: usize = 6;
