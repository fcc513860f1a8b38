//! The notation in which records are written down: fields, the version each appears in, tags.

/// Defines one record (or a structure inside one) and its [`super::field::Body`].
///
/// Fields stand in wire order; `[since N]` names the first version that has the field, and older
/// versions read as the type's default. Tagged fields follow, `tag => name: type = default`; one
/// that equals its default is not written, and an unknown tag is skipped. Writing is always at the
/// highest version.
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* $field:ident : $ty:ty $([since $since:literal])?, )*
        }
        $( tags {
            $( $(#[$tag_doc:meta])* $tag:literal => $tagged:ident : $tag_ty:ty = $default:expr, )*
        } )?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $ty, )*
            $($( $(#[$tag_doc])* pub $tagged: $tag_ty, )*)?
        }

        impl $crate::record::field::Body for $name {
            fn put_body(&self, writer: &mut millrace_wire::Writer) {
                $( $crate::record::field::Field::put(&self.$field, writer); )*
                #[allow(unused_mut, reason = "a record without tagged fields never pushes")]
                let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
                $($(
                    if self.$tagged != $default {
                        let mut value = millrace_wire::Writer::new();
                        $crate::record::field::Field::put(&self.$tagged, &mut value);
                        tagged.push(($tag, value.into_vec()));
                    }
                )*)?
                $crate::record::field::put_tagged(&tagged, writer);
            }

            fn take_body(
                reader: &mut millrace_wire::Reader<'_>,
                version: u32,
            ) -> Result<Self, millrace_wire::WireError> {
                let _ = version;
                $(
                    let since: u32 = 0 $(+ $since)?;
                    let $field = if (since..).contains(&version) {
                        <$ty as $crate::record::field::Field>::take(reader)?
                    } else {
                        Default::default()
                    };
                )*
                $($( let mut $tagged: $tag_ty = $default; )*)?
                reader.tagged_fields(|tag, value| {
                    let _ = (tag, &value);
                    $($(
                        if tag == $tag {
                            $tagged = $crate::record::field::Field::take(value)?;
                        }
                    )*)?
                    Ok(())
                })?;
                Ok(Self { $($field,)* $($($tagged,)*)? })
            }
        }
    };
}

pub(super) use record;
