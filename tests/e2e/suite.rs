//! What only the suite has: several blocks, and their routes.

mod configs;
mod routes;
