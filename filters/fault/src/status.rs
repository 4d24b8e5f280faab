//! Statuses of responses.

use std::ops::RangeInclusive;

/// Those that a fault may give to a response.
pub(crate) const STATUSES: RangeInclusive<u64> = 200..=599;

/// Whether a response with this status has no content (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). A client would take
/// content for the next response.
pub(crate) const fn has_no_content(status: u16) -> bool {
    matches!(status, 204 | 205 | 304)
}
