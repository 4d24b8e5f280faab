//! The host functions in memory.

use super::counts::{Counts, Phase};
use super::message::Message;
use super::sent::{LocalReply, SentCall};
use crate::abi::{Buffer, HeaderMap, LogLevel, MetricKind, StreamKind};
use crate::status::Status;
use mesh_policy::headers::Headers;
use mesh_testkit::random::SplitMix64;
use std::collections::{BTreeMap, BTreeSet};

type Answer<T> = Result<T, Status>;
type Foreign = Box<dyn FnMut(&[u8]) -> Result<Vec<u8>, Status>>;

/// All that the host knows.
pub(crate) struct State {
    pub(super) phase: Phase,
    pub(super) counts: Counts,
    pub(super) failing: BTreeSet<&'static str>,
    pub(super) log: Vec<(LogLevel, String)>,
    pub(super) log_level: u32,
    pub(super) monotonic: u64,
    pub(super) wall: u64,
    pub(super) random: SplitMix64,
    pub(super) config: Vec<u8>,
    pub(super) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) shared_data: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    pub(super) last_cas: u32,
    pub(super) metrics: Vec<(String, i64)>,
    /// The timer of each root context: its period in nanoseconds and when it fires next.
    pub(super) timers: BTreeMap<u32, (u64, u64)>,
    pub(super) clusters: BTreeSet<String>,
    pub(super) calls: BTreeMap<u32, SentCall>,
    pub(super) last_call: u32,
    /// The headers and the body of the response to the call that is being reported.
    pub(super) call_response: (Pairs, Vec<u8>),
    pub(super) foreign: BTreeMap<String, Foreign>,
    pub(super) effective: u32,
    pub(super) streams: BTreeMap<u32, StreamState>,
    /// The root context of each stream.
    pub(super) roots: BTreeMap<u32, u32>,
}

/// A header map.
pub(super) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// One stream as the proxy sees it.
#[derive(Default)]
pub(crate) struct StreamState {
    pub(super) maps: BTreeMap<u32, Pairs>,
    /// The request's and the response's body and trailers.
    pub(super) messages: [Message; 2],
    /// The request's headers have been sent on: the module can no longer read them.
    pub(super) request_sent: bool,
    pub(super) response_started: bool,
    pub(super) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) edits: Vec<String>,
    pub(super) reply: Option<LocalReply>,
    /// The reply has not been reported to the module yet.
    pub(super) reply_pending: bool,
    pub(super) waiting: [bool; 2],
    pub(super) closed: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Create,
            counts: Counts::default(),
            failing: BTreeSet::new(),
            log: Vec::new(),
            log_level: LogLevel::Info as u32,
            monotonic: 1_000_000_000_000,
            wall: 1_800_000_000_000_000_000,
            random: SplitMix64::new(1),
            config: Vec::new(),
            properties: BTreeMap::new(),
            shared_data: BTreeMap::new(),
            last_cas: 0,
            metrics: Vec::new(),
            timers: BTreeMap::new(),
            clusters: BTreeSet::new(),
            calls: BTreeMap::new(),
            last_call: 0,
            call_response: (Vec::new(), Vec::new()),
            foreign: BTreeMap::new(),
            effective: 0,
            streams: BTreeMap::new(),
            roots: BTreeMap::new(),
        }
    }
}

impl State {
    fn count(&mut self, function: &'static str) -> Answer<()> {
        self.counts.call(self.phase, function);
        if self.failing.contains(function) { Err(Status::InternalFailure) } else { Ok(()) }
    }

    /// Counts a buffer that the host returns; it allocates nothing for an empty one.
    fn returned(&mut self, buffer: Vec<u8>) -> Answer<Vec<u8>> {
        if !buffer.is_empty() {
            self.counts.buffer(self.phase);
        }
        Ok(buffer)
    }

    fn stream(&mut self) -> Answer<&mut StreamState> {
        self.streams.get_mut(&self.effective).ok_or(Status::BadArgument)
    }

    /// The map if the module may read and edit it in this phase.
    fn open_map(&mut self, map: HeaderMap) -> Answer<&mut Pairs> {
        let stream = self.stream()?;
        if map == HeaderMap::Request && stream.request_sent {
            return Err(Status::BadArgument);
        }
        stream.maps.get_mut(&(map as u32)).ok_or(Status::BadArgument)
    }

    fn edited(&mut self, what: &str, name: &[u8], value: &[u8]) -> Answer<()> {
        let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
        let edit = format!("{what} {name}: {value}");
        self.stream()?.edits.push(edit.trim_end_matches(": ").to_owned());
        Ok(())
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: &str) -> Answer<()> {
        self.count("log")?;
        if level as u32 >= self.log_level {
            self.log.push((level, message.to_owned()));
        }
        Ok(())
    }

    pub(crate) fn log_level(&mut self) -> Answer<u32> {
        self.count("get_log_level")?;
        Ok(self.log_level)
    }

    pub(crate) fn monotonic(&mut self) -> Answer<u64> {
        self.count("clock_time_get")?;
        Ok(self.monotonic)
    }

    pub(crate) fn wall(&mut self) -> Answer<u64> {
        self.count("clock_time_get")?;
        Ok(self.wall)
    }

    pub(crate) fn random(&mut self, bytes: &mut [u8]) -> Answer<()> {
        self.count("random_get")?;
        for chunk in bytes.chunks_mut(8) {
            let number = self.random.roll().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }

    pub(crate) fn buffer(&mut self, buffer: Buffer, start: usize, max_size: usize) -> Answer<Vec<u8>> {
        self.count("get_buffer_bytes")?;
        let bytes = match buffer {
            Buffer::RequestBody => self.stream()?.messages[0].part.clone(),
            Buffer::ResponseBody => self.stream()?.messages[1].part.clone(),
            Buffer::HttpCallResponseBody | Buffer::GrpcReceive => self.call_response.1.clone(),
            Buffer::PluginConfiguration => self.config.clone(),
        };
        let part = bytes.into_iter().skip(start).take(max_size).collect();
        self.returned(part)
    }

    pub(crate) fn set_buffer(
        &mut self,
        buffer: Buffer,
        start: usize,
        length: usize,
        data: &[u8],
    ) -> Answer<()> {
        self.count("set_buffer_bytes")?;
        let body = match buffer {
            Buffer::RequestBody => &mut self.stream()?.messages[0].part,
            Buffer::ResponseBody => &mut self.stream()?.messages[1].part,
            _ => return Err(Status::BadArgument),
        };
        let end = start.saturating_add(length).min(body.len());
        body.splice(start.min(end)..end, data.iter().copied());
        Ok(())
    }

    pub(crate) fn map(&mut self, map: HeaderMap) -> Answer<Vec<u8>> {
        self.count("get_header_map_pairs")?;
        let pairs = if map == HeaderMap::HttpCallResponse {
            self.call_response.0.clone()
        } else {
            // A map that cannot be read in this phase is an empty one.
            self.open_map(map).map(|pairs| pairs.clone()).unwrap_or_default()
        };
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
        let serialized = crate::pairs::serialize(pairs.into_iter())?;
        self.returned(serialized)
    }

    pub(crate) fn map_value(&mut self, map: HeaderMap, name: &[u8]) -> Answer<Vec<u8>> {
        self.count("get_header_map_value")?;
        let value =
            self.open_map(map)?.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        let value = value.ok_or(Status::NotFound)?;
        self.returned(value)
    }

    pub(crate) fn add_map_value(&mut self, map: HeaderMap, name: &[u8], value: &[u8]) -> Answer<()> {
        self.count("add_header_map_value")?;
        self.open_map(map)?.push((name.to_vec(), value.to_vec()));
        self.edited("add", name, value)
    }

    pub(crate) fn replace_map_value(&mut self, map: HeaderMap, name: &[u8], value: &[u8]) -> Answer<()> {
        self.count("replace_header_map_value")?;
        let pairs = self.open_map(map)?;
        match pairs.iter_mut().find(|(found, _)| found == name) {
            Some((_, first)) => *first = value.to_vec(),
            None => pairs.push((name.to_vec(), value.to_vec())),
        }
        self.edited("replace", name, value)
    }

    pub(crate) fn remove_map_value(&mut self, map: HeaderMap, name: &[u8]) -> Answer<()> {
        self.count("remove_header_map_value")?;
        self.open_map(map)?.retain(|(found, _)| found != name);
        self.edited("remove", name, b"")
    }

    pub(crate) fn send_local_response(
        &mut self,
        status: u16,
        details: &[u8],
        body: &[u8],
        headers: &[u8],
        grpc_status: i32,
    ) -> Answer<()> {
        self.count("send_local_response")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = Headers::parse(headers.to_vec()).map_err(|_| Status::ParseFailure)?;
        let headers = headers.iter().map(|(name, value)| (text(name), text(value))).collect();
        let stream = self.stream()?;
        stream.reply =
            Some(LocalReply { status, details: text(details), headers, body: text(body), grpc_status });
        stream.reply_pending = true;
        Ok(())
    }

    pub(crate) fn continue_stream(&mut self, stream: StreamKind) -> Answer<()> {
        self.count("continue_stream")?;
        let direction = stream as usize;
        let stream = self.stream()?;
        stream.waiting[direction] = false;
        stream.messages[direction].is_released = true;
        Ok(())
    }

    pub(crate) fn close_stream(&mut self, _stream: StreamKind) -> Answer<()> {
        self.count("close_stream")?;
        self.stream()?.closed = true;
        Ok(())
    }

    pub(crate) fn set_effective_context(&mut self, context: u32) -> Answer<()> {
        self.count("set_effective_context")?;
        if !self.streams.contains_key(&context) {
            return Err(Status::BadArgument);
        }
        self.effective = context;
        Ok(())
    }

    pub(crate) fn set_tick_period(&mut self, milliseconds: u32) -> Answer<()> {
        self.count("set_tick_period_milliseconds")?;
        let period = u64::from(milliseconds) * 1_000_000;
        let root = self.roots.get(&self.effective).copied().unwrap_or(self.effective);
        if milliseconds == 0 {
            self.timers.remove(&root);
        } else {
            self.timers.insert(root, (period, self.monotonic + period));
        }
        Ok(())
    }

    pub(crate) fn property(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        self.count("get_property")?;
        let filter_state = path.strip_prefix(b"filter_state\0wasm.");
        let value = match filter_state {
            Some(key) => self.stream()?.filter_state.get(key).cloned(),
            None => None,
        };
        // Filter state of another plugin is an attribute, too.
        let value = value.or_else(|| self.properties.get(path).cloned());
        let value = value.ok_or(Status::NotFound)?;
        self.returned(value)
    }

    pub(crate) fn set_property(&mut self, path: &[u8], value: &[u8]) -> Answer<()> {
        self.count("set_property")?;
        let stream = self.stream().map_err(|_| Status::NotFound)?;
        stream.filter_state.insert(path.to_vec(), value.to_vec());
        Ok(())
    }

    pub(crate) fn shared_data(&mut self, key: &[u8]) -> Answer<(Vec<u8>, u32)> {
        self.count("get_shared_data")?;
        let (value, cas) = self.shared_data.get(key).cloned().ok_or(Status::NotFound)?;
        Ok((self.returned(value)?, cas))
    }

    pub(crate) fn set_shared_data(&mut self, key: &[u8], value: &[u8], cas: u32) -> Answer<()> {
        self.count("set_shared_data")?;
        if self.shared_data.get(key).is_some_and(|(_, current)| cas != 0 && cas != *current) {
            return Err(Status::CasMismatch);
        }
        self.last_cas += 1;
        self.shared_data.insert(key.to_vec(), (value.to_vec(), self.last_cas));
        Ok(())
    }

    pub(crate) fn define_metric(&mut self, _kind: MetricKind, name: &[u8]) -> Answer<u32> {
        self.count("define_metric")?;
        self.metrics.push((String::from_utf8_lossy(name).into_owned(), 0));
        Ok(u32::try_from(self.metrics.len() - 1).unwrap())
    }

    pub(crate) fn increment_metric(&mut self, id: u32, offset: i64) -> Answer<()> {
        self.count("increment_metric")?;
        let metric = self.metrics.get_mut(id as usize).ok_or(Status::BadArgument)?;
        metric.1 += offset;
        Ok(())
    }

    pub(crate) fn record_metric(&mut self, id: u32, value: u64) -> Answer<()> {
        self.count("record_metric")?;
        let metric = self.metrics.get_mut(id as usize).ok_or(Status::BadArgument)?;
        metric.1 = i64::try_from(value).map_err(|_| Status::BadArgument)?;
        Ok(())
    }

    pub(crate) fn metric(&mut self, id: u32) -> Answer<u64> {
        self.count("get_metric")?;
        let (_, value) = self.metrics.get(id as usize).ok_or(Status::BadArgument)?;
        // Like Envoy, which counts below zero as unsigned.
        Ok(value.cast_unsigned())
    }

    pub(crate) fn http_call(
        &mut self,
        cluster: &[u8],
        headers: &[u8],
        body: &[u8],
        _timeout_milliseconds: u32,
    ) -> Answer<u32> {
        self.count("http_call")?;
        let headers = Headers::parse(headers.to_vec()).map_err(|_| Status::BadArgument)?;
        let path = String::from_utf8_lossy(headers.target()).into_owned();
        self.send_call(cluster, path, body, Status::BadArgument)
    }

    pub(crate) fn grpc_call(
        &mut self,
        cluster: &[u8],
        service: &[u8],
        method: &[u8],
        message: &[u8],
        _timeout_milliseconds: u32,
    ) -> Answer<u32> {
        self.count("grpc_call")?;
        let path = format!("/{}/{}", String::from_utf8_lossy(service), String::from_utf8_lossy(method));
        self.send_call(cluster, path, message, Status::ParseFailure)
    }

    fn send_call(&mut self, cluster: &[u8], path: String, body: &[u8], missing: Status) -> Answer<u32> {
        let cluster = String::from_utf8_lossy(cluster).into_owned();
        if !self.clusters.contains(&cluster) {
            return Err(missing);
        }
        self.last_call += 1;
        self.calls
            .insert(self.last_call, SentCall { id: self.last_call, cluster, path, body: body.to_vec() });
        Ok(self.last_call)
    }

    pub(crate) fn call_foreign_function(&mut self, name: &[u8], argument: &[u8]) -> Answer<Vec<u8>> {
        self.count("call_foreign_function")?;
        let function = std::str::from_utf8(name).ok().and_then(|name| self.foreign.get_mut(name));
        let returned = function.ok_or(Status::NotFound)?(argument)?;
        self.returned(returned)
    }
}
