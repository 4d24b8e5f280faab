//! Plain objects and choices, described where they are declared.

/// Declares a struct that is read from the fields of an object.
///
/// Each field has its documentation for users, its type, and in brackets its [kind](crate::Kind) behind
/// what happens if it is left out: `required`, `default` (with the default, as JSON), `optional` (`None`),
/// `omitted` (Rust's default), `restriction` (the same, but `null` is refused), or `flatten` (the fields of
/// another object, in this one). A kind may refer to the fields before it, as `Option`s. `check` is called
/// with the whole object once all of its fields are good.
#[macro_export]
macro_rules! object {
    (
        $(#[$($attr:tt)*])*
        $vis:vis struct $Name:ident $(($context:ident: $Context:ty))? {
            $(
                $(#[$($doc:tt)*])*
                $field_vis:vis $field:ident $(as $name:literal)?: $Type:ty = $presence:ident($($kind:tt)*),
            )*
        }
        $(check $check:path;)?
        $(elsewhere { $($elsewhere:literal => $here:literal),* $(,)? })?
    ) => {
        $(#[$($attr)*])*
        $vis struct $Name {
            $($(#[$($doc)*])* $field_vis $field: $Type,)*
        }

        impl $crate::kinds::Object for $Name {
            type Context<'a> = $crate::object!(@context_type $($Context)?);

            const NAME: &'static str = stringify!($Name);

            #[inline(never)]
            fn read(value: &$crate::Value<'_>, context: Self::Context<'_>) -> Option<Self> {
                $crate::kinds::by_fields(value, context)
            }

            #[allow(unused_variables, reason = "no field refers to most of the others")]
            fn fields<F: $crate::Form>(
                form: &mut F,
                $crate::object!(@context $($context)?): Self::Context<'_>,
            ) -> Option<Self> {
                $(form.elsewhere(&[$(($elsewhere, $here)),*]);)?
                $(
                    let $field = $crate::object!(
                        @read form, $Type, $presence,
                        $crate::object!(@name $field $($name)?),
                        concat!($($crate::object!(@doc $($doc)*), "\n",)* ""),
                        $($kind)*
                    );
                )*
                let object = Self { $($field: $field?),* };
                $($check(&object, form)?;)?
                Some(object)
            }
        }

        impl $Name {
            $crate::object!(@kind $vis $($Context)?);
        }
    };

    (@context_type) => { () };
    (@context_type $Context:ty) => { $Context };
    (@context) => { _ };
    (@context $context:ident) => { $context };
    (@kind $vis:vis) => {
        /// How it is read from a config.
        #[allow(dead_code, reason = "not every object is a field by itself")]
        $vis fn kind() -> $crate::kinds::Record<'static, Self> {
            $crate::kinds::object()
        }
    };
    (@kind $vis:vis $Context:ty) => {
        /// How it is read from a config.
        #[allow(dead_code, reason = "not every object is a field by itself")]
        $vis fn kind(context: $crate::object!(@elided $Context)) -> $crate::kinds::Record<'_, Self> {
            $crate::kinds::object_with(context)
        }
    };
    (@elided $Context:ty) => { <Self as $crate::kinds::Object>::Context<'_> };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (@doc doc = $doc:literal) => { $doc };
    (@doc $($other:tt)*) => { "" };
    (@read $form:ident, $Type:ty, default, $name:expr, $doc:expr, $json:tt, $($kind:tt)*) => {
        $form.default($name, $doc, stringify!($json), $crate::kind::of::<$Type, _>($($kind)*))
    };
    (@read $form:ident, $Type:ty, optional, $name:expr, $doc:expr, $($kind:tt)*) => {
        $form.omitted($name, $doc, $crate::kind::of::<$Type, _>($crate::kind::some($($kind)*)))
    };
    (@read $form:ident, $Type:ty, flatten, $name:expr, $doc:expr, $($context:tt)*) => {
        <$Type as $crate::kinds::Object>::fields($form, $crate::object!(@flatten $($context)*))
    };
    (@read $form:ident, $Type:ty, $presence:ident, $name:expr, $doc:expr, $($kind:tt)*) => {
        $form.$presence($name, $doc, $crate::kind::of::<$Type, _>($($kind)*))
    };
    (@flatten) => { () };
    (@flatten $($context:tt)+) => { $($context)+ };
}

/// Declares an enum that is read from a word: each variant with its documentation for users and its word.
#[macro_export]
macro_rules! choice {
    (
        $(#[$($attr:tt)*])*
        $vis:vis enum $Name:ident {
            $($(#[$($doc:tt)*])* $Variant:ident = $word:literal,)*
        }
    ) => {
        $(#[$($attr)*])*
        $vis enum $Name {
            $($(#[$($doc)*])* $Variant,)*
        }

        impl $crate::kinds::Choice for $Name {
            const WORDS: &'static [&'static str] = &[$($word),*];
            const VALUES: &'static [Self] = &[$(Self::$Variant),*];

            fn docs() -> Vec<&'static str> {
                vec![$(concat!($($crate::object!(@doc $($doc)*), "\n",)* "")),*]
            }
        }

        impl $Name {
            /// How it is read from a config.
            #[allow(dead_code, reason = "`choice()` infers the type")]
            $vis const fn kind() -> $crate::kinds::Word<Self> {
                $crate::kinds::choice()
            }
        }
    };
}

/// Declares `parse` and `schema` for a filter's config: `root!(Config, "rate-limit");`.
#[macro_export]
macro_rules! root {
    ($Config:ty, $filter:literal) => {
        /// Reads a config.
        ///
        /// # Errors
        /// Everything that is wrong with it.
        pub fn parse(bytes: &[u8]) -> Result<$Config, $crate::Problems> {
            $crate::read(bytes, &<$Config>::kind())
        }

        /// The schema of a config.
        #[must_use]
        pub fn schema() -> $crate::Schema {
            $crate::schema($filter, concat!("A config of the ", $filter, " filter."), &<$Config>::kind())
        }
    };
}
