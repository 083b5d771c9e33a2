//! What an object is looked for in.

use scopeward_abi::{
    MAX_SHAPES,
    object::ns,
    policy::{Policy, flag},
};

/// The table to look into: its number, its flags and its name shapes.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// See `scopeward_abi::object::ns`.
    pub ns: u32,
    /// `policy::flag::*`.
    pub flags: u32,
    /// How many of `shapes` are used.
    pub shape_count: u32,
    /// The name shapes.
    pub shapes: &'a [u32; MAX_SHAPES],
}

impl<'a> Table<'a> {
    /// A policy's files, in the namespace that has its number.
    #[inline(always)]
    pub fn files(number: u32, policy: &'a Policy) -> Self {
        Self {
            ns: number,
            flags: policy.flags,
            shape_count: policy.shape_count,
            shapes: &policy.shapes,
        }
    }

    /// A policy's programs, in the namespace `of` (a number, or [`ns::MATCH`]) of programs.
    #[inline(always)]
    pub fn programs(of: u32, policy: &'a Policy) -> Self {
        Self {
            ns: ns::EXEC | of,
            flags: policy.flags >> flag::EXEC_SHIFT,
            shape_count: policy.exec_shape_count,
            shapes: &policy.exec_shapes,
        }
    }
}
