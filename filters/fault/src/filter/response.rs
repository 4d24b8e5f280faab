//! The faults of responses.

use super::FaultFilter;
use super::stream::Faulted;
use crate::policy::{Answer, Course, FaultKind, Kinds, Metric};
use mesh_host::{Pending, ProxySources, Response, Status, clock};
use mesh_policy::time::Nanos;
use mesh_policy::verdict::{Count, Verdict};

impl FaultFilter {
    /// Changes a response. Returns the instant until which it waits.
    pub(super) fn change(
        &self,
        pending: &mut Pending,
        faulted: &mut Faulted,
        response: &Response<'_>,
    ) -> Option<Nanos> {
        let fault = faulted.fault;
        faulted.is_answered = true;
        let Ok(course) = self.course(faulted, response) else {
            self.count_failure();
            return None;
        };
        if !course.kinds.is_empty() && self.policy().has_expired(&mut ProxySources) {
            self.adapter.metrics().counter(Metric::Expired, 0).increment();
            return None;
        }
        if course.holds() {
            match self.take_place(|time| response.tick_after(time)) {
                Ok(true) => faulted.has_place = true,
                Ok(false) => {
                    let mut overflow = self.policy().overflow(fault.cause);
                    // The delay of the request is recorded.
                    overflow.decision.take_if(|_| fault.delay.is_some());
                    self.adapter.report(&overflow);
                    return None;
                }
                Err(_) => {
                    self.count_failure();
                    return None;
                }
            }
        }
        if course.kinds.is_empty() {
            return None;
        }
        let counts: Vec<Count<Metric>> =
            self.policy().counted(Metric::Faults, fault.cause, course.kinds).collect();
        self.adapter.report(&Verdict { counts, ..Verdict::default() });
        let delayed = fault.delay.map(|_| FaultKind::Delay);
        let kinds: Kinds = delayed.into_iter().chain(course.kinds.iter()).collect();
        self.adapter.record(&self.policy().label(fault.cause, kinds));
        pending.edit_response_first(course.edits);
        faulted.max_bytes = course.max_bytes;
        faulted.throttle = course.throttle;
        if course.until.is_none() {
            self.start_body(faulted);
        }
        course.until
    }

    fn course(&self, faulted: &Faulted, response: &Response<'_>) -> Result<Course, Status> {
        let details = response.attribute(&["response", "code_details"])?.unwrap_or_default();
        let status = response.status()?.unwrap_or_default();
        let content_length = response.first_header("content-length")?;
        let marker = self.policy().config().marker.response_header.as_ref();
        let marked = marker.map(|marker| response.first_header(marker.as_str())).transpose()?.flatten();
        let answer = Answer {
            details: &details,
            status: &status,
            content_length: content_length.as_deref(),
            is_marked: marked.is_some(),
            ends: response.end_of_stream(),
            began: faulted.began,
            now: clock::now()?,
        };
        Ok(self.policy().course(&faulted.fault, &answer))
    }

    /// The headers of a response are sent on.
    pub(super) fn start_body(&self, faulted: &mut Faulted) {
        match (&mut faulted.throttle, clock::now()) {
            (Some(throttle), Ok(now)) => throttle.start(now),
            _ => {
                faulted.throttle = None;
                self.give_back(faulted);
            }
        }
    }

    /// The instant until which a part of a body waits, if that is to come. Without one, what has ended needs no place.
    pub(super) fn held_until(&self, faulted: &mut Faulted, due: Option<Nanos>) -> Option<Nanos> {
        let until = due.filter(|due| clock::now().is_ok_and(|now| now < *due));
        if until.is_none() && faulted.has_ended {
            self.give_back(faulted);
        }
        until
    }
}
