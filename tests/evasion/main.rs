//! Every technique is tried: without Scopeward, where it must succeed, and in a session, where it must not.

/// A test for each technique of one sort, each with `$check`, and one that no technique of the sort is left out.
macro_rules! techniques {
    ($check:ident, $sort:ident, $all:ident; $($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            $check($name);
        })*

        #[test]
        fn $all() {
            let tested = [$($name),*];
            for technique in scopeward_tests::attack::catalogue::TECHNIQUES {
                if matches!(technique.sort, Sort::$sort(_)) {
                    assert!(tested.contains(&technique.name), "{} has no test", technique.name);
                }
            }
        }
    };
}

mod control;
mod files;
mod judgement;
mod matrix;
mod network;
mod outsiders;
mod services;
