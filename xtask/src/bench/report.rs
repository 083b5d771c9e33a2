//! The figures for people, as Markdown.

use serde_json::Value;

use crate::bench::targets::Target;

/// A table with these columns.
pub fn table(header: &[String], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows
                .iter()
                .chain([&header.to_vec()])
                .filter_map(|row| row.get(column).map(|cell| cell.chars().count()))
                .collect::<Vec<_>>();
            cells.into_iter().max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut text = line(header) + &line(&rule);
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

/// A table of two columns.
pub fn list(what: &str, rows: &[(&str, String)]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
        .collect();
    table(&[what.to_owned(), String::new()], &rows)
}

/// Nanoseconds in the unit that suits them.
pub fn nanos(value: f64) -> String {
    match value.abs() {
        size if size < 1_000.0 => format!("{value:.0} ns"),
        size if size < 1_000_000.0 => format!("{:.2} µs", value / 1e3),
        size if size < 1_000_000_000.0 => format!("{:.2} ms", value / 1e6),
        _ => format!("{:.2} s", value / 1e9),
    }
}

/// The same, with a sign.
pub fn signed_nanos(value: f64) -> String {
    if value < 0.0 {
        nanos(value)
    } else {
        format!("+{}", nanos(value))
    }
}

/// The whole report.
pub fn markdown(machine: &Value, quick: bool, targets: &[&Target], chapters: &[&str]) -> String {
    let word = |name: &str| {
        machine[name]
            .as_str()
            .map_or_else(|| machine[name].to_string(), str::to_owned)
    };
    let header = ["what", "promised", "measured", ""].map(str::to_owned);
    let rows: Vec<Vec<String>> = targets
        .iter()
        .map(|target| {
            let met = if target.met { "met" } else { "**not met**" };
            vec![
                target.what.clone(),
                target.promised.clone(),
                target.measured.clone(),
                met.to_owned(),
            ]
        })
        .collect();
    let quickly = if quick {
        " This was a quick run: the figures are rough."
    } else {
        ""
    };
    format!(
        "# Bench\n\n`cargo xtask bench` on {} ({} cores), Linux {}, load average {} at the end.{quickly}\n\n## Targets\n\n{}\n{}",
        word("processor"),
        word("cores"),
        word("kernel"),
        word("load_average"),
        table(&header, &rows),
        chapters.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::{nanos, signed_nanos, table};

    #[test]
    fn units_suit_their_values() {
        assert_eq!(
            (nanos(12.4), nanos(1_500.0)),
            ("12 ns".to_owned(), "1.50 µs".to_owned())
        );
        assert_eq!(
            (signed_nanos(-3e6), signed_nanos(2e9)),
            ("-3.00 ms".to_owned(), "+2.00 s".to_owned())
        );
    }

    #[test]
    fn columns_stand_below_each_other() {
        let text = table(
            &["a".to_owned(), "bbb".to_owned()],
            &[vec!["cc".into(), "d".into()]],
        );
        assert_eq!(text, "| a  | bbb |\n| -- | --- |\n| cc | d   |\n");
    }
}
