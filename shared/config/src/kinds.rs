//! The kinds that configs are made of.

mod any;
mod choice;
mod either;
mod entries;
mod inheriting;
mod linked;
mod list;
mod nested;
mod number;
mod object;
mod text;

pub use any::{Any, any};
pub use choice::{Choice, Word, choice};
pub use either::{Either, Hint, either, hint};
pub use entries::{Entries, entries};
pub use inheriting::{Inheriting, inheriting};
pub use linked::{Linked, linked};
pub use list::{List, list};
pub use nested::{Nested, nested};
pub use number::{Boolean, Decimal, Integer, Length, Number, boolean, decimal, duration, integer, number};
pub use object::{Object, Record, by_fields, object, object_with};
pub use text::{Text, string, text};
