//! Tables: columns without lines, wrapped to the terminal's width; unwrapped where there is no terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table};

use crate::cli::failure::CliError;
use crate::cli::render::escape::escape;
use crate::cli::render::output::{Look, Output};
use crate::scope::words::Response;

/// A table for `look`, with these column heads.
#[must_use]
pub fn table(look: &Look, heads: &[&str]) -> Table {
    let mut table = bare(look);
    let bold = |head: &&str| Cell::new(head).add_attribute(Attribute::Bold);
    table.set_header(heads.iter().map(bold));
    fit(&mut table);
    table
}

/// A table for `look`, without heads.
#[must_use]
pub fn bare(look: &Look) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    match look.width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    if look.colours {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    table
}

/// Two blanks between columns, none at the left edge.
pub fn fit(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// Columns that are shown whole: what is copied from them must not be broken into lines.
pub fn keep_whole(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// A cell of text that an agent, or its user, chose.
#[must_use]
pub fn text(content: &str) -> Cell {
    Cell::new(escape(content))
}

/// A cell of a number.
#[must_use]
pub fn number(number: u64) -> Cell {
    Cell::new(number)
}

/// A cell for a verdict, in the colour of its force.
#[must_use]
pub fn verdict(words: &str, force: Response) -> Cell {
    use comfy_table::Color::{Cyan, Magenta, Red, Yellow};
    let cell = Cell::new(words);
    match force {
        Response::Allow => cell,
        Response::Flag => cell.fg(Cyan),
        Response::Deny => cell.fg(Yellow),
        Response::Freeze => cell.fg(Magenta),
        Response::Kill => cell.fg(Red).add_attribute(Attribute::Bold),
    }
}

/// Writes a table, without blanks at the ends of its lines.
///
/// # Errors
/// [`CliError::Output`].
pub fn write(output: &mut Output<'_>, table: &Table) -> Result<(), CliError> {
    for line in table.lines() {
        output.line(line.trim_end())?;
    }
    Ok(())
}
