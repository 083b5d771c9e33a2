//! Scope → kernel maps. Pure: what exists on the host is asked through [`Locate`].

mod acts;
mod credentials;
mod endpoints;
mod entries;
mod files;
mod labels;
mod locate;
mod programs;
mod scope;
mod sockets;
mod table;

pub use entries::{EntryInfo, UNRESOLVED};
pub use locate::{Locate, Located, Node};
pub use scope::{Compiled, Names, compile, compile_matches};
pub use table::{Table, join};

/// What cannot be put into the kernel's tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Too many different sets of programs.
    #[error(
        "hold more than {most} different lists of programs (`exe`, `ancestor`) in one scope; use the same list in several rules"
    )]
    Labels {
        /// How many fit.
        most: usize,
    },
    /// Too many different sets of sanctioned paths.
    #[error(
        "hold more than {most} different `paths` lists of `unless` in one scope; use the same list in several rules"
    )]
    Sanctions {
        /// How many fit.
        most: usize,
    },
    /// Too many sanctioned uses of one rule.
    #[error("hold more than {most} `unless` for {rule}; split the rule by its paths")]
    Unless {
        /// The rule.
        rule: String,
        /// How many fit.
        most: usize,
    },
    /// Too many different name patterns.
    #[error(
        "hold more than {most} different shapes of name patterns (lengths of what is before and after the `*`) in one scope; write some of them as whole names"
    )]
    Shapes {
        /// How many fit.
        most: usize,
    },
    /// A name pattern that is too long.
    #[error("hold the name pattern {pattern}: what is before or after its `*` is longer than {most} bytes")]
    Affix {
        /// The pattern.
        pattern: String,
        /// How many bytes fit.
        most: usize,
    },
    /// Too many rules for one address.
    #[error("hold more than {most} different port rules that reach {net}; join their ports into fewer rules")]
    Ports {
        /// The network.
        net: String,
        /// How many fit.
        most: usize,
    },
    /// Too many tables of `then-to`.
    #[error("hold more than {most} different `then-to` lists in one scope")]
    Then {
        /// How many fit.
        most: usize,
    },
}
