//! stub
use crate::headers::HeaderValue;
use mesh_config::kinds::string;
mesh_config::object! {
    /// stub
    #[derive(Clone, Debug)]
    pub struct SetCookie {
        /// n
        name: String = required(string()),
    }
}
impl SetCookie {
    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn header(&self, value: &str) -> Option<HeaderValue> {
        HeaderValue::new(value)
    }
}
