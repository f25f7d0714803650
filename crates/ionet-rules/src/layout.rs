//! How stored and sent bytes are laid out, as data: from this the interface description of the on-chain program is generated, so that it
//! cannot say anything else than the structs themselves.

/// The shape of a value in bytes: little-endian, fields one after the other without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// Eight bytes.
    U64,
    /// Eight bytes, signed.
    I64,
    /// So many values of one shape.
    Array(&'static Shape, usize),
    /// Named fields.
    Struct(&'static Struct),
}

/// A struct's name and fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struct {
    /// Its name in the source.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// What is in it.
    pub shape: &'static Shape,
}

/// A type whose bytes are described.
pub trait Layout {
    /// Its shape.
    const SHAPE: &'static Shape;
}

/// A struct whose bytes are described.
pub trait StructLayout: Layout {
    /// Its name and fields.
    const STRUCT: &'static Struct;
}

macro_rules! plain {
    ($($type:ty: $shape:ident,)+) => {
        $(impl Layout for $type {
            const SHAPE: &'static Shape = &Shape::$shape;
        })+
    };
}

plain! {
    u8: U8,
    u16: U16,
    u32: U32,
    u64: U64,
    i64: I64,
    crate::money::Usdc: U64,
    crate::money::Io: U64,
    crate::money::MicroUsd: U64,
    crate::money::Units: U64,
}

impl<T: Layout, const COUNT: usize> Layout for [T; COUNT] {
    const SHAPE: &'static Shape = &Shape::Array(T::SHAPE, COUNT);
}

/// Declares structs that are stored or sent as their bytes: plain old data, with their layout described.
#[macro_export]
macro_rules! stored {
    ($($(#[doc = $doc:literal])+ pub struct $name:ident { $($(#[doc = $field_doc:literal])+ pub $field:ident: $type:ty,)* })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
            #[repr(C)]
            pub struct $name { $($(#[doc = $field_doc])+ pub $field: $type,)* }

            impl $crate::layout::Layout for $name {
                const SHAPE: &'static $crate::layout::Shape =
                    &$crate::layout::Shape::Struct(<$name as $crate::layout::StructLayout>::STRUCT);
            }

            impl $crate::layout::StructLayout for $name {
                const STRUCT: &'static $crate::layout::Struct = &$crate::layout::Struct {
                    name: stringify!($name),
                    doc: concat!($($doc),+),
                    fields: &[$($crate::layout::Field {
                        name: stringify!($field),
                        doc: concat!($($field_doc),+),
                        shape: <$type as $crate::layout::Layout>::SHAPE,
                    },)*],
                };
            }
        )+
    };
}
